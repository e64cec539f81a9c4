"""Completions: usable values for arguments of prompts and variables of templates, and never an error for want of the org."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from salesforce_bulk_ingest.base.caller import Caller, called_by
from salesforce_bulk_ingest.mcp_server.completions import MOST_VALUES
from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import calling
from tests.support.asgi_server import running
from tests.support.canary import CELL
from tests.support.orgs import ERAS, Era, Recorder, agent, agent_over, call, emulator, loaded
from tests.support.result_org import OneJob
from tests.support.watched_org import Gate, WatchedOrg, agent_keeping
from tests.support.wire import JOB_ID

ROWS = "LastName,Email\nLovelace,ada@example.com\nBabbage,no address\n"


@pytest.fixture
def org_url(tmp_path: Path) -> Iterator[str]:
    """An org of each test's own, since jobs of others are completed, too."""
    with emulator(tmp_path / "own-org") as url:
        yield url


async def completed(client: Client, prompt: str, argument: str, typed: str = "", **given: str) -> list[str]:
    """The values for an argument of a prompt."""
    answer = await client.complete(
        PromptReference(type="ref/prompt", name=prompt), {"name": argument, "value": typed}, given or None
    )
    return answer.completion.values


async def template(client: Client, name: str, variable: str, typed: str = "", **given: str) -> Completion:
    """The completion of a variable of a template."""
    [uri] = [
        each.uri_template for each in (await client.list_resource_templates()).resource_templates if each.name == name
    ]
    ref = ResourceTemplateReference(type="ref/resource", uri=uri)
    return (await client.complete(ref, {"name": variable, "value": typed}, given or None)).completion


@pytest.mark.parametrize("era", ERAS)
async def test_ids_of_jobs_are_found_by_their_beginning_object_operation_or_state(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        contacts = await loaded(client, ROWS, object="Contact")
        accounts = await call(client, "create-ingest-job", body={"object": "Account", "operation": "upsert", "externalIdFieldName": "Id"})  # fmt: skip
        both = [accounts["id"], contacts]
        for typed, found in (("", both), ("750", both), ("acc", both[:1]), ("UPS", both[:1]), ("jobc", both[1:])):
            assert (await template(client, "job", "jobId", typed)).values == found
        assert (await template(client, "job", "jobId", "nothing")).values == []
        # Only rows of jobs that have ended can be sent again.
        assert await completed(client, "retry-failed-rows", "jobId") == [contacts]


@pytest.mark.parametrize("era", ERAS)
async def test_objects_are_those_that_can_be_loaded_the_recent_ones_first(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        await loaded(client, ROWS, object="Contact")
        objects = await completed(client, "load-file", "object")
        assert objects[:2] == ["Contact", "Account"] and "Opportunity" in objects
        assert await completed(client, "load-file", "object", "op") == ["Opportunity"]
        assert await completed(client, "recent-jobs", "object") == ["Contact"]


@pytest.mark.parametrize("era", ERAS)
async def test_codes_fields_and_columns_are_those_of_the_failed_rows_that_are_kept(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        job_id = await loaded(client, ROWS, object="Contact", preflight="off")
        before = (await template(client, "failed-results", "statusCode", "INVALID_E", jobId=job_id)).values
        assert before == ["INVALID_EMAIL_ADDRESS"]
        await call(client, "get-failed-results-ingest-job", jobId=job_id)
        assert (await template(client, "failed-results", "statusCode", jobId=job_id)).values == [
            "INVALID_EMAIL_ADDRESS"
        ]
        assert await completed(client, "retry-failed-rows", "statusCode", jobId=job_id) == ["INVALID_EMAIL_ADDRESS"]
        assert (await template(client, "failed-results", "field", jobId=job_id)).values == ["Email"]
        columns = await template(client, "failed-results", "columns", jobId=job_id)
        assert columns.values == ["sf__Id", "sf__Error", "LastName", "Email"]


async def test_columns_complete_the_whole_list_without_those_that_are_in_it(org_url: str) -> None:
    async with agent(org_url) as client:
        job_id = await loaded(client, ROWS, object="Contact", preflight="off")
        found = (await template(client, "successful-results", "columns", "sf__Id,LastName,", jobId=job_id)).values
        assert found[0] == "sf__Id,LastName,sf__Created"
        assert "sf__Id,LastName,Email" in found and "sf__Id,LastName,LastName" not in found
        assert (await template(client, "successful-results", "columns", "sf__Id,e", jobId=job_id)).values[
            0
        ] == "sf__Id,Email"


async def test_a_list_of_columns_that_is_too_long_to_repeat_is_not_completed(org_url: str) -> None:
    async with agent(org_url) as client:
        job_id = await loaded(client, ROWS, object="Contact", preflight="off")
        for typed, values in (("x" * 3_000 + ",", True), ("x" * 5_000 + ",", False)):
            found = await template(client, "successful-results", "columns", typed, jobId=job_id)
            assert bool(found.values) is values


async def test_what_has_nothing_to_complete_has_no_values(org_url: str) -> None:
    async with agent(org_url) as client:
        assert await completed(client, "load-file", "file", "/") == []
        assert (await template(client, "failed-results", "offset", "1")).values == []
        assert (await template(client, "failed-results", "field")).values == []
        assert (await template(client, "failed-results", "columns", jobId="x\ny")).values == []


async def test_operations_and_objects_are_those_that_the_policy_allows(org_url: str) -> None:
    async with agent(org_url, deny_operations=("insert", "hardDelete"), allow_objects=("Contact", "Lead")) as client:
        assert await completed(client, "load-file", "operation") == ["update", "upsert", "delete"]
        assert sorted(await completed(client, "load-file", "object")) == ["Contact", "Lead"]


async def test_a_caller_who_may_only_read_completes_what_they_can_call(org_url: str) -> None:
    with called_by(Caller("auditor", may_write=False)):
        async with agent(org_url) as client:
            assert await completed(client, "recent-jobs", "object") == []
            with pytest.raises(MCPError, match="There is no prompt"):
                await completed(client, "load-file", "object")


async def test_no_more_than_a_hundred_values_are_given_and_their_number_is_told() -> None:
    header = ",".join(f'"Field{n:03}__c"' for n in range(MOST_VALUES + 7))
    rows = Response(f'"sf__Id","sf__Error",{header}\n"","A:x:--",{header}\n', media_type="text/csv")
    async with agent_over(OneJob({"failedResults": [rows]})) as client:
        await call(client, "get-failed-results-ingest-job", jobId=JOB_ID)
        found = await template(client, "failed-results", "columns", "field", jobId=JOB_ID)
    assert (len(found.values), found.total, found.has_more) == (MOST_VALUES, MOST_VALUES + 7, True)


async def test_a_hidden_cell_that_stands_for_a_field_or_a_code_is_not_completed() -> None:
    errors = (f"BAD_VALUE:wrong:{CELL} --", f"{CELL}:wrong:--", f"BAD_VALUE:wrong {CELL}:Email,{CELL} --")
    rows = Response(
        '"sf__Id","sf__Error","LastName","Email"\n' + "".join(f'"","{error}","Ada","{CELL}"\n' for error in errors),
        media_type="text/csv",
    )
    async with agent_over(OneJob({"failedResults": [rows]}), hide_fields=("Email",)) as client:
        await call(client, "get-failed-results-ingest-job", jobId=JOB_ID)
        values = {
            variable: (await template(client, "failed-results", variable, jobId=JOB_ID)).values
            for variable in ("statusCode", "field", "columns")
        }
    assert values == snapshot(
        {"statusCode": ["BAD_VALUE"], "field": ["Email"], "columns": ["sf__Id", "sf__Error", "LastName", "Email"]}
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (("x\ny", "object"), snapshot('There is no prompt "x\\ny".')),
        (("load-file", "x\ny"), snapshot('There is no argument "x\\ny" to complete.')),
    ],
)
async def test_what_does_not_exist_is_told_in_words(argument: tuple[str, str], message: str, client: Client) -> None:
    with pytest.raises(MCPError) as raised:
        await completed(client, *argument)
    assert (raised.value.code, raised.value.message) == (INVALID_PARAMS, message)
    with pytest.raises(MCPError) as raised:
        await client.complete(
            ResourceTemplateReference(type="ref/resource", uri="salesforce-bulk://x"), {"name": "jobId", "value": ""}
        )
    assert (raised.value.code, raised.value.message) == (
        INVALID_PARAMS,
        snapshot('There is no resource template "salesforce-bulk://x".'),
    )


@asynccontextmanager
async def without_org(era: Era) -> AsyncIterator[Client]:
    """A client of a server whose org refuses every call."""
    refusal = JSONResponse([{"errorCode": "API_DISABLED_FOR_ORG", "message": "down"}], status_code=403)
    async with agent_over(Starlette(routes=[Mount("/", app=refusal)]), era=era) as client:
        yield client


@pytest.mark.parametrize("era", ERAS)
async def test_without_an_org_nothing_is_completed_and_no_client_fails(
    era: Era, caplog: pytest.LogCaptureFixture
) -> None:
    async with without_org(era) as client:
        for prompt, argument in (("load-file", "object"), ("retry-failed-rows", "jobId"), ("recent-jobs", "object")):
            assert await completed(client, prompt, argument) == []
        for name, variable in (("job", "jobId"), ("failed-results", "columns"), ("failed-results", "field")):
            assert (await template(client, name, variable, jobId=JOB_ID)).values == []
        assert (await client.list_resources()).resources == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_an_org_that_does_not_answer_in_time_is_not_waited_for_and_its_answer_is_there_later(
    tmp_path: Path,
) -> None:
    gate = Gate(create_app(EmulatorConfig(data_dir=tmp_path / "org")), "GET")
    recorder = Recorder(gate)
    with running(recorder) as url, calling(url) as caller:
        async with agent_keeping(WatchedOrg(url, recorder, gate, caller), tmp_path, patience_seconds=0.01) as client:
            gate.open()
            job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
            gate.close()
            assert (await template(client, "job", "jobId")).values == []
            gate.open()
            with anyio.fail_after(20):
                while not (values := (await template(client, "job", "jobId")).values):
                    pass
    assert values == [job["id"]]
