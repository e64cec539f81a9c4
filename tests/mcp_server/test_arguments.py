"""The arguments of the tools: what is accepted, and how a wrong one is explained."""

import json
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.next_call import next_call, next_line
from tests.support.orgs import UNKNOWN_JOB, agent, call, refusal
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}


async def test_nested_arguments_that_come_as_json_text_are_read(org: WatchedOrg) -> None:
    data = {
        "records": json.dumps([{"Company": "Json text"}]),
        "columns": json.dumps({"Company": ["Name", "Site"]}),
        "set": json.dumps({"Phone": 1}),
        "values": json.dumps({"Name": {"Json text": "Json Text"}}),
        "only": json.dumps(["Name", "Site", "Phone"]),
    }
    async with agent(org.url) as client:
        await call(client, "create-ingest-job", body=json.dumps(INSERT), data=json.dumps(data))
    assert org.uploads == [b"Name,Site,Phone\nJson Text,Json text,1\n"]


async def test_numbers_that_a_float_may_have_changed_are_refused_and_all_others_go_out_as_they_are(
    org: WatchedOrg,
) -> None:
    async with agent(org.url) as client:
        for data in (
            {"records": [{"Name": "Acme", "AnnualRevenue": 1234567890123456.78}]},
            {"csv": "Name\nAcme\n", "set": {"AnnualRevenue": 1234567890123456.78}},
        ):
            text = await refusal(client, "create-ingest-job", body=INSERT, data=data)
            assert (
                "AnnualRevenue: a number of more than 15 digits may have changed on the way: write it in quotes" in text
            )
        assert org.changes == []
        exact = [{"Name": "Acme", "AnnualRevenue": 12345678901234567890}, {"Name": "Other", "AnnualRevenue": 0.1}]
        await call(client, "create-ingest-job", body=INSERT, data={"records": exact})
    assert org.uploads == [b'"Name","AnnualRevenue"\n"Acme","12345678901234567890"\n"Other","0.1"\n']


async def test_what_is_about_rows_is_refused_without_rows(org: WatchedOrg) -> None:
    """Whoever asks for a look without rows would take the job that is made for what was looked at."""
    asked: dict[str, Any] = {
        "dryRun": True,
        "part": 1,
        "sha256": "0" * 64,
        "loadAgain": True,
        "preflight": "off",
        "linesShown": 20,
        "compare": ["Name"],
    }
    async with agent(org.url) as client:
        for name, value in asked.items():
            text = await refusal(client, "create-ingest-job", body=INSERT, **{name: value})
            assert text.startswith(f"INVALID_ARGUMENT: {name} is about rows: give data too.\n")
            assert next_call(next_line(text))[1] == {"body": INSERT, name: value, "data": "<rows>"}
        text = await refusal(client, "create-ingest-job", body=INSERT, dryRun=True, compare=True)
        assert text.startswith("INVALID_ARGUMENT: dryRun and compare are about rows: give data too.\n")
    assert org.changes == []


async def test_what_is_off_needs_no_rows(org: WatchedOrg) -> None:
    off = {"dryRun": False, "loadAgain": False, "preflight": "on", "linesShown": 5, "compare": False}
    async with agent(org.url) as client:
        assert (await call(client, "create-ingest-job", body=INSERT, **off))["state"] == "Open"


async def test_nested_values_sent_as_json_text_are_accepted(client: Client) -> None:
    job = await call(client, "create-ingest-job", body='{"object": "Account", "operation": "insert"}')
    body = json.dumps({"records": json.dumps([{"Name": "Acme"}])})
    assert (await call(client, "upload-data-ingest-job", jobId=job["id"], body=body))["rows"] == 1


ROWS = "Name\nsecret\n"
BAD_ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("get-ingest-job-status", {"jobId": UNKNOWN_JOB}),
    ("get-ingest-job-status", {"jobId": "001000000000001AAA"}),
    ("get-failed-results-ingest-job", {"jobId": ""}),
    ("get-failed-results-ingest-job", {"jobId": UNKNOWN_JOB, "limit": 0}),
    ("get-ingest-job-status", {"jobId": UNKNOWN_JOB, "waitSeconds": 46}),
    ("create-ingest-job", {"body": {"object": "Account", "operation": "merge"}}),
    ("create-ingest-job", {"body": {"object": "Account", "operation": "upsert"}}),
    ("create-ingest-job", {"body": {"object": "Nothing__c", "operation": "insert"}}),
    ("create-ingest-job", {}),
    ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"csv": "Name\nsecret\n", "records": []}}),
    ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {}}),
    ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"records": [{"Name": {"secret": 1}}]}}),
    ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"csv": "Name\n"}, "secretFile": "x"}),
    ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "data": {"csv": "Name\nsecret\n"}}),
    ("create-ingest-job", {"object": "secret", "operation": "insert"}),
    ("list-all-ingest-jobs", {"jobType": "V3"}),
    ("create-ingest-job", {"body": {"object": "Account"}}),
    ("close-abort-ingest-job", {"jobId": UNKNOWN_JOB, "body": {}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "leaveOut": {"notrows": True}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "dryRun": True}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "encoding": "x" * 41}, "leaveOut": {"lines": "2"}}),
    ("create-ingest-job", {"body": INSERT, "csv": ROWS, "dryrun": True, "secretFile": "x"}),
    ("create-ingest-job", {"body": {**INSERT, "object": "My Object"}, "part": 0, "sha256": "secret"}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS}, "dryRun": True, "compare": {"Name": "secret"}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "columns": ["secret"], "only": {"Name": "secret"}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "values": {"Name": ["secret"], "Phone": 5}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "leaveOut": {"cells": {"Name": 5}, "lines": 5.5}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"rowsOf": {"jobs": [5], "where": ["secret"]}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"rowsOf": {"jobs": [], "which": "secret"}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"csv": ROWS, "leaveOut": {"Name": ["secret"]}}}),
    ("create-ingest-job", {"body": INSERT, "data": {"records": "secret"}}),
    ("get-failed-results-ingest-job", {"jobId": UNKNOWN_JOB, "columns": {"Name": 1}, "where": {"field": 5}}),
]


async def test_a_bad_argument_is_explained_without_its_value(client: Client) -> None:
    told = {}
    for tool, arguments in BAD_ARGUMENTS:
        text = await refusal(client, tool, **arguments)
        assert "secret" not in text.replace("secretFile", "")
        assert not text.startswith("Error executing tool")
        assert "should" not in text, "these are not the words of pydantic"
        told[f"{tool} {json.dumps(arguments)}"] = text.splitlines()
    assert told == snapshot(
        {
            'get-ingest-job-status {"jobId": "750000000000001AAA"}': [
                'NOT_FOUND: "The requested resource does not exist"',
                "Next: list-all-ingest-jobs {} shows the current jobs: check the id. Salesforce removes jobs after 7 days.",
            ],
            'get-ingest-job-status {"jobId": "001000000000001AAA"}': [
                "NOT_FOUND: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.",
                "Next: list-all-ingest-jobs {} shows the current jobs with their ids.",
            ],
            'get-failed-results-ingest-job {"jobId": ""}': [
                "NOT_FOUND: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.",
                "Next: list-all-ingest-jobs {} shows the current jobs with their ids.",
            ],
            'get-failed-results-ingest-job {"jobId": "750000000000001AAA", "limit": 0}': [
                "Nothing was done: get-failed-results-ingest-job can't take these arguments.",
                '- limit: expected 1 or more; limit is "Rows. Default: 50, or what fits 4,000 tokens"',
                'Next: get-failed-results-ingest-job {"jobId": "750000000000001AAA", "limit": "<limit, corrected>"} is the call, corrected.',
            ],
            'get-ingest-job-status {"jobId": "750000000000001AAA", "waitSeconds": 46}': [
                "Nothing was done: get-ingest-job-status can't take these arguments.",
                '- waitSeconds: expected 45 or less; waitSeconds is "Most seconds to wait for the job"',
                'Next: get-ingest-job-status {"jobId": "750000000000001AAA", "waitSeconds": "<waitSeconds, corrected>"} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "merge"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body.operation: expected 'insert', 'update', 'upsert', 'delete' or 'hardDelete'; operation is \"What is done with the rows\"",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "<operation, corrected>"}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "upsert"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body.externalIdFieldName: an upsert needs this: an external id field, or Id",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "<externalIdFieldName, corrected>"}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Nothing__c", "operation": "insert"}}': [
                "INVALIDENTITY: \"Entity 'Nothing__c' is not supported by the Bulk API.\"",
                'Next: create-ingest-job {"body": "<body, corrected>"} takes another object: check its API name, such as Account or Invoice__c.',
            ],
            "create-ingest-job {}": [
                "INVALID_ARGUMENT: body is missing: it says of which object the job is, and what it does.",
                'Next: create-ingest-job {"body": "<body, corrected>"} is the same call, corrected.',
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "Name\\nsecret\\n", "records": []}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                '- body: give exactly one source: {"csv": text}, {"records": [...]}, {"file": path} or {"rowsOf": {"jobs": [id]}}',
                'Next: upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "<csv or records, corrected>"}} is the call, corrected.',
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                '- body: there is no source of rows, or it is empty: give exactly one source: {"csv": text}, {"records": [...]}, {"file": path} or {"rowsOf": {"jobs": [id]}}',
                'Next: upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "<csv, records, file or rowsOf, corrected>"}} is the call, corrected.',
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"records": [{"Name": {"secret": 1}}]}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                "- body.records.0.Name: expected text, a number, true, false or null",
                'Next: upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"records": "<records, corrected>"}} is the call, corrected.',
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "Name\\n"}, "secretFile": "x"}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                "- secretFile: there is no such argument here, only jobId, body, part, sha256, dryRun and 4 more",
                'Next: upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "<the same rows>"}} is the call, corrected, without secretFile.',
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "data": {"csv": "Name\\nsecret\\n"}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                '- body: this is required; body is "Rows, from exactly one of csv, records, file, rowsOf."',
                "- data: there is no such argument here: put csv, records, file or rowsOf under body",
                'Next: upload-data-ingest-job {"jobId": "750000000000001AAA", "body": "<body, corrected>"} is the call, corrected, without data.',
            ],
            'create-ingest-job {"object": "secret", "operation": "insert"}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- object: this belongs under body",
                "- operation: this belongs under body",
                'Next: create-ingest-job {"body": {"object": "<the same object>", "operation": "<the same operation>"}} is the call, corrected.',
            ],
            'list-all-ingest-jobs {"jobType": "V3"}': [
                "Nothing was done: list-all-ingest-jobs can't take these arguments.",
                "- jobType: expected 'BigObjectIngest', 'Classic' or 'V2Ingest'; jobType is \"V2Ingest: Bulk API 2.0; Classic: Bulk API. Default: all\"",
                'Next: list-all-ingest-jobs {"jobType": "<jobType, corrected>"} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- body.operation: this is required, one of insert, update, upsert, delete, hardDelete; operation is "What is done with the rows"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "<operation, corrected>"}} is the call, corrected.',
            ],
            'close-abort-ingest-job {"jobId": "750000000000001AAA", "body": {}}': [
                "Nothing was done: close-abort-ingest-job can't take these arguments.",
                '- body.state: this is required, one of UploadComplete, Aborted; state is "UploadComplete loads the rows; Aborted drops them"',
                'Next: close-abort-ingest-job {"jobId": "750000000000001AAA", "body": {"state": "<state, corrected>"}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "leaveOut": {"notrows": true}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- data.leaveOut.notrows: there is no such argument here: did you mean notRows?",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "leaveOut": {"notRows": "<the same notrows>"}}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "dryRun": true}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- data.dryRun: this belongs beside data",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>"}, "dryRun": "<the same dryRun>"} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "encoding": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "leaveOut": {"lines": "2"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.encoding: expected a text of at most 40 characters; encoding is "Of file, as windows-1252. Default: UTF-8"',
                "- leaveOut: this belongs under data",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "encoding": "<encoding, corrected>", "leaveOut": "<the same leaveOut>"}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "csv": "Name\\nsecret\\n", "dryrun": true, "secretFile": "x"}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- csv: this belongs under data",
                "- dryrun: there is no such argument here: did you mean dryRun?",
                "- secretFile: there is no such argument here, only body, data, part, sha256, dryRun and 4 more",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>"}, "dryRun": "<the same dryrun>"} is the call, corrected, without secretFile.',
            ],
            'create-ingest-job {"body": {"object": "My Object", "operation": "insert"}, "part": 0, "sha256": "secret"}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- body.object: expected a text of the pattern ^[A-Za-z][A-Za-z0-9_]*$; object is "API name, such as Account"',
                '- part: expected 1 or more; part is "Upload this part of `of`, with sha256. Default: all rows"',
                '- sha256: expected a text of at least 64 characters; sha256 is "From dryRun: refuse changed rows. Default: take them"',
                'Next: create-ingest-job {"body": {"object": "<object, corrected>", "operation": "insert"}, "part": "<part, corrected>", "sha256": "<sha256, corrected>"} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n"}, "dryRun": true, "compare": {"Name": "secret"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- compare: expected a list of fields, or [] for none",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>"}, "dryRun": true, "compare": "<compare, corrected>"} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "columns": ["secret"], "only": {"Name": "secret"}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.columns: expected an object; columns is "Header, or #3 for the third column, to field or fields; null omits it. Default: as is"',
                '- data.only: expected a list; only is "Fields to keep. Default: all"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "columns": "<columns, corrected>", "only": "<only, corrected>"}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "values": {"Name": ["secret"], "Phone": 5}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.values.Name: expected an object; values is "Field to {old: new} cells. Default: none"',
                '- data.values.Phone: expected an object; values is "Field to {old: new} cells. Default: none"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "values": {"Name": "<Name, corrected>", "Phone": "<Phone, corrected>"}}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "leaveOut": {"cells": {"Name": 5}, "lines": 5.5}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- data.leaveOut.cells.Name: expected a text or a list of texts",
                '- data.leaveOut.lines: expected text; lines is "As \\"7, 120-\\", \\"all but 2-101\\"; the header is line 1. Default: none"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "leaveOut": {"cells": {"Name": "<Name, corrected>"}, "lines": "<lines, corrected>"}}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": [5], "where": ["secret"]}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.rowsOf.jobs.0: expected text; jobs is "Their ids, at most 100"',
                '- data.rowsOf.where: expected an object; where is "Of the failed rows, by error. Default: all"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": "<jobs, corrected>", "where": "<where, corrected>"}}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": [], "which": "secret"}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.rowsOf.jobs: expected at least 1 in this list; jobs is "Their ids, at most 100"',
                "- data.rowsOf.which.0: expected 'failed', 'unprocessed', 'missing', 'created' or 'before'; which is \"missing: in no result; alone: created (new Ids), before (old values). Default: the first three, or failed with where\"",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": "<jobs, corrected>", "which": "<which, corrected>"}}} is the call, corrected.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "Name\\nsecret\\n", "leaveOut": {"Name": ["secret"]}}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- data.leaveOut.Name: there is no such argument here, only cells, lines, notRows",
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "leaveOut": {}}} is the call, corrected, without Name.',
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"records": "secret"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                '- data.records: expected a list; records is "An object a row, field to value; missing key: empty cell, null: #N/A"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"records": "<records, corrected>"}} is the call, corrected.',
            ],
            'get-failed-results-ingest-job {"jobId": "750000000000001AAA", "columns": {"Name": 1}, "where": {"field": 5}}': [
                "Nothing was done: get-failed-results-ingest-job can't take these arguments.",
                '- columns: expected a list; columns is "Columns to show. Default: all"',
                '- where.field: expected a list; field is "The field at fault. Default: any"',
                'Next: get-failed-results-ingest-job {"jobId": "750000000000001AAA", "columns": "<columns, corrected>", "where": {"field": "<field, corrected>"}} is the call, corrected.',
            ],
        }
    )


@pytest.mark.parametrize(
    "gaps", [{"values": {"Name": {"": '<Name for "">'}}}, {"set": {"Name": "<Name for every row>"}}]
)
async def test_a_gap_that_nobody_filled_is_refused_and_never_loaded(client: Client, gaps: dict[str, Any]) -> None:
    text = await refusal(
        client, "create-ingest-job", body=INSERT, data={"csv": "Name,Phone\nAcme,1\n", **gaps}, dryRun=True
    )
    assert f'data.{next(iter(gaps))}: a gap is still there for "Name"' in text


async def test_the_call_with_unfilled_gaps_keeps_what_is_filled_and_every_gap(client: Client) -> None:
    values = {"Name": {"": '<Name for "">', "x": "Acme"}, "Phone": {"-": '<Phone for "-">'}, "Site": {"a": "b"}}
    text = await refusal(
        client, "create-ingest-job", body=INSERT, data={"csv": "Name,Phone,Site\n,-,a\n", "values": values}, dryRun=True
    )
    assert 'a gap is still there for "Name", "Phone"' in text
    assert next_call(next_line(text))[1]["data"]["values"] == values


async def test_only_which_is_corrected_where_created_goes_with_other_rows(client: Client) -> None:
    rows = {"jobs": ["750000000000001AAA"], "which": ["created", "failed"], "skipSent": True}
    text = await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": rows})
    assert next_call(next_line(text))[1]["data"]["rowsOf"] == rows | {"which": "<which, corrected>"}


@pytest.mark.parametrize(
    ("rows_of", "at_fault", "corrected"),
    [
        ({"where": {"field": ["Name"]}, "which": ["created"]}, "where", None),
        ({"skipSent": True, "which": ["created"]}, "skipSent", None),
        ({"again": True, "skipSent": True}, "skipSent", "<skipSent, corrected>"),
    ],
)
async def test_the_call_with_arguments_that_do_not_go_together_keeps_the_others(
    client: Client, rows_of: dict[str, Any], at_fault: str, corrected: str | None
) -> None:
    data = {"rowsOf": {"jobs": ["750000000000001AAA"], **rows_of}, "set": {"Site": "a"}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
    kept = {name: value for name, value in data["rowsOf"].items() if name != at_fault}
    if corrected is not None:
        kept[at_fault] = corrected
    assert next_call(next_line(text))[1] == {"body": INSERT, "data": {**data, "rowsOf": kept}, "dryRun": True}


@pytest.mark.parametrize(
    ("data", "says", "corrected"),
    [
        ({}, "give exactly one source", {"csv": "<csv, records, file or rowsOf, corrected>"}),
        (
            {"csv": "Name\nAcme\n", "records": [{"Name": "Acme"}]},
            "give exactly one source",
            {"csv": "<csv or records, corrected>"},
        ),
        (
            {"file": "/rows/new.csv", "csv": "Name\nAcme\n"},
            "give exactly one source",
            {"csv": "<csv or file, corrected>"},
        ),
        (
            {"rowsOf": {"jobs": ["750000000000001AAA"]}, "file": "/rows/new.csv"},
            "give exactly one source",
            {"file": "<file or rowsOf, corrected>"},
        ),
        (
            {"recipe": "weekly", "csv": "Name\nAcme\n"},
            "give file as its rows",
            {"recipe": "weekly", "file": "<file, corrected>"},
        ),
        (
            {"recipe": "weekly", "rowsOf": {"jobs": ["750000000000001AAA"]}},
            "give file as its rows",
            {"recipe": "weekly", "file": "<file, corrected>"},
        ),
        (
            {"recipe": "weekly", "file": "/rows/new.csv", "csv": "Name\nAcme\n"},
            "leave out csv",
            {"recipe": "weekly", "file": "/rows/new.csv"},
        ),
    ],
)
async def test_a_wrong_source_is_told_beside_other_mistakes_and_the_call_keeps_what_goes_with_its_gap(
    client: Client, data: dict[str, Any], says: str, corrected: dict[str, Any]
) -> None:
    kept: dict[str, Any] = {"encoding": "utf-8", "set": {"Site": "a"}, "leaveOut": {"lines": "2"}}
    # Rows that are text have no encoding: a call that keeps it would be refused again.
    of_text = {"encoding"} if data and "file" not in data else set[str]()
    goes = {} if "recipe" in data else {name: value for name, value in kept.items() if name not in of_text}
    called = {"body": INSERT, "data": {**goes, **corrected}, "dryRun": True}
    for mistake in ({}, {"delimiter": ";"}, {"where": {"field": ["Name"]}}):
        given = {**data, **kept, **mistake}
        text = await refusal(client, "create-ingest-job", body=INSERT, data=given, dryRun=True)
        assert says in text and "text already" not in text
        assert [f"data.{name}: " in text for name in mistake] == [True] * len(mistake)
        assert next_call(next_line(text))[1] == called


async def test_an_argument_of_rows_of_jobs_makes_no_second_source(client: Client) -> None:
    rows = {"csv": "Name\nAcme\n", "set": {"Site": "a"}}
    for misplaced in ({"where": {"field": ["Name"]}}, {"jobs": ["750000000000001AAA"]}):
        text = await refusal(client, "create-ingest-job", body=INSERT, data={**rows, **misplaced})
        assert "this belongs under data.rowsOf" in text
        assert next_call(next_line(text))[1]["data"] == {**rows, "csv": "<the same rows>"}
    text = await refusal(client, "create-ingest-job", body=INSERT, data={"jobs": ["750000000000001AAA"]})
    assert next_call(next_line(text))[1]["data"] == {"rowsOf": {"jobs": "<the same jobs>"}}


async def test_the_call_with_an_encoding_of_text_is_corrected_by_leaving_it_out(client: Client) -> None:
    data = {"csv": "Name\nAcme\n", "set": {"Site": "a"}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data={**data, "encoding": "windows-1252"})
    assert next_call(next_line(text))[1]["data"] == {**data, "csv": "<the same rows>"}
    assert text.endswith("is the call, corrected, without encoding.")
