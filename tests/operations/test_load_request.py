"""Requests of loads through the tools: a job has the form that its create names, and else that of its rows."""

from typing import Any

import pytest
from mcp import Client

from tests.operations.test_load import text_of_rows
from tests.support.orgs import agent, call, closed
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}


async def created(client: Client, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", body=more.pop("body", INSERT), data=data, **more)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("name", "mark"), [("COMMA", ","), ("SEMICOLON", ";"), ("TAB", "\t"), ("PIPE", "|")])
async def test_a_job_is_made_in_the_form_of_its_data(name: str, mark: str, newline: str, org: WatchedOrg) -> None:
    rows = text_of_rows([["Name", "BillingCity"], [f"Form {name}", 'a,b;c\td|"e"']], mark, newline)
    async with agent(org.url) as client:
        job = await created(client, {"csv": rows})
        assert (job["columnDelimiter"], job["lineEnding"]) == (name, "CRLF" if newline == "\r\n" else "LF")
        assert job["findings"] == []
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    assert org.uploads == [rows.encode()]


async def test_a_form_that_create_names_holds_and_data_in_another_is_written_anew(org: WatchedOrg) -> None:
    rows = {"csv": "Name;Phone\nNamed form;1\n"}
    pipes = INSERT | {"columnDelimiter": "PIPE"}
    async with agent(org.url) as client:
        job = await created(client, rows, body=pipes)
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    assert org.uploads == [b"Name|Phone\nNamed form|1\n"]
