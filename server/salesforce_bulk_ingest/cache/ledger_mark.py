"""The mark in the folder of cached files: which ledger they belong to, and how far that ledger was."""

import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from salesforce_bulk_ingest.cache.file_cache import LABEL

logger = logging.getLogger(__name__)

MARK_FILE = "ledger"


@dataclass(frozen=True, slots=True)
class LedgerMark:
    """What tells a ledger from another, and from an older copy of itself.

    Attributes:
        ledger_id: the random id of the ledger.
        retries: how many retries it has recorded.
    """

    ledger_id: str
    retries: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the mark in a text, or raise ValueError."""
        ledger_id, retries = text.split()
        return cls(ledger_id, int(retries))

    def __str__(self) -> str:
        return f"{self.ledger_id} {self.retries}\n"


class LedgerMarkFile:
    """The file of the mark. Whatever goes wrong with it only means that less is known of the ledger.

    Args:
        folder: the folder of cached files, or None where nothing is cached and no mark is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self) -> LedgerMark | None:
        """Return the mark, or None if there is none."""
        if self._folder is None:
            return None
        try:
            return LedgerMark.parsed((self._folder / MARK_FILE).read_text())
        except (OSError, ValueError):
            return None

    def write(self, mark: LedgerMark) -> None:
        """Put the mark in place, unless it is there."""
        if self._folder is None or self.read() == mark:
            return
        part = self._folder / f"{MARK_FILE}.{secrets.token_hex(4)}.part"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_text(str(mark))
            part.replace(self._folder / MARK_FILE)
        except OSError as error:
            logger.warning("the cached files in %s can't be marked as those of their record: %s", self._folder, error)

    def has_cached_files(self) -> bool:
        """Return whether anything is cached."""
        return self._folder is not None and next(self._folder.glob(f"**/*{LABEL}"), None) is not None
