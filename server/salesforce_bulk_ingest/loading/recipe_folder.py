"""The folder of recipes: which there are, and what is written in them."""

import os
import re
from pathlib import Path

from salesforce_bulk_ingest.base.errors import IngestError, RecipeMistake
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots

RECIPE_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
SUFFIXES = (".yaml", ".yml", ".json")
MOST_BYTES = 256 * 1024
MOST_RECIPES = 1_000


class RecipeFolder:
    """The files of one folder that the operator names; nothing outside is read, also where a link leads there.

    Args:
        folder: the path of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self._root = UploadRoots([folder])

    def names(self) -> list[str]:
        """Return the names of the recipes, sorted: those of their files without the ending.

        Raises:
            RecipeMistake: the folder can't be read.
        """
        try:
            with os.scandir(self.path) as entries:
                stems = {entry.name.rpartition(".")[0] for entry in entries if entry.name.endswith(SUFFIXES)}
        except OSError as error:
            raise RecipeMistake(f"The folder of recipes can't be read: {error.strerror or error}.") from None
        return sorted(filter(RECIPE_NAME.fullmatch, stems))[:MOST_RECIPES]

    def file_of(self, name: str) -> str:
        """Return the name of the file of a recipe that there is.

        Raises:
            RecipeMistake: several files have this name.
        """
        files = [f"{name}{suffix}" for suffix in SUFFIXES if os.path.lexists(self.path / f"{name}{suffix}")]
        if len(files) != 1:
            raise RecipeMistake(f"{' and '.join(files)} are recipes of one name: keep one of them.")
        return files[0]

    def read(self, file: str) -> str:
        """Return the text of a file.

        Args:
            file: the name of the file, in this folder.

        Raises:
            RecipeMistake: it can't be read, is too long, or is not in UTF-8.
        """
        try:
            with self._root.open(file) as opened:
                data = opened.read(MOST_BYTES + 1)
        except (IngestError, OSError):
            raise RecipeMistake(
                f"{quoted(file)} can't be read: it is no file of the folder of recipes, or this server may not read it."
            ) from None
        if len(data) > MOST_BYTES:
            raise RecipeMistake(f"{quoted(file)} is longer than the {MOST_BYTES:,} bytes of a recipe.")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise RecipeMistake(f"{quoted(file)}, line {line}: this is not UTF-8; save the file as UTF-8.") from None
