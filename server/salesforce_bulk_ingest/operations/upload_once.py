"""Rows go into a job once: what is on its way, what went before, and what is therefore refused."""

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import anyio.lowlevel

from salesforce_bulk_ingest.base.errors import (
    IngestError,
    InvalidArgument,
    NoRecord,
    SentAgain,
    UploadConflict,
    UploadUnclear,
    UploadUnderWay,
)
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.operations.transfers import Content, Transfer, Transfers
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, Rejected, SalesforceError, Unreachable, WrongState
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org, org_at

UNKNOWN_DIGEST = ""
"""Of rows that streamed through the gateway, which looks at none of them."""

MOST_REMEMBERED = 10_000

UploadState = Literal["unknown", "under way", "unclear", "taken"]
"""Of an upload that this server knows of: another may have sent rows that it knows nothing of."""

UploadStatus = Literal["uploaded", "already uploaded", "in progress"]


class Uploads:
    """The uploads to one org.

    Args:
        client: sends them.
        ledger: what is known of earlier ones.
        transfers: those on their way.
        embedded: whether the org is the embedded one, which has another address at every start.
    """

    def __init__(self, client: SalesforceClient, ledger: Ledger, transfers: Transfers, *, embedded: bool) -> None:
        self._client = client
        self._ledger = ledger
        self._transfers = transfers
        self._embedded = embedded
        self._starting = anyio.Lock()
        self._passing: Counter[str] = Counter()
        self._taken_here: OrderedDict[tuple[str, str], UploadRecord] = OrderedDict()

    async def org(self) -> Org:
        """The org that they go to."""
        return org_at(await self._client.instance_url(), embedded=self._embedded)

    async def state_of(self, job_id: str) -> UploadState:
        """What is known of the job's rows."""
        earlier = await self._known(await self._key(), job_id)
        # Looked at after the record, so that an upload that begins meanwhile is not taken for one that was cut off.
        if self._transfers.get(job_id) is not None or job_id[:15] in self._passing:
            return "under way"
        if earlier is None:
            return "unknown"
        return "taken" if earlier.state == "sent" else "unclear"

    async def check_closable(self, job_id: str) -> None:
        """Raises UploadConflict while rows are on their way to the job, or where it is unclear whether they arrived."""
        state = await self.state_of(job_id)
        if state == "under way":
            raise UploadUnderWay("The upload to this job is still under way, so it is not closed yet.")
        if state == "unclear":
            raise _cut_off()

    async def begin(
        self, job: Job, content: Content, settle: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
    ) -> tuple[Transfer, UploadStatus]:
        """Send the rows in the background, or join the upload that does.

        Args:
            job: where they go.
            content: the rows.
            settle: called once this upload has the job, before anything is sent; what it raises ends the upload.

        Returns:
            The transfer, and "in progress", or "already uploaded" where Salesforce has these rows.

        Raises:
            UploadConflict: the job has other rows, or an earlier upload was cut off.
            WrongState: the job takes no rows any more.
        """
        transfer = Transfer(content)
        key = await self._key()
        # One at a time: two calls must not both find nothing and both send.
        async with self._starting:
            running = self._transfers.get(job.id)
            if running is not None:
                _check_same(job, running.sha256, transfer)
                return running, "in progress"
            if job.id[:15] in self._passing:
                raise UploadUnderWay("Rows are on their way to this job through /v1, and Salesforce takes rows once.")
            earlier = await self._earlier(key, job, transfer)
            if earlier is None and job.state != "Open":
                raise _closed(job)
            if earlier is not None:
                _check_same(job, earlier.sha256, transfer)
                if earlier.state == "sending":
                    raise _cut_off() if job.state == "Open" else _closed(job)
                return transfer, "already uploaded"
            try:
                await settle()
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await self._ledger.release(key, job.id)
                raise
            self._transfers.start(job.id, transfer, lambda started: self._send(key, job.id, started))
            return transfer, "in progress"

    @asynccontextmanager
    async def passing(self, job_id: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """For the time that rows stream to the job through the gateway; yields what to call once they are taken."""
        key, job = await self._key(), job_id[:15]

        async def taken() -> None:
            await self._remember(key, job_id, UploadRecord("sent", UNKNOWN_DIGEST, 0))

        self._passing[job] += 1
        try:
            yield taken
        finally:
            self._passing -= Counter({job: 1})  # a count of none is dropped

    async def forget(self, job_id: str) -> None:
        """The job is gone."""
        key = await self._key()
        self._taken_here.pop((key, job_id[:15]), None)
        await self._ledger.forget(key, job_id)

    async def _key(self) -> str:
        return (await self.org()).host

    async def _earlier(self, key: str, job: Job, transfer: Transfer) -> UploadRecord | None:
        """What went before; if nothing did and the job is open, this upload has the job from now on."""
        known = self._taken_here.get((key, job.id[:15]))
        if known is not None:
            return known
        if job.state != "Open":
            return await self._ledger.find(key, job.id)
        return await self._ledger.claim(key, job.id, UploadRecord("sending", transfer.sha256, transfer.content.size))

    async def _send(self, key: str, job_id: str, transfer: Transfer) -> None:
        size = transfer.content.size
        try:
            await self._client.upload(job_id, transfer, size)
        except (SalesforceError, InvalidArgument) as error:
            if took_nothing(error):
                await self._ledger.release(key, job_id)
            raise
        await self._remember(key, job_id, UploadRecord("sent", transfer.sha256, size))

    async def _known(self, key: str, job_id: str) -> UploadRecord | None:
        return self._taken_here.get((key, job_id[:15])) or await self._ledger.find(key, job_id)

    async def _remember(self, key: str, job_id: str, upload: UploadRecord) -> None:
        """In this process first: the record on disk may be locked or broken just now."""
        self._taken_here[key, job_id[:15]] = upload
        if len(self._taken_here) > MOST_REMEMBERED:
            self._taken_here.popitem(last=False)
        await self._ledger.record(key, job_id, upload)


def _check_same(job: Job, known: str, transfer: Transfer) -> None:
    if known == transfer.sha256:
        return
    if job.state != "Open":
        raise _closed(job)
    if known == UNKNOWN_DIGEST:
        raise UploadConflict(
            "This job already has rows, sent through /v1, and Salesforce takes rows once for each job."
        )
    raise UploadConflict("This job already has other rows, and Salesforce takes rows once for each job.")


def _cut_off() -> UploadUnclear:
    return UploadUnclear(
        "An upload to this job was cut off or not clearly answered, or goes on in another server: Salesforce may or may not "
        "have its rows."
    )


def _closed(job: Job) -> WrongState:
    return WrongState(400, "INVALIDJOBSTATE", f"The job is {job.state}; it takes rows only while it is Open.")


def took_nothing(error: SalesforceError | IngestError) -> bool:
    """Whether it is certain that Salesforce kept no rows; a refusal with 5xx, a lost or a strange answer is not.

    An upload whose source could not be read to its end was broken off, and is not taken for whole by anybody.
    """
    if isinstance(error, InvalidArgument | SentAgain | NoRecord):
        return True
    if isinstance(error, Rejected):
        return error.status < 500
    return isinstance(error, NoCredentials) or (isinstance(error, Unreachable) and error.nothing_sent)
