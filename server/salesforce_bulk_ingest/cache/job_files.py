"""What is kept of jobs on this machine: results that were downloaded once, what was sent, and what was made of both."""

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from salesforce_bulk_ingest.cache.file_cache import FileCache, NewFile
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, UploadRecorder, recorder
from salesforce_bulk_ingest.csvio.records import parse_record
from salesforce_bulk_ingest.csvio.row_index import IndexBuilder, RowIndex
from salesforce_bulk_ingest.loading.plan import PartContent
from salesforce_bulk_ingest.results.error_groups import ErrorGroup, ErrorGrouper
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

logger = logging.getLogger(__name__)

UPLOAD = "upload.csv.gz"
AGAIN = "again"


@dataclass(frozen=True, slots=True)
class JobKey:
    """Names one job of one org.

    Attributes:
        org: host of the org.
        job: its id, and what tells it from a job with the same id in a refreshed sandbox.
    """

    org: str
    job: tuple[str | None, ...]

    @classmethod
    def of(cls, org: str, job: Job) -> Self:
        """The job, in whichever state it is.

        The user who made the job stands for the organisation: ids of users differ between organisations, and no other call
        is needed to know them.
        """
        return cls(org, (job.id[:15], job.created_by_id, job.created_date))

    @property
    def folder(self) -> str:
        """Of all that is kept of it."""
        return f"{_org_folder(self.org)}/{self.job[0]}-{_digest(self.job)}"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Names one result of one job, as it was when the job ended.

    Attributes:
        job: that it is of.
        ended: what changes whenever the job does.
        kind: which of its results.
    """

    job: JobKey
    ended: str | None
    kind: ResultKind

    @classmethod
    def of(cls, org: str, job: Job, kind: ResultKind) -> Self:
        """The result of a job that has ended."""
        return cls(JobKey.of(org, job), job.system_modstamp, kind)

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.folder}/{self.kind}.csv"

    @property
    def source_rows_name(self) -> str:
        """Of the file in which it is tied to what was sent."""
        return f"{self.folder}/{self.kind}.source.csv"

    @property
    def folder(self) -> str:
        """Of what is made of it, too."""
        return f"{self.job.folder}/{_digest(self.ended)}"


@dataclass(frozen=True, slots=True)
class CachedResult:
    """A result that is here, whole.

    Attributes:
        path: of the CSV, as Salesforce gave it.
        index: of its rows.
        sha256: of the CSV.
        causes: why rows failed, for a result that says so.
    """

    path: Path
    index: RowIndex
    sha256: str
    causes: tuple[ErrorGroup, ...] = ()

    def records(self, row: int) -> Iterator[bytes]:
        """The records from a row on, counted from 0 after the header.

        Raises:
            OSError: it was removed, or can't be read.
        """
        with self.path.open("rb") as file:
            yield from self.index.records(file, row)


class ResultNotReady(Exception):
    """An answer without a header: of a result without rows, or of one that Salesforce does not have ready (seen in #886 of
    OpenFn/adaptors), which is therefore not kept."""


class JobFiles:
    """Results and uploads on a shelf; its methods block.

    Args:
        folder: made on first use, and readable by this user alone.
        most_bytes: of all files together; the ones that were read longest ago go first.
        most_seconds: since a file was last read.
        keeps_uploads: whether what is sent is kept, too.
        now: seconds since 1970.

    Every method raises OSError where the folder can't be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        most_seconds: float,
        keeps_uploads: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.shelf = FileCache(folder, most_bytes=most_bytes, most_seconds=most_seconds, now=now)
        self._most_bytes = most_bytes
        self._keeps_uploads = keeps_uploads

    def find(self, key: ResultKey) -> CachedResult | None:
        """The result, if it is here and whole; it then counts as just read, and so does what was sent to its job."""
        found = self.shelf.find(key.name)
        if found is None:
            return None
        label = io.BytesIO(found.label)
        try:
            told = json.loads(label.readline())
            sha256, causes = str(told["sha256"]), tuple(map(ErrorGroup.from_json, told["causes"]))
            index = RowIndex.read(label)
        except (ValueError, KeyError, TypeError):  # of another version of this
            return None
        self.shelf.touch(key.name)
        self.shelf.touch(_upload(key.job))
        return CachedResult(found.path, index, sha256, causes)

    @contextmanager
    def writing(self, key: ResultKey, delimiter: str) -> Iterator["ResultWriter"]:
        """For the time of a download, under its lock; what is not finished is gone afterwards.

        Args:
            key: names the result.
            delimiter: between its cells.
        """
        with self.shelf.writing(key.name) as draft:
            yield ResultWriter(draft, delimiter, tells_causes=key.kind == "failedResults")

    def upload(self, key: JobKey) -> ArchivedUpload | None:
        """What was sent to the job, if it is here and whole."""
        found = self.shelf.find(_upload(key))
        if found is None:
            return None
        try:
            return ArchivedUpload.from_json(found.path, json.loads(found.label))
        except ValueError:  # of another version of this
            return None

    def drop_upload(self, key: JobKey) -> None:
        """Remove what was sent to the job."""
        self.shelf.drop(_upload(key))

    def recorder(
        self, key: JobKey, content: PartContent
    ) -> Callable[[], AbstractContextManager[UploadRecorder]] | None:
        """Keeps what is sent to a job; None where nothing is to be kept."""
        if not self._keeps_uploads or not content.output.head.names:
            return None
        return lambda: recorder(lambda: self.shelf.writing(_upload(key)), content, self._most_bytes)

    def forget(self, org: str, job_id: str) -> None:
        """Remove all that is kept of a job."""
        self.shelf.remove(f"{_org_folder(org)}/{job_id[:15]}-*")
        for name in list(self.shelf.names(f"{_org_folder(org)}/{AGAIN}-*/*")):
            found = self.shelf.find(name)
            if found is None or job_id[:15].encode() in found.label:
                self.shelf.remove(PurePosixPath(name).parent.as_posix())


class ResultWriter:
    """A result that comes in.

    Args:
        draft: takes it.
        delimiter: between its cells.
        tells_causes: whether it is that of the failed rows.
    """

    def __init__(self, draft: NewFile, delimiter: str, *, tells_causes: bool) -> None:
        self._draft = draft
        self._delimiter = delimiter
        self._tells_causes = tells_causes
        self._index = IndexBuilder()
        self._sha256 = hashlib.sha256()
        self._rows = 0
        self._causes: ErrorGrouper | None = None

    def add(self, chunk: bytes) -> None:
        """More of its bytes."""
        self._draft.file.write(chunk)
        self._sha256.update(chunk)
        self._count(self._index.add(chunk))

    def finish(self) -> CachedResult:
        """After the last byte: it is whole.

        Raises:
            NothingCame: there was not even a header.
        """
        index, rows = self._index.finish()
        if not index.header:
            raise ResultNotReady
        self._count(rows)
        causes = tuple(self._causes.causes()) if self._causes else ()
        label = io.BytesIO()
        sha256 = self._sha256.hexdigest()
        told = {"sha256": sha256, "causes": [cause.as_json() for cause in causes]}
        label.write(json.dumps(told).encode() + b"\n")
        index.write(label)
        return CachedResult(self._draft.finish(label.getvalue()).path, index, sha256, causes)

    def _count(self, rows: list[bytes]) -> None:
        if not self._tells_causes or not rows:
            return
        if self._causes is None:
            self._causes = ErrorGrouper(parse_record(self._index.header, self._delimiter))
        for row in rows:
            self._causes.add(parse_record(row, self._delimiter), self._rows)
            self._rows += 1


def retry_name(org: str, *what: object) -> str:
    """Of the file of rows that are to be sent again.

    Args:
        org: host of the org.
        what: tells them from others.
    """
    return f"{_org_folder(org)}/{AGAIN}-{_digest(what)}/rows.csv"


def _upload(job: JobKey) -> str:
    return f"{job.folder}/{UPLOAD}"


def _org_folder(org: str) -> str:
    return _digest(org)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
