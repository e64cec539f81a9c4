"""A client that shows dialogs asks the person about a close, in both generations of the protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.base.caller import ANONYMOUS, called_by
from salesforce_bulk_ingest.mcp_server.tool_errors import ActionableTool
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import ERAS, Era, call, paths_in, refusal, steady
from tests.support.watched_org import WatchedOrg

DELETE = {"object": "Account", "operation": "delete"}
CLOSE = {"state": "UploadComplete"}
ROWS = {"csv": "Id\n001000000000001AAA\n001000000000002AAA\n"}

Answer = Literal["accept", "decline", "cancel"]


class Person:
    """A person in front of a client: answers each dialog, and remembers what it said."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams) and params.requested_schema["properties"] == {}
        self.asked.append(params.message)
        if not self._answers:
            await anyio.sleep_forever()
        return ElicitResult(action=self._answers.pop(0))


@asynccontextmanager
async def client_of(
    person: Person, org: WatchedOrg, folder: Path, era: Era, *, seconds: float = 45, **settings: Any
) -> AsyncIterator[Client]:
    """A client with dialogs, of a server where a person has to confirm a delete."""
    chosen = Settings(**{"emulator": True, "confirm": ("delete",), **settings})
    async with open_services(chosen, paths_in(folder), EmbeddedOrg(org.url, folder)) as services:
        server = build_mcp(services, None)
        tool = server._tool_manager.get_tool("close-abort-ingest-job")
        assert isinstance(tool, ActionableTool)
        tool.longest_call_seconds = seconds
        async with Client(server, mode=era, elicitation_callback=person) as client:
            yield client


async def filled_delete(client: Client, org: WatchedOrg) -> str:
    job_id = str((await call(client, "create-ingest-job", body=DELETE, data=ROWS))["id"])
    org.forget()
    return job_id


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_who_accepts_closes_the_job(era: Era, org: WatchedOrg, tmp_path: Path) -> None:
    person = Person("accept")
    async with client_of(person, org, tmp_path, era) as client:
        job_id = await filled_delete(client, org)
        closed = await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
    assert closed["state"] == "UploadComplete"
    (asked,) = person.asked
    assert asked.replace(job_id[:15], "JOB").replace(asked[-12:], "CODE").splitlines() == snapshot(
        [
            "Close this job? Salesforce then carries this out, and it can be undone, but deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children:",
            "delete 2 Account in embedded org (job JOB, rows f7fbbe2f27a046a4) CODE",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", ["decline", "cancel"])
async def test_a_person_who_does_not_agree_closes_nothing(
    answer: Answer, era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    person = Person(answer)
    async with client_of(person, org, tmp_path, era) as client:
        job_id = await filled_delete(client, org)
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert (await call(client, "get-ingest-job-status", jobId=job_id))["state"] == "Open"
    assert org.changes == []
    assert steady(refused).splitlines() == snapshot(
        [
            "INSUFFICIENT_ACCESS: The job was not closed. The user was asked and did not agree: delete 2 Account in embedded org.",
            'Next: Leave the job as it is, or close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops it (nothing is loaded then).',
        ]
    )


async def test_a_person_who_does_not_answer_in_time_closes_nothing(org: WatchedOrg, tmp_path: Path) -> None:
    async with client_of(Person(), org, tmp_path, "legacy", seconds=2.5) as client:
        job_id = await filled_delete(client, org)
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
    assert org.changes == []
    assert "did not answer in time" in refused


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_with_dialogs_is_asked_even_where_the_model_repeats_the_sentence(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    person = Person("cancel", "decline")
    async with client_of(person, org, tmp_path, era) as client:
        job_id = await filled_delete(client, org)
        await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        sentence = person.asked[0].splitlines()[1]
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, confirm=sentence)
    assert "did not agree" in refused and len(person.asked) == 2 and org.changes == []


@pytest.mark.parametrize("way", ["operator", "refuse"])
@pytest.mark.parametrize("era", ERAS)
async def test_over_http_a_dialog_does_not_stand_for_the_operator(
    era: Era, way: str, org: WatchedOrg, tmp_path: Path
) -> None:
    person = Person("accept")
    with called_by(ANONYMOUS):
        async with client_of(person, org, tmp_path, era, confirm_without_dialog=way) as client:
            job_id = await filled_delete(client, org)
            await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
    assert person.asked == [] and org.changes == []


@pytest.mark.parametrize("way", ["operator", "refuse"])
@pytest.mark.parametrize("era", ERAS)
async def test_over_stdio_a_dialog_counts_whatever_is_set_for_clients_without(
    era: Era, way: str, org: WatchedOrg, tmp_path: Path
) -> None:
    async with client_of(Person("accept"), org, tmp_path, era, confirm_without_dialog=way) as client:
        job_id = await filled_delete(client, org)
        closed = await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
    assert closed["state"] == "UploadComplete"
