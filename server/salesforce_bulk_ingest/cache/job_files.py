"""The cached files of jobs: downloaded results, archived uploads, before-images, results in source order, retry files."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from salesforce_bulk_ingest.cache.file_cache import FileCache
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, UploadOrigin
from salesforce_bulk_ingest.cache.upload_archiver import ArchivedContent
from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id, long_job_id
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

logger = logging.getLogger(__name__)

UPLOAD_FILE = "upload.csv.gz"
BEFORE_FILE = "before.csv"
RETRY_FOLDER = "again"
RETRY_FILE = "rows.csv"
SHORT = ".short"
ROWS_FILES: Mapping[ResultKind, str] = {
    "failedResults": "failed-rows.csv",
    "successfulResults": "successful-rows.csv",
    "unprocessedrecords": "unprocessed-rows.csv",
}
"""The names of results in source order, after the id of their job; people look for them."""

LEAST_RESULT_BYTES = 10_000_000
"""The least limit of one result: a cache that is smaller than that takes it all the same, for as long as a call needs it."""


@dataclass(frozen=True, slots=True)
class JobKey:
    """Identifies one job of one org.

    Attributes:
        org: key of the org.
        job: job id of 15 characters, id of the user who created the job, and its creation time: a refreshed sandbox may
            have another job with the same id.
    """

    org: str
    job: tuple[str | None, ...]

    @classmethod
    def of(cls, org: str, job: Job) -> Self:
        """Return the key of a job, the same in every state of the job.

        The id of the user stands for the organisation: ids of users differ between organisations, and no other call is
        needed to learn the id.
        """
        return cls(org, (checked_job_id(job.id)[:15], job.created_by_id, job.created_date))

    @property
    def folder(self) -> str:
        """The folder of all files of the job."""
        return f"{_org_folder(self.org)}/{self.job[0]}-{_digest(self.job)}"

    @property
    def upload_name(self) -> str:
        """The name of the archived upload."""
        return f"{self.folder}/{UPLOAD_FILE}"

    @property
    def before_name(self) -> str:
        """The name of the before-image: what the records held before the job wrote to them."""
        return f"{self.folder}/{BEFORE_FILE}"

    def rows_name(self, sobject: str | None, kind: ResultKind) -> str:
        """Return the name of a result in source order, in a folder that people find: by object, day and id of the job.

        Args:
            sobject: the object of the job.
            kind: the kind of the result.
        """
        job_id, _, created = self.job
        long_id = long_job_id(str(job_id))
        # Both come from the org: other texts are no part of a path.
        name = sobject if sobject is not None and _OBJECT.fullmatch(sobject) else "Object"
        day = _DAY.match(created or "")
        folder = f"{name}-{day[0] if day else UNDATED}-{long_id}"
        return f"{_org_folder(self.org)}/{folder}/{long_id}-{ROWS_FILES[kind]}"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Identifies one result of one job that has ended.

    Attributes:
        job: key of the job.
        ended: `systemModstamp` of the job, which changes whenever the job does.
        kind: kind of the result.
        sobject: object of the job.
    """

    job: JobKey
    ended: str | None
    kind: ResultKind
    sobject: str | None = None

    @classmethod
    def of(cls, org: str, job: Job, kind: ResultKind) -> Self:
        """Return the key of a result of a job that has ended."""
        return cls(JobKey.of(org, job), job.system_modstamp, kind, job.object)

    @property
    def name(self) -> str:
        """The name of the downloaded result."""
        return f"{self.folder}/{self.kind}.csv"

    @property
    def short_name(self) -> str:
        """The name of a download that is not known to be the whole result."""
        return f"{self.name}{SHORT}"

    @property
    def source_order_name(self) -> str:
        """The name of the result in source order; its label tells of which result and upload it is."""
        return self.job.rows_name(self.sobject, self.kind)

    @property
    def folder(self) -> str:
        """The folder of the downloaded result."""
        return f"{self.job.folder}/{_digest(self.ended)}"


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A folder of cached files.

    Attributes:
        name: name of the folder in the cache.
        job_id: id of the job whose results and upload are there, of 15 characters; None for a retry file, which may have
            rows of several jobs.
        sizes: number of bytes of each file.
    """

    name: str
    job_id: str | None
    sizes: tuple[int, ...]


class JobFiles:
    """The cached files of jobs; every method blocks, and raises OSError where the folder can't be used.

    Args:
        folder: the folder, made on first use and readable by this user alone.
        most_bytes: limit of all files together; the files that were read longest ago are removed first.
        most_seconds: how long a file is kept after it was last read.
        keeps_uploads: whether uploads are archived.
        now: the clock, in seconds since 1970.

    Attributes:
        files: the file cache in the folder.
        most_result_bytes: the most bytes of one result.
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
        self.most_result_bytes = max(most_bytes, LEAST_RESULT_BYTES)
        self._most_bytes = most_bytes
        self._keeps_uploads = keeps_uploads

    def adopt(self, org: Org) -> None:
        """Move what was kept under the host of an org to its organization, unless something is kept there."""
        self.files.rename_folder(_org_folder(org.host), _org_folder(org.key))

    def scan(self) -> None:
        """Find the files that an earlier version made; see `FileCache.scan`."""
        try:
            self.files.scan()
        except OSError as error:
            logger.warning("the cached files can't be looked through: %s", error)

    def touch(self, key: ResultKey) -> None:
        """Count a result and the upload of its job as read just now."""
        self.files.touch(key.name)
        self.files.touch(key.job.upload_name)

    def find_upload(self, key: JobKey) -> ArchivedUpload | None:
        """Return the archived upload of the job, or None if there is none that is whole."""
        cached = self.files.find(key.upload_name)
        if cached is None:
            return None
        try:
            return ArchivedUpload(cached.path, UploadOrigin.from_json(cached.label), cached.use)
        except ValueError:  # another version of this program wrote it
            return None

    def remove_upload(self, key: JobKey) -> None:
        """Remove the archived upload of the job, if there is one."""
        self.files.remove(key.upload_name)

    def archived(self, key: JobKey, content: PartContent) -> PartContent | ArchivedContent:
        """Return content that is archived while it is sent, or the content itself where it is not to be archived."""
        if not self._keeps_uploads or not content.mapped_source.header.names:
            return content
        return ArchivedContent(content, self.files, key.upload_name, self._most_bytes)

    def kept(self, job_id: str | None = None, orgs: Collection[str] | None = None) -> list[KeptFolder]:
        """Return the folders of what is kept: of one job, with the retry files that have rows of it, or of all.

        Args:
            job_id: id of the job; None for all jobs.
            orgs: keys of the orgs; None for all orgs.

        Raises:
            InvalidJobId: this is not the id of a job.
        """
        job = None if job_id is None else checked_job_id(job_id)[:15]
        of_orgs = None if orgs is None else set(map(_org_folder, orgs))
        names = (name for name in self.files.folders() if of_orgs is None or name.partition("/")[0] in of_orgs)
        found = (KeptFolder(name, _job_of(name), tuple(self.files.sizes(name))) for name in names)
        return [folder for folder in found if folder.sizes and (job is None or self._may_have_rows_of(folder, job))]

    def forget(self, org: str, job_id: str) -> None:
        """Remove all files of a job, and all retry files with rows of it."""
        job_id = checked_job_id(job_id)
        for folder in self.files.folders():
            if folder.startswith(f"{_org_folder(org)}/") and _job_of(folder) == job_id[:15]:
                self.files.remove_folders(folder)
        for name in self.files.names(f"{_org_folder(org)}/{RETRY_FOLDER}-"):
            if self._may_resend_rows_of(name, job_id[:15]):
                self.files.remove_folders(PurePosixPath(name).parent.as_posix())

    def _may_have_rows_of(self, folder: KeptFolder, job: str) -> bool:
        """Return whether a folder is that of a job, or that of a retry file which may have rows of it."""
        if folder.job_id is not None:
            return folder.job_id == job
        return self._may_resend_rows_of(f"{folder.name}/{RETRY_FILE}", job)

    def _may_resend_rows_of(self, name: str, job: str) -> bool:
        """Return whether a retry file may have rows of a job: one that is not whole may have rows of any."""
        cached = self.files.find(name)
        return cached is None or job.encode() in cached.label


def retry_name(org: str, *request: object) -> str:
    """Return the name of a retry file.

    Args:
        org: key of the org.
        request: values that identify the requested rows; values with equal texts (`repr`) name the same file.
    """
    return f"{_org_folder(org)}/{RETRY_FOLDER}-{_digest(request)}/{RETRY_FILE}"


def _job_of(folder: str) -> str | None:
    """Return the id of the job whose folder it is, or None for that of a retry file."""
    name = PurePosixPath(folder).name
    of_rows = _ROWS_FOLDER.fullmatch(name)
    if of_rows is not None:
        return of_rows[1]
    return None if name.startswith(f"{RETRY_FOLDER}-") else name.partition("-")[0]


UNDATED = "undated"
_OBJECT = re.compile(r"[A-Za-z]\w{0,99}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ROWS_FOLDER = re.compile(
    rf"{_OBJECT.pattern}-(?:{_DAY.pattern}|{UNDATED})-(750[0-9A-Za-z]{{12}})[0-9A-Z]{{3}}", re.ASCII
)


def _org_folder(org: str) -> str:
    return _digest(org)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
