"""Rows that went into a job which ended without trying a row may go again, however that job ended and whatever became of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import INGEST, Caller, calling
from tests.support.asgi_server import running
from tests.support.orgs import agent, call, loaded, refusal

INSERT = {"object": "Account", "operation": "insert"}
ROWS = "Name,Phone\n" + "".join(f"{'' if n % 3 == 0 else f'Row {n}'},{n}\n" for n in range(1, 22))
"""21 rows, of which 7 have no name, without which Salesforce refuses them."""
WITHOUT_NAME = 7


@dataclass
class Telling:
    """An org that tells of some jobs, by id, other values than it has: None for a value that it leaves out."""

    org: ASGIApp
    told: dict[str, dict[str, object]] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        folder, _, job_id = scope.get("path", "").rpartition("/")
        changes = self.told.get(job_id[:15]) if folder == INGEST else None
        if changes is None or scope["method"] != "GET":
            return await self.org(scope, receive, send)
        start: Message = {}

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            job = {**json.loads(message["body"]), **changes}
            body = json.dumps({name: value for name, value in job.items() if value is not None}).encode()
            start["headers"] = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.org(scope, receive, changed)


@dataclass(frozen=True)
class Org:
    """An org that tells what a test wants, the direct way to it, and the folder of the server's records."""

    url: str
    telling: Telling
    direct: Caller
    folder: Path

    @property
    def named(self) -> int:
        """How many of the rows that were sent again are records."""
        return self.direct.count("Name = 'Named'")


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    telling = Telling(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    with running(telling) as url, calling(url) as direct:
        yield Org(url, telling, direct, tmp_path)


def named(job: str, **more: Any) -> dict[str, Any]:
    """The arguments of a create that sends the failed rows of a job again, with a name."""
    rows_of = {"jobs": [job], "which": ["failed"], **more}
    return {"body": INSERT, "data": {"rowsOf": rows_of, "set": {"Name": "Named"}}, "preflight": "off"}


async def sent_again(client: Client, job: str, **more: Any) -> str:
    """The id of a new, open job with the failed rows of a job."""
    return str((await call(client, "create-ingest-job", **named(job, **more)))["id"])


async def end(client: Client, job: str, state: str) -> None:
    await call(client, "close-abort-ingest-job", jobId=job, body={"state": state}, waitSeconds=30)


async def two_jobs(org: Org, state: str) -> tuple[str, str]:
    """The id of a job with failed rows, and of the job in which they were sent again, which was closed or aborted."""
    async with agent(org.url, folder=org.folder) as client:
        first = await loaded(client, ROWS, preflight="off")
        second = await sent_again(client, first)
        await end(client, second, state)
    return first, second


NOTHING_TRIED: list[dict[str, object]] = [
    {"state": "JobComplete", "numberRecordsProcessed": 0},
    {"state": "Failed", "numberRecordsProcessed": 0},
    {"state": "Aborted", "numberRecordsProcessed": 0},
    {"state": "JobComplete", "numberRecordsProcessed": None},
    {"state": "Failed", "numberRecordsProcessed": None},
    {"state": "Aborted", "numberRecordsProcessed": None},
]


@pytest.mark.parametrize(
    "told", NOTHING_TRIED, ids=[f"{t['state']} {t['numberRecordsProcessed']}" for t in NOTHING_TRIED]
)
async def test_rows_of_a_job_that_ended_without_trying_one_go_again(org: Org, told: dict[str, object]) -> None:
    first, second = await two_jobs(org, "Aborted")
    org.telling.told[second[:15]] = told
    async with agent(org.url, folder=org.folder) as client:
        await end(client, await sent_again(client, first), "UploadComplete")
    assert org.named == WITHOUT_NAME


@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted"])
async def test_rows_of_a_job_that_tells_no_count_stay_where_its_results_have_rows(org: Org, state: str) -> None:
    first, second = await two_jobs(org, "UploadComplete")
    org.telling.told[second[:15]] = {"state": state, "numberRecordsProcessed": None}
    async with agent(org.url, folder=org.folder) as client:
        assert "were sent again before" in await refusal(client, "create-ingest-job", **named(first))
    assert org.named == WITHOUT_NAME


@pytest.mark.parametrize(
    "fault", [{"fault": "no-content"}, {"fault": "blank-results"}, {"fault": "answer", "status": 404}]
)
async def test_rows_of_a_job_that_tells_no_count_stay_where_its_results_tell_nothing(
    org: Org, fault: dict[str, Any]
) -> None:
    first, second = await two_jobs(org, "Aborted")
    org.telling.told[second[:15]] = {"numberRecordsProcessed": None}
    org.direct.go_wrong({"on": "successfulResults", **fault})
    async with agent(org.url, folder=org.folder) as client:
        assert "were sent again before" in await refusal(client, "create-ingest-job", **named(first))


async def test_rows_of_a_job_that_tried_none_go_again_after_it_was_deleted(org: Org) -> None:
    first, second = await two_jobs(org, "Aborted")
    async with agent(org.url, folder=org.folder) as client:
        assert (await call(client, "delete-ingest-job", jobId=second))["deleted"]
    async with agent(org.url, folder=org.folder) as client:
        await end(client, await sent_again(client, first), "UploadComplete")
    async with agent(org.url, folder=org.folder) as client:
        assert "were sent again before" in await refusal(client, "create-ingest-job", **named(first))
    assert org.named == WITHOUT_NAME


async def test_rows_of_a_job_that_loaded_them_stay_after_it_was_deleted(org: Org) -> None:
    first, second = await two_jobs(org, "UploadComplete")
    async with agent(org.url, folder=org.folder) as client:
        assert (await call(client, "delete-ingest-job", jobId=second))["deleted"]
        assert f"into job {second[:15]}." in await refusal(client, "create-ingest-job", **named(first))
    assert org.named == WITHOUT_NAME


@pytest.mark.parametrize("state", ["Aborted", "UploadComplete"])
async def test_rows_of_a_job_that_was_deleted_elsewhere_go_only_where_that_is_meant(org: Org, state: str) -> None:
    first, second = await two_jobs(org, state)
    assert org.direct.http.delete(f"{INGEST}/{second}").status_code == 204
    async with agent(org.url, folder=org.folder) as client:
        text = await refusal(client, "create-ingest-job", **named(first))
        assert f"into job {second[:15]} (which is gone, so it is not known whether it loaded them)" in text
        await end(client, await sent_again(client, first, again=True), "UploadComplete")
    assert org.named == WITHOUT_NAME * (1 + (state == "UploadComplete"))
