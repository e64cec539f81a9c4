"""The use of the org's daily allocations, each measured over the last 24 hours."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from salesforce_emulator.config import Limits
from salesforce_emulator.storage.database import Database

SLOT_SECONDS = 300
"""The length of the slots in which use is counted: few rows to add up, and a day exact to five minutes."""

SLOTS_PER_DAY = 24 * 3600 // SLOT_SECONDS


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of the use of each allocation in each slot."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS usage"
        " (allocation TEXT NOT NULL, slot INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (allocation, slot))"
        " WITHOUT ROWID"
    )


class Allocation(StrEnum):
    """A daily allocation of the org."""

    REQUESTS = "requests"
    BATCHES = "batches"
    RECORDS = "records"


class Usage:
    """Counts the use of each allocation, and grants no more than is left.

    Batches and records are counted in the transaction that saves them. Requests are too many for a transaction each:
    they are counted in memory, and `save` writes them to the database. Requests that were not saved are lost if the
    process is killed.

    Attributes:
        max: the limit of each allocation in 24 hours.
    """

    def __init__(self, database: Database, limits: Limits, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.max = {
            Allocation.REQUESTS: limits.daily_requests,
            Allocation.BATCHES: limits.daily_batches,
            Allocation.RECORDS: limits.daily_records,
        }
        self._lock = threading.Lock()  # between the event loop, which counts requests, and the worker, which saves them
        self._slot = self._current_slot()
        self._unsaved: Counter[int] = Counter()
        self._saved = self._load_saved_requests()
        self._requests = 0
        self._sum_requests()

    def take_request(self) -> bool:
        """Count a request, and return True; return False if no request is left."""
        with self._lock:
            self._follow_clock()
            if self._requests >= self.max[Allocation.REQUESTS]:
                return False
            self._requests += 1
            self._unsaved[self._slot] += 1
            return True

    def requests(self) -> int:
        """Return the number of requests of the last 24 hours.

        The requests of other processes are included as of the last `save` of both processes.
        """
        with self._lock:
            self._follow_clock()
            return self._requests

    def save(self) -> None:
        """Write the requests that this process counted to the database, and read those of other processes from it."""
        with self._lock:
            counted = dict(self._unsaved)
        if counted:
            self._write_requests(counted)
        saved = self._load_saved_requests()
        with self._lock:
            self._unsaved -= Counter(counted)
            self._saved = saved
            self._sum_requests()

    def _write_requests(self, counted: Mapping[int, int]) -> None:
        with self._database.writing() as connection:
            for slot, used in counted.items():
                self._add(connection, Allocation.REQUESTS, slot, used)
            connection.execute("DELETE FROM usage WHERE slot <= ?", (self._current_slot() - SLOTS_PER_DAY,))

    def take(self, connection: sqlite3.Connection, allocation: Allocation, wanted: int) -> int:
        """Use up `wanted` batches or records, or as many as are left, within the caller's transaction.

        Returns:
            The number that was used up.
        """
        taken = min(wanted, self.left(connection, allocation))
        if taken:
            self._add(connection, allocation, self._current_slot(), taken)
        return taken

    def left(self, connection: sqlite3.Connection, allocation: Allocation) -> int:
        """Return the number of batches or records that are left."""
        statement = "SELECT TOTAL(used) AS used FROM usage WHERE allocation = ? AND slot > ?"
        used = connection.execute(statement, (allocation, self._current_slot() - SLOTS_PER_DAY)).fetchone()["used"]
        return max(0, self.max[allocation] - int(used))

    def _add(self, connection: sqlite3.Connection, allocation: Allocation, slot: int, used: int) -> None:
        connection.execute(
            "INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = used + excluded.used",
            (allocation, slot, used),
        )

    def _load_saved_requests(self) -> dict[int, int]:
        with self._database.reading() as connection:
            statement = "SELECT slot, used FROM usage WHERE allocation = ?"
            return {row["slot"]: row["used"] for row in connection.execute(statement, (Allocation.REQUESTS,))}

    def _follow_clock(self) -> None:
        """Leave out the requests that are older than 24 hours by now."""
        if (slot := self._current_slot()) != self._slot:
            self._slot = slot
            self._sum_requests()

    def _sum_requests(self) -> None:
        counts = (*self._saved.items(), *self._unsaved.items())
        self._requests = sum(used for slot, used in counts if slot > self._slot - SLOTS_PER_DAY)

    def _current_slot(self) -> int:
        return int(self._clock().timestamp()) // SLOT_SECONDS
