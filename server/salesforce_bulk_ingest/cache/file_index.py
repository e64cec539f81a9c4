"""The index of a file cache: how large each file is and when it was read, so that room is made without a look at every file.

The files are what counts. An entry without a file costs nothing, a file without an entry is found by the next scan, and an
entry may be older than the file, which may have been read since. So an index that is lost or damaged is made anew.
"""

import json
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

INDEX_FILE = "index.sqlite3"
BUSY_SECONDS = 1
VERSION = 1

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS files (
    name TEXT NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    read_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_time ON files (read_at);
CREATE TABLE IF NOT EXISTS whole (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    size INTEGER NOT NULL,
    scanned_at REAL NOT NULL
);
INSERT OR IGNORE INTO whole VALUES (1, 0, 0);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON files BEGIN UPDATE whole SET size = size + new.size; END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF size ON files
    BEGIN UPDATE whole SET size = size + new.size - old.size; END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON files BEGIN UPDATE whole SET size = size - old.size; END;
PRAGMA user_version = {VERSION};
COMMIT;
"""

UPSERT = """
INSERT INTO files VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET size = excluded.size, read_at = excluded.read_at
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the cache.

    Attributes:
        name: its name in the cache.
        size: the number of its bytes, with those of its label.
        read_at: when it was last read, in seconds since 1970.
    """

    name: str
    size: int
    read_at: float


class FileIndex:
    """The index in one SQLite file, for all processes; what goes wrong with it is logged, and costs no cached file.

    Only `add` makes the file.

    Args:
        folder: the folder of the cache.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / INDEX_FILE

    def add(self, entries: Iterable[Entry]) -> None:
        """Enter files, in place of earlier entries under their names."""
        rows = [(entry.name, entry.size, entry.read_at) for entry in entries]
        with suppress(OSError):  # the index says so itself, and more
            os.close(os.open(self._path, os.O_CREAT, 0o600))  # readable by this user alone
        self._run(lambda db: db.executemany(UPSERT, rows), None)

    def remove(self, name: str) -> None:
        """Remove an entry, if there is one."""
        self._run(lambda db: db.execute("DELETE FROM files WHERE name = ?", (name,)), None)

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin with a prefix."""
        query = "SELECT name FROM files WHERE name >= ? AND name < ?"
        none: list[str] = []
        return self._run(lambda db: [name for (name,) in db.execute(query, (prefix, _after(prefix)))], none)

    def rename(self, prefix: str, new_prefix: str) -> None:
        """Give the entries whose names begin with a prefix another prefix."""
        command = "UPDATE OR REPLACE files SET name = ? || substr(name, ?) WHERE name >= ? AND name < ?"
        values = (new_prefix, len(prefix) + 1, prefix, _after(prefix))
        self._run(lambda db: db.execute(command, values), None)

    def scanned_at(self) -> float:
        """Return when the files were entered that had no entry, in seconds since 1970; 0 if they never were."""
        return self._run(lambda db: float(db.execute("SELECT scanned_at FROM whole").fetchone()[0]), 0.0)

    def note_scan(self, now: float) -> None:
        """Note that the files without an entry have been entered, and add the sizes of all files anew."""
        command = "UPDATE whole SET scanned_at = ?, size = (SELECT COALESCE(SUM(files.size), 0) FROM files)"
        self._run(lambda db: db.execute(command, (now,)), None)

    def make_room(
        self,
        most_bytes: int,
        since: float,
        look: Callable[[str], Entry | None],
        remove: Callable[[str], bool],
    ) -> None:
        """Remove the files that were read longest ago, until the others are within the limits.

        Args:
            most_bytes: limit of all files together.
            since: the time, in seconds since 1970, before which no file may have been read last.
            look: returns the entry of a file as it is now; None if there is no such file.
            remove: removes a file unless somebody uses it; returns whether nobody does.
        """

        def evict(db: sqlite3.Connection) -> None:
            in_use = set[str]()
            for entry in _beyond(db, most_bytes, since, in_use):
                found = look(entry.name)
                if found is not None and found.read_at != entry.read_at:
                    db.execute(UPSERT, (found.name, found.size, found.read_at))
                    continue
                if found is not None and not remove(entry.name):
                    in_use.add(entry.name)
                    continue
                db.execute("DELETE FROM files WHERE name = ?", (entry.name,))

        self._run(evict, None)

    def _run(self, action: Callable[[sqlite3.Connection], T], default: T) -> T:
        """Run an action in a transaction; return the default where there is no index, or it can't be used."""
        if not self._path.exists():
            return default
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as db:
                # What is lost with the power, a scan finds again.
                db.execute("PRAGMA synchronous = OFF")
                if db.execute("PRAGMA user_version").fetchone() != (VERSION,):
                    db.executescript(SCHEMA)
                with db:
                    return action(db)
        except sqlite3.OperationalError as error:
            logger.warning("the index of the cached files at %s can't be used: %s", self._path, error)
        except sqlite3.DatabaseError as error:
            logger.warning("the index of the cached files at %s is made anew: %s", self._path, error)
            self._path.unlink(missing_ok=True)
        return default


def _beyond(db: sqlite3.Connection, most_bytes: int, since: float, in_use: Set[str]) -> Iterator[Entry]:
    """Yield the entry not in use that was read longest ago, again and again, while the files are beyond the limits."""
    query = """
        SELECT name, size, read_at, (SELECT size FROM whole) FROM files
        WHERE name NOT IN (SELECT value FROM json_each(?)) ORDER BY read_at LIMIT 1
    """
    while row := db.execute(query, (json.dumps(list(in_use)),)).fetchone():
        *of_entry, size = row
        entry = Entry(*of_entry)
        if size <= most_bytes and entry.read_at >= since:
            break
        yield entry


def _after(prefix: str) -> str:
    """Return the first text after all texts with this prefix."""
    return f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}" if prefix else chr(sys.maxunicode)
