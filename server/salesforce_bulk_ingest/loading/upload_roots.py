"""The files that may be read for an upload: files under the folders (roots) that the operator names."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path, PurePath
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.text import visible
from salesforce_bulk_ingest.loading.roots import OPENS_BELOW, RootedFile, Roots, is_hidden, shown_path

SYSTEM_FOLDERS = frozenset(
    {"applications", "bin", "boot", "dev", "etc", "lib", "library", "proc", "program files", "program files (x86)", "run",
     "sbin", "sys", "system", "usr", "windows"}
)  # fmt: skip

EXAMPLE_FOLDER = Path("/data/exports")

ALIKE = 0.7
"""How alike the name of a file has to be to one that is missing, from 0 to 1: `contacts_2026` is for `contacts`, not for
`leads_2026`."""

ENDINGS_OF_ROWS = frozenset({".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".gz"})
"""How the names of files end that are told in place of a missing one: others, such as keys, are not for upload."""

_DIGITS = re.compile(r"\d+")
_NO_LETTERS = re.compile(r"[\W\d_]+")

IN_FILE = ("file",)
"""The argument at fault in the errors about a path."""


class UploadRoots:
    """The folders that files may be uploaded from.

    Args:
        roots: the paths of the folders, which may contain links; if there are none, every file is refused.
        home: home folder of the user that runs the server, which `~` stands for at the begin of a path.
        why_none: why there are no roots, as part of a sentence; of no meaning where there are some.
        opens_below: whether files are opened from the root down, see `RootedFile`.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        home: Path | None = None,
        why_none: str = "no folder is known in which it was started",
        *,
        opens_below: bool = OPENS_BELOW,
    ) -> None:
        self.why_none = why_none
        self._roots = Roots(roots, home, opens_below=opens_below)
        self.roots = self._roots.folders

    def open(self, path: str) -> BinaryIO:
        """Open the file that a caller names; errors are those of `find` and `RootedFile.open`."""
        return self.find(path).open()

    def find(self, path: str) -> RootedFile:
        """Return the file that a caller names.

        Args:
            path: an absolute path, one that begins with `~/`, or a path relative to a root, of which the first root that has
                the file counts.

        Raises:
            RefusedByPolicy: the path is not under a root; the error does not say whether the file exists.
            InvalidArgument: there is no file at the path, or something on it was replaced just now.
            StorageFailure: the machine keeps this server from looking.
        """
        path = self._roots.whole(path)
        inside = self._roots.below(path)
        if not inside and self._roots.has_one_at(path):
            raise InvalidArgument(f"{shown_path(path)} is a folder: name a file of CSV in it.", IN_FILE)
        if not inside:
            raise RefusedByPolicy(self._refusal(path))
        for file in inside:
            if _may_be_there(file.path):
                return file
        meant = _meant(inside)
        hint = f" Did you mean {shown_path(meant)}?" if meant is not None else ""
        raise InvalidArgument(f"There is no file {shown_path(path)} under {self._roots}.{hint}", IN_FILE)

    def _refusal(self, path: str) -> str:
        if not self.roots:
            return f"This server may read no files: no folder is named, and {self.why_none}. {self._how_to_allow(path)}"
        reads = f"This server reads files under {self._roots} only; relative paths begin there."
        if self._roots.are_written_above(path):
            return f"{reads} {shown_path(path)} leads to none: it is a link to elsewhere."
        return f"{reads} {self._how_to_allow(path)}"

    def _how_to_allow(self, path: str) -> str:
        folder = Path(os.path.normpath(os.path.join(self.roots[0] if self.roots else "", path))).parent
        if is_of_system(folder) or is_hidden(folder):
            copied = "The file is in a folder of the system or a hidden one, not to be allowed: have the user copy it"
            if self.roots:
                return f"{copied} into {' or '.join(map(str, self.roots))}."
            return f"{copied} to another folder. {self._how_to_allow(str(EXAMPLE_FOLDER / 'file'))}"
        if not folder.is_absolute() or folder == Path(folder.anchor):
            folder = EXAMPLE_FOLDER
        # A flag counts whatever a variable or the settings file says, and then it has to name all folders.
        flags = " ".join(f"--upload-root {visible(shlex.quote(str(root)))}" for root in (*self.roots, folder))
        return f"To allow {shown_path(folder)}, the operator starts it with {flags} among its arguments."


def is_of_system(folder: Path) -> bool:
    """Return whether the folder is one of the operating system's, where no user keeps files to load."""
    return len(folder.parts) > 1 and folder.parts[1].lower() in SYSTEM_FOLDERS


def _meant(missing: Sequence[RootedFile]) -> Path | None:
    """Return the file of rows that is likely to be meant by these, none of which is there; None unless a single one is."""
    # Of files of one name, that in the first root counts, as in `find`.
    beside = {name: file.path.with_name(name) for file in reversed(missing) for name in file.names_beside()}
    name = _nearest(missing[0].path.name, beside)
    return None if name is None else beside[name]


def _nearest(name: str, others: Iterable[str]) -> str | None:
    """Return the name of a file of rows that is nearest to a name; None where none is alike, or several are as near.

    Names are compared by their letters: digits are most often a period or the number of a part, where one is as near as
    another unless it is the same. Of names that are as near, one that differs in digits alone comes first, then one of
    the same ending.
    """
    stem, ending = _stem_and_ending(name)
    matcher = SequenceMatcher(b=_NO_LETTERS.sub("", stem))
    near: dict[str, tuple[float, bool, bool, bool]] = {}
    for other in others:
        other_stem, other_ending = _stem_and_ending(other)
        if other_ending not in ENDINGS_OF_ROWS:
            continue
        matcher.set_seq1(_NO_LETTERS.sub("", other_stem))
        if matcher.quick_ratio() >= ALIKE and (ratio := matcher.ratio()) >= ALIKE:
            has_its_digits = _DIGITS.findall(other_stem) == _DIGITS.findall(stem)
            is_same_but_digits = _DIGITS.sub("", other_stem) == _DIGITS.sub("", stem)
            near[other] = (ratio, has_its_digits, is_same_but_digits, other_ending == ending)
    best = max(near.values(), default=None)
    nearest = [other for other, nearness in near.items() if nearness == best]
    return nearest[0] if len(nearest) == 1 else None


def _stem_and_ending(name: str) -> tuple[str, str]:
    """Return both parts of a name in lower case; what gzip is around is a part of the ending, as in `.csv.gz`."""
    path = PurePath(name)
    if path.suffix.lower() != ".gz":
        return path.stem.lower(), path.suffix.lower()
    inner = PurePath(path.stem)
    return inner.stem.lower(), f"{inner.suffix}{path.suffix}".lower()


def _may_be_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        # After any other error, opening the file raises an error with the reason.
        return not isinstance(error, FileNotFoundError | NotADirectoryError)
    return True
