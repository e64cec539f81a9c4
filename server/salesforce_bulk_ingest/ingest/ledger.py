"""An advisory local record of what went into which job.

It tells a repeated upload from a second one. Any server can serve any job without it: a missing or broken file only
means that Salesforce itself has to refuse the repeat.
"""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import anyio.to_thread

logger = logging.getLogger(__name__)

T = TypeVar("T")
UploadState = Literal["sending", "sent"]

BUSY_SECONDS = 1
"""How long another process may hold the file before this one goes on without it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    state TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (org, job_id)
)
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: what was sent, and whether Salesforce acknowledged it."""

    state: UploadState
    sha256: str
    bytes: int


class Ledger:
    """Uploads by org and job.

    Args:
        path: the SQLite file; its folder is made on first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, org: str, job_id: str) -> Upload | None:
        """What is known of the job's upload."""

        return await self._run(lambda db: _selected(db, org, job_id), None)

    async def claim(self, org: str, job_id: str, upload: Upload) -> Upload | None:
        """Remember the upload unless there is one, in one step, also against other processes.

        Returns:
            The one that was there before; None if this one is now.
        """

        def insert(db: sqlite3.Connection) -> Upload | None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            if db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, ?)", values).rowcount:
                return None
            return _selected(db, org, job_id)

        return await self._run(insert, None)

    async def record(self, org: str, job_id: str, upload: Upload) -> None:
        """Remember or replace the job's upload."""

        def insert(db: sqlite3.Connection) -> None:
            values = (org, job_id[:15], upload.state, upload.sha256, upload.bytes)
            db.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", values)

        await self._run(insert, None)

    async def forget(self, org: str, job_id: str) -> None:
        """Drop what is known: the job is gone, or took nothing."""

        def delete(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM uploads WHERE org = ? AND job_id = ?", (org, job_id[:15]))

        await self._run(delete, None)

    async def _run(self, action: Callable[[sqlite3.Connection], T], without: T) -> T:
        def connected() -> T:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as db, db:
                db.execute(SCHEMA)
                return action(db)

        try:
            return await anyio.to_thread.run_sync(connected)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the record of uploads at %s can't be used: %s", self._path, error)
            return without


def _selected(db: sqlite3.Connection, org: str, job_id: str) -> Upload | None:
    query = "SELECT state, sha256, bytes FROM uploads WHERE org = ? AND job_id = ?"
    row = db.execute(query, (org, job_id[:15])).fetchone()
    return Upload(*row) if row else None
