"""What is used up of the org's daily allocations, each measured over the last 24 hours."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from salesforce_emulator.config import Limits
from salesforce_emulator.storage.database import Database

SLOT_SECONDS = 300  # use is counted by the slot: few rows to add up, and a day that is exact to five minutes
SLOTS = 24 * 3600 // SLOT_SECONDS


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the table of what is used."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS usage"
        " (allocation TEXT NOT NULL, slot INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (allocation, slot))"
        " WITHOUT ROWID"
    )


class Allocation(StrEnum):
    """What can be used up."""

    REQUESTS = "requests"
    BATCHES = "batches"
    RECORDS = "records"


class Usage:
    """Counts what is used, and grants no more than is left.

    Batches and records are counted in the transaction that saves them. Requests are too many for that: they are
    counted here, and `save` writes them down; what was not saved is lost if the process is killed.
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
        self._slot = self._now()
        self._unsaved: Counter[int] = Counter()
        self._saved = self._saved_requests()
        self._requests = 0
        self._add_up()

    def take_request(self) -> bool:
        """Count a request; False if none is left."""
        with self._lock:
            self._look_at_the_clock()
            if self._requests >= self.max[Allocation.REQUESTS]:
                return False
            self._requests += 1
            self._unsaved[self._slot] += 1
            return True

    def requests(self) -> int:
        """The requests of the last 24 hours; those of other processes as far as both have saved theirs."""
        with self._lock:
            self._look_at_the_clock()
            return self._requests

    def save(self) -> None:
        """Write down the requests that were counted here, and learn of those that other processes counted."""
        with self._lock:
            counted = dict(self._unsaved)
        if counted:
            self._write_down(counted)
        saved = self._saved_requests()
        with self._lock:
            self._unsaved -= Counter(counted)
            self._saved = saved
            self._add_up()

    def _write_down(self, counted: Mapping[int, int]) -> None:
        with self._database.writing() as connection:
            for slot, used in counted.items():
                self._add(connection, Allocation.REQUESTS, slot, used)
            connection.execute("DELETE FROM usage WHERE slot <= ?", (self._now() - SLOTS,))

    def take(self, connection: sqlite3.Connection, allocation: Allocation, wanted: int) -> int:
        """Use up what is wanted, or what is left if that is less, within the caller's transaction; returns how much."""
        taken = min(wanted, self.left(connection, allocation))
        if taken:
            self._add(connection, allocation, self._now(), taken)
        return taken

    def left(self, connection: sqlite3.Connection, allocation: Allocation) -> int:
        """What is left of the batches or the records."""
        statement = "SELECT TOTAL(used) AS used FROM usage WHERE allocation = ? AND slot > ?"
        used = connection.execute(statement, (allocation, self._now() - SLOTS)).fetchone()["used"]
        return max(0, self.max[allocation] - int(used))

    def _add(self, connection: sqlite3.Connection, allocation: Allocation, slot: int, used: int) -> None:
        connection.execute(
            "INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = used + excluded.used",
            (allocation, slot, used),
        )

    def _saved_requests(self) -> dict[int, int]:
        with self._database.reading() as connection:
            statement = "SELECT slot, used FROM usage WHERE allocation = ?"
            return {row["slot"]: row["used"] for row in connection.execute(statement, (Allocation.REQUESTS,))}

    def _look_at_the_clock(self) -> None:
        if (slot := self._now()) != self._slot:
            self._slot = slot
            self._add_up()

    def _add_up(self) -> None:
        counts = (*self._saved.items(), *self._unsaved.items())
        self._requests = sum(used for slot, used in counts if slot > self._slot - SLOTS)

    def _now(self) -> int:
        return int(self._clock().timestamp()) // SLOT_SECONDS
