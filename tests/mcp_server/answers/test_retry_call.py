"""The call that sends failed rows again: a program can make it, and its words say what it does and what it leaves."""

import re
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.mcp_server.answers.hostile_org import hostile_org
from tests.support.follower import Follower
from tests.support.next_call import next_call
from tests.support.orgs import agent, agent_over, call, closed, loaded, steady
from tests.support.wire import JOB_ID

FAILED = "get-failed-results-ingest-job"
TAKEN = "LastName,External_Id__c\nAnn,TAKEN\n"
ROWS = """\
LastName,External_Id__c,MailingGeocodeAccuracy,Birthdate
,,Block,
Cid,TAKEN,Block,
Eve,,Nowhere,
Fay,,Block,31.12.1990
"""


async def next_after(client: Client, job_id: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    """The arguments of the call that follows a page of failed rows, and the words after it."""
    sentence = (await call(client, FAILED, jobId=job_id, **arguments))["next"]
    tool, given = next_call(sentence)
    assert tool == "create-ingest-job"
    return given["data"], re.sub(r"^create-ingest-job \{.*\} ", "", sentence)


@pytest.fixture
async def job_id(client: Client) -> str:
    await loaded(client, TAKEN, object="Contact", load_again=True)
    return await loaded(client, ROWS, object="Contact", preflight="off", load_again=True)


async def test_one_call_corrects_all_causes_that_arguments_correct_and_says_what_stays(
    client: Client, job_id: str
) -> None:
    data, words = await next_after(client, job_id)
    assert steady(data) == snapshot(
        {
            "rowsOf": {
                "jobs": ["JOB"],
                "where": {
                    "statusCode": ["INVALID_FIELD", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "REQUIRED_FIELD_MISSING"]
                },
            },
            "values": {
                "MailingGeocodeAccuracy": {"Nowhere": '<MailingGeocodeAccuracy for "Nowhere">'},
                "LastName": {"": '<LastName for "">'},
            },
            "formats": {"Birthdate": "<form of Birthdate, such as DD.MM.YYYY or 1.234,5>"},
        }
    )
    assert words == snapshot(
        "sends 3 rows again, with the gaps filled. Ask the user for what you don't know; leaveOut leaves such rows out. Not sent: 1 row (DUPLICATE_VALUE), which a person has to correct in the source or the org. Never load the whole file again."
    )


async def test_what_stands_for_the_gaps_loads_the_rows(client: Client, job_id: str) -> None:
    said = {
        '<MailingGeocodeAccuracy for "Nowhere">': "Block",
        '<LastName for "">': "Unknown",
        "<form of Birthdate, such as DD.MM.YYYY or 1.234,5>": "DD.MM.YYYY",
    }
    made = await Follower(client, "structure", said).follow((await call(client, FAILED, jobId=job_id))["next"])
    status = await closed(client, made.structure["id"])
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == (3, 0)


async def test_the_call_after_a_page_of_some_causes_is_about_these_alone(client: Client, job_id: str) -> None:
    where = {"statusCode": ["REQUIRED_FIELD_MISSING", "DUPLICATE_VALUE"]}
    data, words = await next_after(client, job_id, where=where)
    assert data == {
        "rowsOf": {"jobs": [job_id], "where": {"statusCode": ["REQUIRED_FIELD_MISSING"]}},
        "values": {"LastName": {"": '<LastName for "">'}},
    }
    assert words.startswith("sends 1 row again") and "1 row (DUPLICATE_VALUE)" in words
    data, _ = await next_after(client, job_id, where={"field": "lastname"})
    assert data["rowsOf"] == {"jobs": [job_id], "where": {"field": ["lastname"]}}


async def test_rows_that_no_argument_corrects_have_a_gap_for_corrected_ones(client: Client, job_id: str) -> None:
    sentence = (await call(client, FAILED, jobId=job_id, where={"statusCode": "DUPLICATE_VALUE"}))["next"]
    assert next_call(sentence)[1]["data"] == "<the corrected rows>"


async def test_rows_that_were_locked_go_again_beside_those_that_stay() -> None:
    rows = [["", "UNABLE_TO_LOCK_ROW:text:--", "A"], ["", "DUPLICATE_VALUE:text:--", "B"]]
    async with agent_over(hostile_org(["Name"], rows)) as client:
        data, words = await next_after(client, JOB_ID)
    assert data == {"rowsOf": {"jobs": [JOB_ID], "where": {"statusCode": ["UNABLE_TO_LOCK_ROW"]}}}
    assert words.startswith("sends 1 row again, as they were sent. Not sent: 1 row (DUPLICATE_VALUE)")


async def test_hidden_cells_have_a_gap_for_their_whole_column(org_url: str) -> None:
    async with agent(org_url, hide_fields=("MailingGeocodeAccuracy",)) as client:
        job_id = await loaded(
            client, "LastName,MailingGeocodeAccuracy\nEve,Nowhere\n", object="Contact", preflight="off"
        )
        sentence = (await call(client, FAILED, jobId=job_id))["next"]
    assert next_call(sentence)[1]["data"]["values"] == {
        "MailingGeocodeAccuracy": "<MailingGeocodeAccuracy: old to new cells>"
    }
    assert "Nowhere" not in sentence


async def test_many_cells_have_a_gap_for_each_argument() -> None:
    fields = [f"Field_{n}__c" for n in range(30)]
    rows = [
        ["", f"STRING_TOO_LONG:{field}: data value too large:{field} --", *[f"cell {row}" for _ in fields]]
        for row in range(5)
        for field in fields
    ]
    async with agent_over(hostile_org(fields, rows)) as client:
        data, _ = await next_after(client, JOB_ID)
    assert data["values"] == "<values by the causes>"


async def test_where_a_delete_is_next_the_words_speak_of_deleting(org_url: str) -> None:
    async with agent(org_url, allow_operation=("delete",), confirm=()) as client:
        job_id = await loaded(client, "Id\n001000000000001AAA\n", operation="delete", preflight="off")
        sentence = (await call(client, FAILED, jobId=job_id))["next"]
    assert next_call(sentence)[1]["data"] == "<the corrected rows>"
    assert sentence.partition("}")[2].partition("} ")[2] == snapshot(
        "deletes the records of these rows, once a person has corrected them, or the org, by their causes: no argument beside rowsOf does that. Never send all ids again."
    )
