"""Arguments as clients send them: each of the nine tools takes every form that a client may give an argument.

The cases are made from the input schemas. A test fails for an argument of which `SAMPLES` has no value.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.mcp_server.argument_forms import as_declared
from tests.support.orgs import agent, call, loaded, refusal, steady, text_of
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
SOURCES = ("csv", "records", "file", "rowsOf")
ONE_ROW = "Name\nAcme\n"

SAMPLES: Mapping[str, Any] = {
    "isPkChunkingEnabled": False,
    "withoutUndo": True,
    "jobType": "V2Ingest",
    "queryLocator": "no-locator",
    "object": "Account",
    "operation": "insert",
    "externalIdFieldName": "External_Id__c",
    "columnDelimiter": "COMMA",
    "lineEnding": "LF",
    "contentType": "CSV",
    "assignmentRuleId": "01Q000000000001AAA",
    "csv": ONE_ROW,
    "records": [{"Name": "Acme"}],
    "file": "/no/such/file.csv",
    "recipe": "accounts-weekly",
    "which": ["failed"],
    "where": {"statusCode": ["REQUIRED_FIELD_MISSING"]},
    "statusCode": ["REQUIRED_FIELD_MISSING"],
    "field": ["Name"],
    "again": True,
    "skipSent": False,
    "encoding": "windows-1252",
    "set": {"Phone": "1"},
    "values": {"Name": {"Acme": "Other"}},
    "only": ["Name"],
    "formats": {"Name": "Ja/Nein"},
    "leaveOut": {"cells": {"Phone": ["1"]}},
    "cells": {"Name": ["Other"]},
    "lines": "2",
    "notRows": True,
    "match": "updateOnly",
    "changedOnly": True,
    "part": 1,
    "sha256": "0" * 64,
    "dryRun": True,
    "preflight": "off",
    "loadAgain": True,
    "linesShown": 50,
    "compare": ["Name"],
    "waitSeconds": 1,
    "confirm": "Yes",
    "saveAs": "/no/such/rows.csv",
    "offset": 1,
    "limit": 1,
    "state": "UploadComplete",
}


@dataclass(frozen=True)
class Argument:
    """An argument of a tool at any depth: where it stands, and its schema."""

    path: tuple[str, ...]
    schema: Mapping[str, Any]
    is_optional: bool


def arguments_of(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Argument]:
    """Every argument in an input schema, with those in it."""
    for name, of_one in schema.get("properties", {}).items():
        yield Argument((*path, name), of_one, name not in schema.get("required", ()))
        yield from arguments_of(of_one, (*path, name))


@dataclass(frozen=True)
class Jobs:
    """An ended job of which one row failed, and an open one."""

    ended: str
    open: str


@pytest.fixture
async def jobs(client: Client) -> AsyncIterator[Jobs]:
    ended = await loaded(client, "Name,Phone\nAcme,1\n,2\n,3\n", load_again=True)
    yield Jobs(ended, (await call(client, "create-ingest-job", body=INSERT))["id"])


def whole_call(tool: str, argument: Argument, jobs: Jobs) -> dict[str, Any]:
    """The arguments of a call of the tool that has what must be given, and a value of this argument."""
    samples = {**SAMPLES, "jobId": jobs.ended, "jobs": [jobs.ended], "rowsOf": {"jobs": [jobs.ended]}}
    samples["columns"] = ["Name"] if tool.startswith("get-") else {"Name": "Name"}
    given: dict[str, Any] = {}
    if tool == "create-ingest-job":
        # An object that there is not: no job is made, whether dryRun is understood or not.
        given = {"body": {"object": "Nothing__c", "operation": "insert"}, "data": {"csv": ONE_ROW}}
        if argument.path[0] != "dryRun":
            given = {**given, "body": INSERT, "dryRun": True}
    elif tool == "upload-data-ingest-job":
        to_open = {"jobId": jobs.open, "dryRun": True}
        given = {"body": {"csv": ONE_ROW}, **({"jobId": jobs.ended} if argument.path[0] == "dryRun" else to_open)}
    elif tool == "close-abort-ingest-job":
        given = {"jobId": jobs.ended, "body": {"state": "UploadComplete"}}
    elif tool != "list-all-ingest-jobs":
        given = {"jobId": jobs.ended}
    put(given, argument.path, samples)
    return given


def put(given: dict[str, Any], path: tuple[str, ...], samples: Mapping[str, Any]) -> None:
    """Put the sample of the last name of the path where the path leads to, with samples on the way."""
    name, rest = path[0], path[1:]
    if name in SOURCES:
        for other in SOURCES:
            given.pop(other, None)
    if name in ("encoding", "recipe"):
        given.pop("csv")
        given["file"] = SAMPLES["file"]
    if not rest:
        given[name] = given.get(name) if name in ("body", "data") else samples[name]
    else:
        inner = {} if rest == ("statusCode",) or rest == ("field",) else dict(samples.get(name, {}))
        given[name] = {**(given.get(name) or inner)}
        put(given[name], rest, samples)


def changed(given: Any, path: tuple[str, ...], value: Any) -> Any:
    """The arguments with another value of the argument at the path."""
    return value if not path else {**given, path[0]: changed(given.get(path[0]), path[1:], value)}


def without(given: Any, path: tuple[str, ...]) -> Any:
    if len(path) > 1:
        return {**given, path[0]: without(given[path[0]], path[1:])}
    return {name: value for name, value in given.items() if name != path[0]}


def value_at(given: Any, path: tuple[str, ...]) -> Any:
    return value_at(given[path[0]], path[1:]) if path else given


def forms_of(argument: Argument, value: Any) -> Iterator[Any]:
    """Other forms of the same value, as clients send them."""
    kind = argument.schema["type"]
    if kind != "string":
        yield json.dumps(value)
    if kind == "boolean":
        yield str(value)
    if kind == "array":
        yield value[0]


def absences_of(argument: Argument) -> Iterator[Any]:
    """What clients send for an argument that they leave out; an empty text where text is taken, but not for a guard."""
    yield None
    if argument.schema["type"] == "string" and argument.path[-1] not in ("sha256", "recipe"):
        yield ""
    if "enum" in argument.schema:
        yield "null"


async def answer(client: Client, tool: str, given: dict[str, Any]) -> Any:
    """Both halves of the answer; steady, since two creates differ in their ids."""
    result = await client.call_tool(tool, given)
    assert "can't take these arguments" not in text_of(result), (given, text_of(result))
    return steady([result.structured_content, text_of(result)])


async def test_every_form_of_every_argument_of_every_tool_means_the_same(client: Client, jobs: Jobs) -> None:
    tried = 0
    for tool in (await client.list_tools()).tools:
        for argument in arguments_of(tool.input_schema):
            given = whole_call(tool.name, argument, jobs)
            expected = await answer(client, tool.name, given)
            for form in forms_of(argument, value_at(given, argument.path)):
                assert await answer(client, tool.name, changed(given, argument.path, form)) == expected, (given, form)
                tried += 1
    assert tried > 50


async def test_null_stands_for_every_optional_argument_of_every_tool(client: Client, jobs: Jobs) -> None:
    tried = 0
    for tool in (await client.list_tools()).tools:
        for argument in arguments_of(tool.input_schema):
            if not argument.is_optional:
                continue
            given = whole_call(tool.name, argument, jobs)
            left_out = without(given, argument.path)
            if argument.path[-1] in SOURCES:
                left_out = changed(left_out, argument.path[:-1], {"csv": ONE_ROW})
            if argument.path[-1] == "csv":
                left_out = changed(left_out, argument.path[:-1], {"records": [{"Name": "Acme"}]})
            expected = await answer(client, tool.name, left_out)
            for absent in absences_of(argument):
                assert await answer(client, tool.name, changed(left_out, argument.path, absent)) == expected
                tried += 1
    assert tried > 60


async def test_blank_text_for_a_switch_or_a_bound_is_refused(client: Client, jobs: Jobs) -> None:
    tried = 0
    for tool in (await client.list_tools()).tools:
        for argument in arguments_of(tool.input_schema):
            if argument.schema["type"] == "string" and argument.path[-1] != "sha256":
                continue
            given = whole_call(tool.name, argument, jobs)
            for blank in ("", " ", "null"):
                text = await refusal(client, tool.name, **changed(given, argument.path, blank))
                assert f"- {'.'.join(argument.path)}: " in text, text
                tried += 1
    assert tried > 80


async def test_the_words_for_blank_text_say_what_is_taken(client: Client, jobs: Jobs) -> None:
    data = {"rowsOf": {"jobs": jobs.ended, "which": "", "where": " "}, "only": "null"}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=data, sha256="", dryRun="")
    assert text.splitlines()[1:-1] == snapshot(
        [
            '- data.rowsOf.which: expected a list; which is "missing: in no result; alone: created (new Ids), before (old values). Default: the first three, or failed with where"',
            '- data.rowsOf.where: expected an object; where is "Of the failed rows, by error. Default: all"',
            '- data.only: expected a list; only is "Fields to keep. Default: all"',
            '- sha256: expected a text of at least 64 characters; sha256 is "From dryRun: refuse changed rows. Default: take them"',
            '- dryRun: expected true or false; dryRun is "Only check the rows"',
        ]
    )


async def test_a_name_that_is_given_twice_in_json_text_is_refused(client: Client, jobs: Jobs) -> None:
    rows = f'{{"jobs": ["{jobs.ended}"], "where": {{"field": ["Name"]}}, "where": null}}'
    for data in (json.dumps({"rowsOf": rows}), f'{{"rowsOf": {rows}}}', {"records": '[{"where": 1, "where": 2}]'}):
        text = await refusal(client, "create-ingest-job", body=INSERT, data=data)
        assert text == snapshot("""\
Nothing was done: create-ingest-job can't take these arguments.
- where: this is given twice in one object of JSON, with a value that would be lost
Next: create-ingest-job {"body": "<body, corrected>"} is the call, corrected.\
""")


async def test_a_refusal_of_any_argument_has_no_words_of_python(client: Client, jobs: Jobs) -> None:
    for tool in (await client.list_tools()).tools:
        for argument in arguments_of(tool.input_schema):
            given = whole_call(tool.name, argument, jobs)
            wrong_values: list[Any] = [{"not": {"a": "value"}}, [[]], [None], 1.5, "no value at all", [], -1]
            for wrong in wrong_values:
                result = await client.call_tool(tool.name, changed(given, argument.path, wrong))
                for word in ("tuple", "Tuple", "dictionary", "valid list", "None", "valid integer", "valid boolean"):
                    assert word not in text_of(result), text_of(result)


async def test_texts_stay_as_they_are(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        for data in (
            {"csv": "null\n1\n", "columns": {"null": "Name"}},
            {"records": [{"Name": "null", "Phone": "[1]", "Fax": "true", "Site": "", "Description": "12"}]},
            {"csv": "Name\nAcme\n", "set": {"Phone": "null", "Fax": "{}"}, "values": {"Name": {"Acme": "null"}}},
            {"csv": "Name,Phone\nAcme,null\nOther,\n", "leaveOut": {"cells": {"Phone": "null"}}},
            {"csv": "Name,Phone\nAcme,[1]\nOther,1\n", "leaveOut": {"cells": {"Phone": "1"}}},
        ):
            await call(client, "create-ingest-job", body=INSERT, data=data, loadAgain=True)
    assert org.uploads == snapshot(
        [
            b"Name\n1\n",
            b'"Name","Phone","Fax","Site","Description"\n"null","[1]","true","","12"\n',
            b"Name,Phone,Fax\nnull,null,{}\n",
            b"Name,Phone\nOther,\n",
            b"Name,Phone\nAcme,[1]\n",
        ]
    )


async def test_lists_in_texts_and_lines_as_findings_have_them_are_taken(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        for data in (
            {"csv": "Name\nAcme\n", "columns": {"Name": '["Name", "Site"]'}},
            {"csv": "Name,Phone\nAcme,1\nOther,2\nThird,3\n", "leaveOut": {"cells": {"Phone": '["1", "2"]'}}},
            {"csv": "Name\nAcme\nOther\nThird\n", "leaveOut": {"lines": [2, 4]}},
            {"csv": "Name\nAcme\nOther\nThird\n", "leaveOut": {"lines": 4}},
        ):
            await call(client, "create-ingest-job", body=INSERT, data=data, loadAgain=True)
    assert org.uploads == snapshot(
        [b"Name,Site\nAcme,Acme\n", b"Name,Phone\nThird,3\n", b"Name\nOther\n", b"Name\nAcme\nOther\n"]
    )


async def test_rows_of_earlier_jobs_come_in_every_form_to_an_open_job_too(client: Client, jobs: Jobs) -> None:
    rows = {"jobs": jobs.ended, "which": "failed", "where": None, "again": "false"}
    given = {"jobId": jobs.open, "body": {"rowsOf": json.dumps(rows), "csv": None}, "dryRun": "true"}
    assert (await call(client, "upload-data-ingest-job", **given))["rows"] == 2


async def test_null_in_the_cells_and_the_columns_is_data(org: WatchedOrg) -> None:
    data = {"records": [{"Name": "Acme", "Phone": None, "Junk": "x"}], "columns": {"Junk": None}, "set": {"Fax": None}}
    async with agent(org.url) as client:
        await call(client, "create-ingest-job", body=INSERT, data=data, loadAgain=True)
    assert org.uploads == snapshot([b"Name,Phone,Fax\nAcme,#N/A,#N/A\n"])


async def test_null_for_what_is_required_is_refused(client: Client) -> None:
    assert "body is missing" in await refusal(client, "create-ingest-job", body=None)
    assert "- body: expected an object" in await refusal(client, "upload-data-ingest-job", jobId="750", body=None)
    assert "- jobId: expected text" in await refusal(client, "get-ingest-job-status", jobId=None)
    no_job: dict[str, Any] = {"rowsOf": {"jobs": []}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=no_job)
    assert "- data.rowsOf.jobs: expected at least 1 in this list" in text


def test_a_value_that_fits_in_no_form_comes_back_as_it_is() -> None:
    schema = {"type": "object", "properties": {"count": {"type": "integer"}, "names": {"type": "array"}}}
    for given in ({"count": "many"}, {"count": [1]}, {"other": None}, {"count": "[" * 100_000}):
        assert as_declared(given, schema) == given
    assert as_declared("no object", schema) == "no object"


async def test_half_a_character_in_json_text_is_refused_in_words(client: Client) -> None:
    halves = '{"Description": "\\udfff"}'
    text = await refusal(
        client, "create-ingest-job", body=INSERT, data={"csv": "Name\nA\n", "set": halves}, dryRun=True
    )
    assert "inside this server" not in text and "- data.set: expected an object" in text
