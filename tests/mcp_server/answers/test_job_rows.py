"""What the rows of a job are, in the answers about it: the source, the part, and the call for the next part."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.altered_results import AlteredResults
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed, text_of
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
ROWS = "Name;Description\n" + "".join(f"Company {n};{'x' * 330}\n" for n in range(4))
LIMIT = 1_100
"""The most bytes of a part, which three of these rows have."""


async def first_part(client: Client, data: dict[str, Any], **body: str) -> dict[str, Any]:
    """The status of a job with the first of two parts of some rows, after it has ended."""
    checked = await call(client, "create-ingest-job", body={**INSERT, **body}, data=data, dryRun=True)
    part = {"part": 1, "sha256": checked["sha256"]}
    made = await call(client, "create-ingest-job", body={**INSERT, **body}, data=data, **part)
    await closed(client, made["id"])
    return await call(client, "get-ingest-job-status", jobId=made["id"])


async def test_a_part_names_its_source_and_the_rows_of_all_parts_and_leads_to_the_next(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    options: dict[str, Any] = {"folder": tmp_path, "upload_roots": [tmp_path], "max_upload_bytes": LIMIT}
    async with agent(org.url, **options) as client:
        status = await first_part(client, {"file": "rows.csv"})
        assert status["load"] == {"source": "rows.csv", "rows": 3, "part": 1, "of": 2, "allRows": 4}
        assert status["summary"].endswith("It has 3 rows from rows.csv, part 1 of 2 (4 rows in all). New records: 3.")
    async with agent(org.url, **options) as client:  # another server, with the same record
        status = await call(client, "get-ingest-job-status", jobId=status["id"])
        tool, arguments = next_call(status["next"])
        assert (tool, arguments["data"], arguments["part"]) == ("create-ingest-job", {"file": "rows.csv"}, 2)
        second = await call(client, tool, **arguments)
        assert (second["rows"], second["part"]) == (1, 2)
        status = await call(client, "get-ingest-job-status", jobId=status["id"])
    assert next_call(status["next"]) == ("get-ingest-job-status", {"jobId": second["id"][:15]})


async def test_a_part_of_rows_that_are_loaded_a_second_time_does_not_lead_to_a_job_of_the_first_time(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT) as client:
        first = await first_part(client, {"file": "rows.csv"})
        tool, arguments = next_call(first["next"])
        second = await call(client, tool, **arguments)
        load = {**arguments, "loadAgain": True}
        again = await call(client, tool, **{**load, "part": 1})
        await closed(client, again["id"])
        status = await call(client, "get-ingest-job-status", jobId=again["id"])
        tool, arguments = next_call(status["next"])
        assert (tool, arguments["part"]) == ("create-ingest-job", 2)
        last = await call(client, tool, **{**load, "part": 2})
        status = await call(client, "get-ingest-job-status", jobId=again["id"])
    assert next_call(status["next"])[1] == {"jobId": last["id"][:15]} != {"jobId": second["id"][:15]}


async def test_the_next_part_has_the_form_that_the_first_was_asked_in(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT) as client:
        status = await first_part(client, {"file": "rows.csv"}, columnDelimiter="TAB")
        tool, arguments = next_call(status["next"])
        assert (await call(client, tool, **arguments))["part"] == 2


async def test_rows_that_were_uploaded_to_a_job_go_on_in_its_form(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    data = {"file": "rows.csv"}
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT) as client:
        job = await call(client, "create-ingest-job", body={**INSERT, "columnDelimiter": "PIPE"})
        checked = await call(client, "upload-data-ingest-job", jobId=job["id"], body=data, dryRun=True)
        part = {"part": 1, "sha256": checked["sha256"]}
        await call(client, "upload-data-ingest-job", jobId=job["id"], body=data, **part)
        answer = await closed(client, job["id"])
        tool, arguments = next_call(answer["next"])
        assert (await call(client, tool, **arguments))["part"] == 2


async def test_what_no_record_keeps_is_a_gap(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    given = {"set": {"Phone": "1"}, "values": {"Description": {"x": "y"}}, "leaveOut": {"cells": {"Name": "X"}}}
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT + 30) as client:
        asked: list[dict[str, Any]] = [{"file": "rows.csv", **given}, {"csv": ROWS.replace("Company", "Firm")}]
        of_file, of_text = [(await first_part(client, data))["next"] for data in asked]
    # Whose rows a text was is not known: another caller's call for a job would be refused.
    results, _, of_text = of_text.partition(" Then ")
    assert results.endswith("gives the ids of the records: every row succeeded.")
    found = [next_call(sentence)[1]["data"] for sentence in (of_file, of_text)]
    assert found == snapshot(
        [
            {
                "file": "rows.csv",
                "set": "<the same set>",
                "values": "<the same values>",
                "leaveOut": {"cells": "<the same cells>"},
            },
            {"csv": "<the same rows>"},
        ]
    )


async def test_where_rows_of_a_part_failed_they_come_first_and_the_next_part_after_them(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS.replace("Company 1;", ";"))
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT) as client:
        status = await first_part(client, {"file": "rows.csv"})
    assert status["next"].startswith("get-failed-results-ingest-job")
    assert '"part": 2' in status["next"]


FOUR_PARTS = "Name;Description\n" + "".join(f"{'' if n == 2 else f'Firm {n}'};{'x' * 900}\n" for n in range(4))


async def parts_sent(client: Client, folder: Path, *numbers: int) -> list[str]:
    """The ids of jobs with these parts of four rows, a row each, the third without a name; they are open."""
    (folder / "rows.csv").write_text(FOUR_PARTS)
    given = {"body": INSERT, "data": {"file": "rows.csv"}}
    checked = await call(client, "create-ingest-job", **given, dryRun=True)
    assert checked["of"] == 4
    made = [
        await call(client, "create-ingest-job", **given, part=number, sha256=checked["sha256"]) for number in numbers
    ]
    return [str(each["id"]) for each in made]


def without_counters(content: bytes) -> bytes:
    """A job without what Salesforce counted in it."""
    return json.dumps({name: value for name, value in json.loads(content).items() if "number" not in name}).encode()


@asynccontextmanager
async def in_parts(org: WatchedOrg, folder: Path) -> AsyncIterator[Client]:
    async with agent(org.url, folder=folder, upload_roots=[folder], max_upload_bytes=LIMIT) as client:
        yield client


async def test_the_last_part_says_what_became_of_the_rows_of_all(org: WatchedOrg, tmp_path: Path) -> None:
    async with in_parts(org, tmp_path) as client:
        *others, last = await parts_sent(client, tmp_path, 1, 2, 3, 4)
        for job in others:
            assert "loadedInAll" not in (await closed(client, job))["load"]
        answer = await closed(client, last)
        assert answer["load"] == snapshot(
            {"source": "rows.csv", "rows": 1, "part": 4, "of": 4, "allRows": 4, "loadedInAll": 3, "failedInAll": 1}
        )
        assert " In all 4 parts: 3 loaded, 1 failed (rows sent again count in their own jobs)." in answer["summary"]
    async with in_parts(org, tmp_path) as client:  # another server, with the same record
        assert (await call(client, "get-ingest-job-status", jobId=last))["load"] == answer["load"]


async def test_parts_that_run_or_are_not_known_are_named(org: WatchedOrg, tmp_path: Path) -> None:
    async with in_parts(org, tmp_path) as client:
        first, second, last = await parts_sent(client, tmp_path, 1, 2, 4)
        await closed(client, first)
        answer = await closed(client, last)
        assert answer["load"] == snapshot(
            {
                "source": "rows.csv",
                "rows": 1,
                "part": 4,
                "of": 4,
                "allRows": 4,
                "loadedInAll": 2,
                "failedInAll": 0,
                "partsRunning": [2],
                "partsUnknown": [3],
            }
        )
        assert (
            " In 2 of the 4 parts: 2 loaded, none failed; part 2 not ended yet; part 3 not known here."
            in answer["summary"]
        )
        assert '"part": 3' in answer["next"]
        await call(client, "delete-ingest-job", jobId=first)
        await call(client, "close-abort-ingest-job", jobId=second, body={"state": "Aborted"})
        answer = await call(client, "get-ingest-job-status", jobId=last)
    assert " In 2 of the 4 parts: 1 loaded, none failed; parts 1, 3 not known here." in answer["summary"]


async def test_a_last_part_of_which_salesforce_gives_no_counters_is_not_known_either(tmp_path: Path) -> None:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    with running(org) as url:
        async with agent(url, folder=tmp_path, upload_roots=[tmp_path], max_upload_bytes=LIMIT) as client:
            *others, last = await parts_sent(client, tmp_path, 1, 2, 3, 4)
            for job in [*others, last]:
                await closed(client, job)
            org.alterations[last] = [without_counters]
            answer = await call(client, "get-ingest-job-status", jobId=last)
    assert answer["load"]["partsUnknown"] == [4]
    assert " In 3 of the 4 parts: 2 loaded, 1 failed" in answer["summary"]


async def test_a_part_that_was_skipped_comes_before_the_next_one(org: WatchedOrg, tmp_path: Path) -> None:
    async with in_parts(org, tmp_path) as client:
        _, third = await parts_sent(client, tmp_path, 1, 3)
        await closed(client, third)
        _, _, following = (await call(client, "get-ingest-job-status", jobId=third))["next"].partition(" Then ")
        tool, arguments = next_call(following)
        assert (await call(client, tool, **arguments))["part"] == 2
        _, _, following = (await call(client, "get-ingest-job-status", jobId=third))["next"].partition(" Then ")
    assert next_call(following)[1]["part"] == 4


async def test_rows_of_parts_that_were_neither_loaded_nor_failed_are_counted(org: WatchedOrg, tmp_path: Path) -> None:
    async with in_parts(org, tmp_path) as client:
        first, *others, last = await parts_sent(client, tmp_path, 1, 2, 3, 4)
        await call(client, "close-abort-ingest-job", jobId=first, body={"state": "Aborted"})
        for job in others:
            await closed(client, job)
        answer = await closed(client, last)
    assert (
        " In all 4 parts: 2 loaded, 1 failed (rows sent again count in their own jobs), 1 neither." in answer["summary"]
    )


async def test_a_load_of_the_same_rows_into_another_object_is_none_of_the_parts(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    async with in_parts(org, tmp_path) as client:
        first = await first_part(client, {"file": "rows.csv"})
        _, arguments = next_call(first["next"])
        for change in ({"operation": "update"}, {"object": "Lead"}):
            other = {**arguments["body"], **change}
            made = await call(client, "create-ingest-job", **{**arguments, "body": other, "preflight": "off"})
            answer = await closed(client, made["id"])
            assert answer["load"]["partsUnknown"] == [1]


@pytest.mark.parametrize("data", [{"csv": "Name\nA\n"}, {"records": [{"Name": "A"}]}])
async def test_an_open_job_says_how_many_rows_it_has(client: Client, data: dict[str, Any]) -> None:
    made = await call(client, "create-ingest-job", body=INSERT, data=data)
    answer = await client.call_tool("get-ingest-job-status", {"jobId": made["id"]})
    assert answer.structured_content is not None
    assert answer.structured_content["load"] == {"rows": 1}
    assert "is Open. It has 1 row." in text_of(answer)


async def test_rows_of_earlier_jobs_name_the_job(client: Client) -> None:
    made = await call(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nA\n"})
    await call(client, "close-abort-ingest-job", jobId=made["id"], body={"state": "Aborted"})
    again = await call(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [made["id"]]}})
    status = await call(client, "get-ingest-job-status", jobId=again["id"])
    assert status["load"]["source"] == f"job {made['id']}"
    assert status["summary"].endswith(f" It has 1 row from job {made['id']}.")


async def test_a_file_whose_name_is_a_sentence_is_quoted(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "job of today.csv").write_text("Name\nA\n")
    async with agent(org.url, folder=tmp_path, upload_roots=[tmp_path]) as client:
        made = await call(client, "create-ingest-job", body=INSERT, data={"file": "job of today.csv"})
        status = await call(client, "get-ingest-job-status", jobId=made["id"])
    assert status["summary"].endswith(' It has 1 row from "job of today.csv".')


async def test_a_job_of_which_nothing_is_known_has_no_load(client: Client) -> None:
    made = await call(client, "create-ingest-job", body=INSERT)
    assert "load" not in await call(client, "get-ingest-job-status", jobId=made["id"])
