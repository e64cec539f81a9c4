"""The approvals of closes that the operator gives on this machine, in one SQLite file beside the ledger.

A server notes which closes wait for an approval; the command `approve` shows them and approves one. Whoever may write the
file is the operator.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from salesforce_bulk_ingest.base.storage import FileError, storage_failure
from salesforce_bulk_ingest.base.threads import run_in_thread

logger = logging.getLogger(__name__)

T = TypeVar("T")

APPROVED_SECONDS = 24 * 3600
"""How long an approval counts."""

WAITING_SECONDS = 7 * 24 * 3600
"""How long a close waits for an approval: Salesforce removes an open job after seven days (Bulk API 2.0 guide, limits)."""

BUSY_SECONDS = 5

SCHEMA = """
CREATE TABLE IF NOT EXISTS closes (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    facts TEXT NOT NULL,
    asked_at REAL NOT NULL,
    approved_at REAL,
    PRIMARY KEY (org, job_id)
)
"""

_ASK = """
INSERT INTO closes VALUES (?1, ?2, ?3, ?4, NULL) ON CONFLICT (org, job_id) DO UPDATE SET facts = ?3, asked_at = ?4,
approved_at = CASE WHEN facts = ?3 AND approved_at > ?5 THEN approved_at END
"""


@dataclass(frozen=True, slots=True)
class WaitingClose:
    """A close that waits for an approval.

    Attributes:
        org: the key of the org.
        job_id: the id of the job, of 15 characters.
        facts: what the close would do to how many records, and which rows it is about.
    """

    org: str
    job_id: str
    facts: str


class Approvals:
    """The approvals in one file.

    Args:
        path: path of the file; its folder is made on first use.
        now: the clock, in seconds since 1970.

    Every method raises `StorageFailure` where the file can't be used.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now

    async def ask(self, org: str, job_id: str, facts: str) -> None:
        """Note that a close waits; an approval of the same job with other facts is void."""

        def insert(db: sqlite3.Connection) -> None:
            now = self._now()
            db.execute("DELETE FROM closes WHERE asked_at < ?", (now - WAITING_SECONDS,))
            db.execute(_ASK, (org, job_id[:15], facts, now, now - APPROVED_SECONDS))

        await run_in_thread(self._with_db, insert)

    async def is_approved(self, org: str, job_id: str, facts: str) -> bool:
        """Return whether the operator has approved exactly this close within the last 24 hours."""

        def select(db: sqlite3.Connection) -> bool:
            query = "SELECT approved_at FROM closes WHERE org = ? AND job_id = ? AND facts = ?"
            found = db.execute(query, (org, job_id[:15], facts)).fetchone()
            return found is not None and found[0] is not None and self._now() - found[0] < APPROVED_SECONDS

        return await run_in_thread(self._with_db, select)

    def waiting(self) -> list[WaitingClose]:
        """Return the closes that wait, the newest first."""

        def select(db: sqlite3.Connection) -> list[WaitingClose]:
            query = "SELECT org, job_id, facts FROM closes WHERE approved_at IS NULL AND asked_at >= ?"
            rows = db.execute(f"{query} ORDER BY asked_at DESC", (self._now() - WAITING_SECONDS,))
            return [WaitingClose(*row) for row in rows]

        return self._with_db(select) if os.path.exists(self._path) else []

    def approve(self, close: WaitingClose) -> bool:
        """Approve a close as it was shown; return whether it still waits as such."""

        def update(db: sqlite3.Connection) -> bool:
            query = (
                "UPDATE closes SET approved_at = ? WHERE org = ? AND job_id = ? AND facts = ? AND approved_at IS NULL"
            )
            return db.execute(query, (self._now(), close.org, close.job_id, close.facts)).rowcount == 1

        return self._with_db(update)

    def _with_db(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as db, db:
                os.chmod(self._path, 0o600)
                db.execute(SCHEMA)
                return action(db)
        except FileError as error:
            raise storage_failure("The record of approvals can't be used", error, self._path) from error
