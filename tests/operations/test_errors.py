"""Refusals of a load carry what a caller needs to go on."""

import re
from pathlib import Path

from tests.support.orgs import refusal
from tests.support.watched_org import WatchedOrg, agent_keeping

TWICE = {"csv": "Name,Name\nAcme,Oslo\n"}
INSERT = {"object": "Account", "operation": "insert"}


async def test_refused_rows_carry_the_plan_of_what_was_found_in_them(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data=TWICE)
    assert "no job was made and nothing was sent" in text
    assert "- error, column Name, line 1: Several columns are Name" in text
    assert org.changes == []


async def test_a_job_whose_rows_may_not_be_there_is_named(org: WatchedOrg, tmp_path: Path) -> None:
    org.go_wrong({"on": "upload", "fault": "server-error"})
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nAcme\n"})
    [job_id] = set(re.findall(r"\b750[0-9A-Za-z]{15}\b", text))
    assert org.changes[1:] == ["POST ingest", "PUT ingest/JOB/batches"] and job_id in text.splitlines()[0]
