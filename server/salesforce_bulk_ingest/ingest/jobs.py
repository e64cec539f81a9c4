"""The nine operations, as a caller that wants answers uses them (callers that want bytes use the gateway)."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio

from salesforce_bulk_ingest.ingest.budget import Budget
from salesforce_bulk_ingest.ingest.errors import UploadConflict
from salesforce_bulk_ingest.ingest.job_ids import checked_job_id
from salesforce_bulk_ingest.ingest.ledger import Ledger, Upload
from salesforce_bulk_ingest.ingest.org import Org, org_at
from salesforce_bulk_ingest.ingest.policy import Policy
from salesforce_bulk_ingest.ingest.results import Page, PageReader
from salesforce_bulk_ingest.ingest.rows import RowSource
from salesforce_bulk_ingest.ingest.transfers import Transfer, Transfers
from salesforce_bulk_ingest.ingest.waiting import Report, Sleep, wait_until_terminal
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, NotFound, Rejected, Unreachable, WrongState
from salesforce_bulk_ingest.salesforce.models import Job, JobType, ResultKind

CALL_SECONDS = 45.0
"""No call lasts longer: hosts give up at 60 s, and a call that a host gave up on tells nobody anything."""

NEWEST_SHOWN = 25
MARGIN_SECONDS = 2.0

TargetState = Literal["UploadComplete", "Aborted"]
UploadStatus = Literal["uploaded", "already uploaded", "in progress"]


@dataclass(frozen=True, slots=True)
class JobListing:
    """The newest jobs of one page of the org's list.

    Attributes:
        newest: at most 25, the newest first.
        states: how many jobs of the page are in which state.
        on_page: jobs on the page.
        query_locator: for the next page, or none.
    """

    newest: tuple[Job, ...]
    states: Mapping[str, int]
    on_page: int
    query_locator: str | None


@dataclass(frozen=True, slots=True)
class StateChange:
    """A job after a close or an abort; `changed` is false where it already was there."""

    job: Job
    changed: bool


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """What became of an upload."""

    job: Job
    status: UploadStatus
    bytes: int
    rows: int
    sha256: str


class IngestJobs:
    """The operations on one org, under one policy.

    Every method raises `SalesforceError` for what Salesforce or the way there refused, and `IngestError` for what this
    server refuses.
    """

    def __init__(
        self,
        client: SalesforceClient,
        policy: Policy,
        ledger: Ledger,
        transfers: Transfers,
        *,
        embedded: bool,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._transfers = transfers
        self._embedded = embedded
        self._sleep = sleep
        self._starting = anyio.Lock()
        self.policy = policy

    async def org(self) -> Org:
        """The org that these operations go to."""
        return org_at(await self._client.instance_url(), embedded=self._embedded)

    async def list(
        self, *, pk_chunking: bool | None = None, job_type: JobType | None = None, query_locator: str | None = None
    ) -> JobListing:
        """One page of the org's jobs, cut to the newest."""
        filters = {
            "isPkChunkingEnabled": None if pk_chunking is None else str(pk_chunking).lower(),
            "jobType": job_type,
            "queryLocator": query_locator,
        }
        page = await self._client.list_jobs(urlencode({name: value for name, value in filters.items() if value}))
        newest = sorted(page.records, key=lambda job: job.created_date or "", reverse=True)
        return JobListing(
            newest=tuple(newest[:NEWEST_SHOWN]),
            states=Counter(job.state for job in page.records),
            on_page=len(page.records),
            query_locator=None if page.done else _locator(page.next_records_url),
        )

    async def create(self, body: Mapping[str, object]) -> Job:
        """Make a job from Salesforce's own create request."""
        self.policy.check_write()
        operation = body.get("operation")
        self.policy.check_operation(operation if isinstance(operation, str) else None)
        return await self._client.create_job(body)

    async def status(self, job_id: str, *, wait_seconds: float = 0, report: Report) -> Job:
        """The job now, or when it is done, or when the time is up."""
        job = await self._client.get_job(checked_job_id(job_id))
        return await self._waited(job, wait_seconds, report)

    async def change_state(
        self, job_id: str, state: TargetState, *, wait_seconds: float = 0, report: Report
    ) -> StateChange:
        """Close or abort the job. A job that is already there stays as it is."""
        self.policy.check_write()
        job = await self._client.get_job(checked_job_id(job_id))
        if state == "UploadComplete":
            self.policy.check_operation(job.operation)
            if self._transfers.get(job_id):
                raise UploadConflict("The upload to this job is still under way, so it is not closed yet.")
        changed = not _already(job, state)
        if changed:
            short = await self._client.set_state(job_id, state)
            job = job.model_copy(update=short.model_dump(exclude_unset=True))
        return StateChange(await self._waited(job, wait_seconds, report), changed)

    async def delete(self, job_id: str) -> bool:
        """Remove the job from the org; false where there was none."""
        self.policy.check_write()
        try:
            await self._client.delete_job(checked_job_id(job_id))
        except NotFound:
            return False
        await self._ledger.forget(await self._client.instance_url(), job_id)
        return True

    async def upload(self, job_id: str, source: RowSource) -> UploadOutcome:
        """Send the job's rows, once. The same rows again only report; an upload under way is joined.

        Raises:
            UploadConflict: the job has other data, or an earlier upload was cut off.
            WrongState: the job is not open.
        """
        self.policy.check_write()
        job = await self._client.get_job(checked_job_id(job_id))
        content = source.encode(job)
        digest = hashlib.sha256(content).hexdigest()
        transfer = await self._joined_or_started(job, content, digest)
        status: UploadStatus = "already uploaded"
        if transfer is not None:
            status = "uploaded" if await transfer.wait(_seconds_left()) else "in progress"
        return UploadOutcome(job, status, len(content), source.count_rows(job), digest)

    async def page(self, job_id: str, kind: ResultKind, *, offset: int, budget: Budget) -> tuple[Job, Page]:
        """A page of one result, with the causes where rows failed."""
        job = await self._client.get_job(checked_job_id(job_id))
        reader = PageReader(job.delimiter, offset, budget, whole=kind == "failedResults")
        with anyio.move_on_after(_seconds_left()):
            async with self._client.results(job_id, kind) as chunks:
                await reader.read(chunks)
        return job, reader.page()

    async def _waited(self, job: Job, seconds: float, report: Report) -> Job:
        async def read() -> Job:
            return await self._client.get_job(job.id)

        return await wait_until_terminal(job, read, report, min(seconds, _seconds_left()), sleep=self._sleep)

    async def _joined_or_started(self, job: Job, content: bytes, digest: str) -> Transfer | None:
        """The transfer to wait for, or None where Salesforce already has these rows."""
        org = await self._client.instance_url()
        # One at a time: two calls must not both find nothing and both send.
        async with self._starting:
            running = self._transfers.get(job.id)
            if running is not None:
                _check_same(running.sha256, digest)
                return running
            earlier = await self._ledger.find(org, job.id)
            if earlier is not None:
                _check_same(earlier.sha256, digest)
                if earlier.state == "sent":
                    return None
                raise UploadConflict(
                    "An earlier upload of these rows was cut off, and Salesforce may or may not have them."
                )
            if job.state != "Open":
                raise WrongState(
                    400, "INVALIDJOBSTATE", f"The job is {job.state}; it takes rows only while it is Open."
                )
            return self._transfers.start(job.id, digest, len(content), lambda: self._send(org, job.id, content, digest))

    async def _send(self, org: str, job_id: str, content: bytes, digest: str) -> None:
        await self._ledger.record(org, job_id, Upload("sending", digest, len(content)))
        try:
            await self._client.upload(job_id, content)
        except (Rejected, Unreachable, NoCredentials) as error:
            if _took_nothing(error):
                await self._ledger.forget(org, job_id)
            raise
        await self._ledger.record(org, job_id, Upload("sent", digest, len(content)))


def _already(job: Job, state: TargetState) -> bool:
    if state == "Aborted":
        return job.state == "Aborted"
    return job.state in {"UploadComplete", "InProgress", "JobComplete"}


def _check_same(known: str, digest: str) -> None:
    if known != digest:
        raise UploadConflict("This job already has other rows, and Salesforce takes rows once for each job.")


def _took_nothing(error: Rejected | Unreachable | NoCredentials) -> bool:
    """Whether it is certain that Salesforce kept no rows; a refusal with 5xx or a lost answer is not."""
    if isinstance(error, Rejected):
        return error.status < 500
    return isinstance(error, NoCredentials) or error.nothing_sent


def _seconds_left() -> float:
    """Time to spend inside the current call, with a margin to answer in."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return max(min(left, CALL_SECONDS) - MARGIN_SECONDS, 0)


def _locator(next_records_url: str | None) -> str | None:
    if next_records_url is None or next_records_url.lower() == "null":
        return None
    return parse_qs(urlsplit(next_records_url).query).get("queryLocator", [None])[0]
