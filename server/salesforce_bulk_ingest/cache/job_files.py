"""What is kept of jobs on this machine: results that were downloaded once, what was sent, and what was made of both."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from salesforce_bulk_ingest.cache.file_cache import FileCache
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, UploadRecorder, recorder
from salesforce_bulk_ingest.loading.part_content import PartContent
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


class JobFiles:
    """The files of jobs in one cache; its methods block.

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
        self.files = FileCache(folder, most_bytes=most_bytes, most_seconds=most_seconds, now=now)
        self._most_bytes = most_bytes
        self._keeps_uploads = keeps_uploads

    def touch(self, key: ResultKey) -> None:
        """Count a result as just read, and what was sent to its job with it."""
        self.files.touch(key.name)
        self.files.touch(_upload(key.job))

    def upload(self, key: JobKey) -> ArchivedUpload | None:
        """What was sent to the job, if it is here and whole."""
        found = self.files.find(_upload(key))
        if found is None:
            return None
        try:
            return ArchivedUpload.from_json(found.path, json.loads(found.label))
        except ValueError:  # of another version of this
            return None

    def drop_upload(self, key: JobKey) -> None:
        """Remove what was sent to the job."""
        self.files.drop(_upload(key))

    def recorder(
        self, key: JobKey, content: PartContent
    ) -> Callable[[], AbstractContextManager[UploadRecorder]] | None:
        """Keeps what is sent to a job; None where nothing is to be kept."""
        if not self._keeps_uploads or not content.mapped_source.header.names:
            return None
        return lambda: recorder(lambda: self.files.writing(_upload(key)), content, self._most_bytes)

    def forget(self, org: str, job_id: str) -> None:
        """Remove all that is kept of a job."""
        self.files.remove(f"{_org_folder(org)}/{job_id[:15]}-*")
        for name in list(self.files.names(f"{_org_folder(org)}/{AGAIN}-*/*")):
            found = self.files.find(name)
            if found is None or job_id[:15].encode() in found.label:
                self.files.remove(PurePosixPath(name).parent.as_posix())


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
