"""Results that were downloaded once, in files of this user alone.

A result is there where its index is: that is written last, and put in place in one step, so that a download which broke off
leaves nothing that looks whole.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from filelock import FileLock

from salesforce_bulk_ingest.ingest.csv_records import parse_record
from salesforce_bulk_ingest.ingest.rows_out.causes import Cause, CauseCounter
from salesforce_bulk_ingest.ingest.rows_out.row_index import IndexBuilder, RowIndex
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

INDEX = ".index"
PART = ".part"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Names one result of one job of one org, as it was when the job ended.

    Attributes:
        org: host of the org.
        job: its id, and what tells it from a job with the same id in a refreshed sandbox.
        kind: which of its results.
    """

    org: str
    job: tuple[str | None, ...]
    kind: ResultKind

    @classmethod
    def of(cls, org: str, job: Job, kind: ResultKind) -> Self:
        """The result of a job that has ended.

        The user who made the job stands for the organisation: ids of users differ between organisations, and no other call
        is needed to know them.
        """
        return cls(org, (job.id[:15], job.created_by_id, job.created_date, job.system_modstamp), kind)


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result that is here, whole.

    Attributes:
        path: of the CSV, as Salesforce gave it.
        index: of its rows.
        causes: why rows failed, for a result that says so.
    """

    path: Path
    index: RowIndex
    causes: tuple[Cause, ...] = ()

    def records(self, row: int) -> Iterator[bytes]:
        """The records from a row on, counted from 0 after the header.

        Raises:
            OSError: it was removed, or can't be read.
        """
        with self.path.open("rb") as file:
            yield from self.index.records(file, row)


class Store:
    """A folder of results; its methods block.

    Args:
        folder: made on first use, and readable by this user alone.
        most_bytes: of all results together; the ones that were read longest ago go first.
        most_seconds: since a result was last read.
        now: seconds since 1970.

    Every method raises OSError where the folder can't be used.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int, most_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._now = now

    def find(self, key: ResultKey) -> StoredResult | None:
        """The result, if it is here and whole; it then counts as just read."""
        path = self._path(key)
        try:
            with path.with_suffix(INDEX).open("rb") as file:
                causes = tuple(map(Cause.from_json, json.loads(file.readline())))
                index = RowIndex.read(file)
            if path.stat().st_size != index.size:
                return None
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # all but the first: of another version of this
            return None
        os.utime(path, (self._now(), self._now()))
        return StoredResult(path, index, causes)

    def lock(self, key: ResultKey) -> FileLock:
        """Held by whoever downloads the result, against other processes, too."""
        path = self._path(key)
        self._make_folder(path.parent)
        # Taken and given back in whichever thread is at hand.
        return FileLock(path.with_suffix(".lock"), mode=0o600, thread_local=False)

    @contextmanager
    def writing(self, key: ResultKey, delimiter: str) -> Iterator["Writing"]:
        """For the time of a download, under its lock; what is not finished is gone afterwards.

        Args:
            key: names the result.
            delimiter: between its cells.
        """
        path = self._path(key)
        self._make_folder(path.parent)
        self._make_room()
        prefix = f"{key.kind}."
        for left in path.parent.glob(f"{prefix}*{PART}"):  # by a process that was killed
            left.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(PART, prefix, path.parent)  # readable by this user alone
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield Writing(file, Path(name), path, delimiter, tells_causes=key.kind == "failedResults")
        finally:
            Path(name).unlink(missing_ok=True)

    def forget(self, org: str, job_id: str) -> None:
        """Remove all results of a job."""
        for entry in self._org_folder(org).glob(f"{job_id[:15]}-*"):
            shutil.rmtree(entry, ignore_errors=True)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in (self._folder, folder.parent, folder):
            made.chmod(0o700)

    def _org_folder(self, org: str) -> Path:
        return self._folder / _digest(org)

    def _path(self, key: ResultKey) -> Path:
        return self._org_folder(key.org) / f"{key.job[0]}-{_digest(key.job)}" / f"{key.kind}.csv"

    def _make_room(self) -> None:
        """Remove what is too old, and what is too much beside the others."""
        found = sorted(self._entries(), key=lambda entry: entry.read_at, reverse=True)
        room = self._most_bytes
        for entry in found:
            room -= entry.size
            if room < 0 or self._now() - entry.read_at > self._most_seconds:
                _remove(entry.path)

    def _entries(self) -> Iterator["_Entry"]:
        for path in self._folder.glob(f"*/*/*{INDEX}"):
            with suppress(OSError):  # another process removed it meanwhile
                found = path.with_suffix(".csv").stat()
                yield _Entry(path.with_suffix(".csv"), found.st_size + path.stat().st_size, found.st_mtime)


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int
    read_at: float


class Writing:
    """A result that comes in.

    Args:
        file: takes its bytes.
        part: the name of that.
        path: the name that it gets at the end.
        delimiter: between its cells.
        tells_causes: whether it is that of the failed rows.
    """

    def __init__(self, file: BinaryIO, part: Path, path: Path, delimiter: str, *, tells_causes: bool) -> None:
        self._file = file
        self._part = part
        self._path = path
        self._delimiter = delimiter
        self._tells_causes = tells_causes
        self._index = IndexBuilder()
        self._rows = 0
        self._causes: CauseCounter | None = None

    def add(self, chunk: bytes) -> None:
        """More of its bytes."""
        self._file.write(chunk)
        self._count(self._index.add(chunk))

    def finish(self) -> StoredResult:
        """After the last byte: it is whole."""
        self._file.close()
        index, rows = self._index.finish()
        self._count(rows)
        causes = tuple(self._causes.causes()) if self._causes else ()
        part_of_index = self._part.with_suffix(f"{INDEX}{PART}")  # found like the other, if this process is killed here
        with os.fdopen(os.open(part_of_index, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps([cause.as_json() for cause in causes]).encode() + b"\n")
            index.write(file)
        self._part.replace(self._path)
        part_of_index.replace(self._path.with_suffix(INDEX))
        return StoredResult(self._path, index, causes)

    def _count(self, rows: list[bytes]) -> None:
        if not self._tells_causes or not rows:
            return
        if self._causes is None:
            self._causes = CauseCounter(parse_record(self._index.header, self._delimiter))
        for row in rows:
            self._causes.add(parse_record(row, self._delimiter), self._rows)
            self._rows += 1


def _remove(path: Path) -> None:
    # The index first: without it the rest is nothing.
    path.with_suffix(INDEX).unlink(missing_ok=True)
    with suppress(OSError):  # on Windows, while somebody reads it
        path.unlink(missing_ok=True)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
