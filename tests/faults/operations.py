"""The operations of the matrix: how a cell comes to each with the tools, and what it calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.model_caller import INSERT, ModelCaller
from tests.faults.org import FaultyOrg
from tests.support.follower import Heard

LOCKED = 3

Data = dict[str, Any]
Call = Callable[[ModelCaller, Data], Awaitable[Heard]]
Prepare = Callable[[ModelCaller, FaultyOrg, Data], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A tool in a situation.

    Attributes:
        name: the tool, and what is special.
        requests: the operations of the org that it makes requests for.
        prepare: brings about the situation, before anything goes wrong.
        call: the call that is made while things go wrong.
        source: where the rows come from.
        loads: whether the caller wants all rows in the org in the end; else an answer is enough.
    """

    name: str
    requests: tuple[str, ...]
    prepare: Prepare
    call: Call
    source: str = "csv"
    loads: bool = True

    @property
    def answers(self) -> tuple[str, ...]:
        """The operations of the org whose answers may be wrong: an abort is a PATCH, as a close is."""
        return tuple({"abort": "close"}.get(request, request) for request in self.requests if request != "describe")


async def _nothing(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    pass


async def _open_job(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    await caller.call("create-ingest-job", body=INSERT)


async def _filled_job(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    await caller.call("create-ingest-job", body=INSERT, data=data)


async def _closed_job(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    await _filled_job(caller, org, data)
    await caller.call("close-abort-ingest-job", jobId=caller.job_id, body={"state": "UploadComplete"})


async def _ended_job(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    await _closed_job(caller, org, data)
    assert caller.job_id is not None
    org.caller.until(caller.job_id)


async def _job_with_failed_rows(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    org.go_wrong({"fault": "locked-rows", "times": LOCKED})
    await _ended_job(caller, org, data)
    await caller.call("get-ingest-job-status", jobId=caller.job_id, waitSeconds=1)
    org.go_right()


async def _aborted_job(caller: ModelCaller, org: FaultyOrg, data: Data) -> None:
    await _filled_job(caller, org, data)
    await _abort(caller, data)


async def _list(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call("list-all-ingest-jobs", jobType="V2Ingest")


async def _create(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call("create-ingest-job", body=INSERT)


async def _create_filled(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call("create-ingest-job", body=INSERT, data=data)


async def _upload(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call("upload-data-ingest-job", jobId=caller.job_id, body=data)


async def _close(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call(
        "close-abort-ingest-job", jobId=caller.job_id, body={"state": "UploadComplete"}, waitSeconds=1
    )


async def _abort(caller: ModelCaller, data: Data) -> Heard:
    return await caller.call("close-abort-ingest-job", jobId=caller.job_id, body={"state": "Aborted"})


def _of_job(tool: str, **options: Any) -> Call:
    async def call(caller: ModelCaller, data: Data) -> Heard:
        return await caller.call(tool, jobId=caller.job_id, **options)

    return call


STATUS = _of_job("get-ingest-job-status", waitSeconds=1)
DELETE = _of_job("delete-ingest-job")
FAILED = _of_job("get-failed-results-ingest-job")
SUCCESSFUL = _of_job("get-successful-results-ingest-job")
UNPROCESSED = _of_job("get-unprocessed-records-ingest-job")

OPERATIONS: tuple[Operation, ...] = (
    Operation("list", ("list",), _ended_job, _list, loads=False),
    Operation("create", ("create",), _nothing, _create),
    Operation("create-csv", ("create", "upload", "describe"), _nothing, _create_filled),
    Operation("create-records", ("create", "upload"), _nothing, _create_filled, source="records"),
    Operation("create-file", ("create", "upload"), _nothing, _create_filled, source="file"),
    Operation(
        "create-rowsOf", ("create", "upload", "status", "unprocessedrecords"), _nothing, _create_filled, source="rowsOf"
    ),
    Operation("upload-csv", ("upload", "status", "describe"), _open_job, _upload),
    Operation("upload-records", ("upload",), _open_job, _upload, source="records"),
    Operation("upload-file", ("upload",), _open_job, _upload, source="file"),
    Operation("upload-rowsOf", ("upload", "unprocessedrecords"), _open_job, _upload, source="rowsOf"),
    Operation("close", ("close", "status"), _filled_job, _close),
    Operation("abort", ("abort", "status"), _filled_job, _abort),
    Operation("status", ("status",), _closed_job, STATUS),
    Operation("delete", ("delete",), _ended_job, DELETE, loads=False),
    Operation("failed", ("failedResults", "status"), _job_with_failed_rows, FAILED),
    Operation("successful", ("successfulResults", "status"), _ended_job, SUCCESSFUL, loads=False),
    Operation("unprocessed", ("unprocessedrecords", "status"), _aborted_job, UNPROCESSED),
)
"""Every tool; with each source of rows where rows are given."""
