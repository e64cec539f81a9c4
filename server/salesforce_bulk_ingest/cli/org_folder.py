"""The check of the folder for an embedded org, before the org is opened."""

import os
import tempfile
from pathlib import Path

from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.setting_types import IN_THE_WRONG_PLACE, MAY_BE_A_TOKEN
from salesforce_emulator import ORG_FILE


def check_org_folder(folder: Path) -> None:
    """Create the folder if it does not exist.

    Raises:
        CantStart: the folder can't hold an org.
    """
    if any(MAY_BE_A_TOKEN.fullmatch(made.name) for made in (folder, *folder.parents) if not os.path.exists(made)):
        raise CantStart(f"--data-dir: {IN_THE_WRONG_PLACE}.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        holds_other_things = any(folder.iterdir()) and not (folder / ORG_FILE).exists()
    except OSError as error:
        raise CantStart(
            f"the embedded org can't be kept in {folder}: {error.strerror}; choose another --data-dir."
        ) from None
    if holds_other_things:
        raise CantStart(f"{folder} holds other things and no org; choose an empty or a new folder as --data-dir.")
