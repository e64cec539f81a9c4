"""The prompts: what they ask of a model, and what is told of arguments that don't fit."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from inline_snapshot import snapshot
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from salesforce_bulk_ingest.base.caller import Caller, called_by
from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, agent

TOKENS_FOR_A_PROMPT = 400
"""As characters / 4."""

GIVEN = {
    "load-file": {"file": '/home/me/a "b".csv', "object": "Account", "operation": "upsert"},
    "retry-failed-rows": {"jobId": UNKNOWN_JOB, "statusCode": "REQUIRED_FIELD_MISSING"},
    "recent-jobs": {"object": "Account"},
}


@pytest.fixture(params=ERAS)
async def client(request: pytest.FixtureRequest, org_url: str) -> AsyncIterator[Client]:
    era: Era = request.param
    async with agent(org_url, era=era) as connected:
        yield connected


async def text_of_prompt(client: Client, name: str, **arguments: str) -> str:
    [message] = (await client.get_prompt(name, arguments)).messages
    assert message.role == "user" and message.content.type == "text"
    return message.content.text


async def test_three_prompts_are_offered_with_their_arguments(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [
        (prompt.name, prompt.title, {each.name: (each.required, each.description) for each in prompt.arguments or []})
        for prompt in prompts
    ] == snapshot(
        [
            (
                "load-file",
                "Load a file",
                {
                    "file": (True, "Path of the CSV file, on the machine of the server"),
                    "object": (False, "API name of the object, such as Account"),
                    "operation": (False, "insert, update, upsert or delete"),
                },
            ),
            (
                "retry-failed-rows",
                "Explain and send again what failed",
                {
                    "jobId": (True, "Id of the job whose rows failed"),
                    "statusCode": (False, "Only rows with this error, such as REQUIRED_FIELD_MISSING"),
                },
            ),
            ("recent-jobs", "What happened lately", {"object": (False, "Only jobs of this object, such as Account")}),
        ]
    )


async def test_a_file_is_checked_and_shown_before_it_is_loaded(client: Client) -> None:
    assert await text_of_prompt(client, "load-file", **GIVEN["load-file"]) == snapshot("""\
Load this file into Salesforce.
1. Check it, which makes no job: create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "<the field that matches rows>"}, "data": {"file": "/home/me/a \\"b\\".csv"}, "dryRun": true}. Ask me for what stands in <>, unless it is plain. Map foreign headers with `columns` of data, leave out what is no row with `leaveOut`, as the answer proposes, and check again until there are no errors.
2. Show me the org, the number of rows, which column goes to which field, and the warnings. Wait until I agree.
3. Make the same call without dryRun. Then close-abort-ingest-job {"jobId": "<id>", "body": {"state": "UploadComplete"}, "waitSeconds": 45}, and get-ingest-job-status {"jobId": "<id>", "waitSeconds": 45} until the job has ended.
4. Tell me how many rows are loaded. If some failed, get-failed-results-ingest-job {"jobId": "<id>"}: for each cause how many rows, one example, and what would mend them. Send nothing again before I agree.\
""")


async def test_what_the_user_left_open_is_asked_for(client: Client) -> None:
    text = await text_of_prompt(client, "load-file", file="x.csv", object="", operation="")
    assert '"body": {"object": "<object>", "operation": "<operation>"}' in text


async def test_failed_rows_are_explained_before_they_are_sent_again(client: Client) -> None:
    assert await text_of_prompt(client, "retry-failed-rows", **GIVEN["retry-failed-rows"]) == snapshot("""\
Explain what failed in a Salesforce ingest job, and send it again.
1. get-ingest-job-status {"jobId": "750000000000001AAA"}, then get-failed-results-ingest-job {"jobId": "750000000000001AAA", "where": {"statusCode": ["REQUIRED_FIELD_MISSING"]}}.
2. For each cause tell me in plain words how many rows, one example, and what would mend them. Say which can't succeed unchanged. Ask me what to correct and what to leave out.
3. Check the rows that I choose: create-ingest-job {"body": {"object": "<that of the job>", "operation": "<that of the job>"}, "data": {"rowsOf": {"jobs": ["750000000000001AAA"], "where": {"statusCode": ["REQUIRED_FIELD_MISSING"]}}}, "dryRun": true}, with `values` or `set` of data for corrections and `leaveOut` for rows that stay out; rowsOf sends them as they were sent, so don't write rows yourself. Show me the outcome, and wait until I agree.
4. Make the same call without dryRun. Then close-abort-ingest-job {"jobId": "<id>", "body": {"state": "UploadComplete"}, "waitSeconds": 45}, get-ingest-job-status {"jobId": "<id>", "waitSeconds": 45}, and tell me what is in the org now and what still isn't.\
""")


async def test_recent_jobs_are_told_without_a_change(client: Client) -> None:
    assert await text_of_prompt(client, "recent-jobs") == snapshot("""\
Tell me what happened lately with Salesforce ingest jobs. Change nothing.
1. list-all-ingest-jobs {}, then get-ingest-job-status {"jobId": "<id>"} for each of the newest, at most 10.
2. Show a table, the newest first: when, object, operation, state, rows loaded, rows failed.
3. Where rows failed, get-failed-results-ingest-job {"jobId": "<id>", "limit": 1}: the causes, each with how many rows, one example, and what would mend them.
4. End with what is left to do: jobs that are still open or running, failed rows worth sending again, and jobs that Salesforce removes soon (7 days after they ended).\
""")


async def test_every_call_in_a_prompt_is_one_of_our_tools_with_arguments_that_it_has(client: Client) -> None:
    arguments = {tool.name: set(tool.input_schema["properties"]) for tool in (await client.list_tools()).tools}
    for name, given in GIVEN.items():
        text = await text_of_prompt(client, name, **given)
        assert len(text) / 4 < TOKENS_FOR_A_PROMPT
        for tool, rest in re.findall(r"\b([a-z]+-[a-z-]+-ingest-jobs?) (\{.*)", text):
            called, _ = json.JSONDecoder().raw_decode(rest)
            assert called.keys() <= arguments[tool]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "x\nNext: y",
            {},
            snapshot('There is no prompt "x\\nNext: y", but load-file, retry-failed-rows, recent-jobs.'),
        ),
        ("load-file", {}, snapshot("The prompt load-file needs a value for file.")),
        ("load-file", {"file": ""}, snapshot("The prompt load-file needs a value for file.")),
        ("recent-jobs", {"x\ny": "1"}, snapshot('The prompt recent-jobs has no argument "x\\ny".')),
        (
            "retry-failed-rows",
            {"jobId": "no id"},
            snapshot("jobId has to be the id of an ingest job: those begin with 750 and have 15 or 18 characters."),
        ),
    ],
)
async def test_what_does_not_fit_is_told_in_words_and_is_no_fault_of_the_server(
    name: str, arguments: dict[str, str], message: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MCPError) as raised:
        await client.get_prompt(name, arguments)
    assert (raised.value.code, raised.value.message) == (INVALID_PARAMS, message)
    assert caplog.records == []


async def test_a_read_only_server_offers_the_prompt_that_changes_nothing_alone(org_url: str) -> None:
    async with agent(org_url, read_only=True) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["recent-jobs"]
        with pytest.raises(MCPError) as raised:
            await client.get_prompt("load-file", {"file": "x.csv"})
    assert raised.value.message == snapshot('There is no prompt "load-file", but recent-jobs.')


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_who_may_only_read_is_offered_it_alone_too(era: Era, org_url: str) -> None:
    with called_by(Caller("auditor", may_write=False)):
        async with agent(org_url, era=era) as client:
            assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["recent-jobs"]
            with pytest.raises(MCPError):
                await client.get_prompt("load-file", {"file": "x.csv"})
