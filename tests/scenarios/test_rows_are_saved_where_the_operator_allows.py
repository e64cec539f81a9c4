"""Rows of results are saved where a caller wants them, in a folder that the operator named for that, and nowhere else."""

import csv
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.base.caller import Caller, called_by
from salesforce_bulk_ingest.results.save_roots import SaveRoots
from tests.support.next_call import next_call
from tests.support.orgs import ERAS, Era, agent, call, closed, loaded, refusal, steady
from tests.support.watched_org import WatchedOrg, agent_keeping

FAILED = "get-failed-results-ingest-job"
TOOLS = (FAILED, "get-successful-results-ingest-job", "get-unprocessed-records-ingest-job")
REST = "http://127.0.0.1:8080/v1"
SOURCE = "Kunde;Notiz;Mitarbeiter\nMüller;=1+1;viele\nC;+49;1\n;@x;2\nD;-;x\n"
MAPPING = {"columns": {"Kunde": "Name", "Notiz": "Description", "Mitarbeiter": "NumberOfEmployees"}}


@asynccontextmanager
async def saving(org: WatchedOrg, folder: Path, **settings: Any) -> AsyncIterator[Client]:
    """A client of a server over HTTP that saves rows in the folder `for-people`."""
    (folder / "for-people").mkdir(exist_ok=True)
    chosen = {"rest_url": REST, "save_roots": [folder / "for-people"], "upload_roots": [folder], **settings}
    async with agent(org.url, folder=folder / "kept", **chosen) as client:
        yield client


async def loaded_source(client: Client, folder: Path, source: bytes = SOURCE.encode("cp1252")) -> str:
    (folder / "kunden.csv").write_bytes(source)
    body, data = {"object": "Account", "operation": "insert"}, {"file": "kunden.csv", "encoding": "cp1252", **MAPPING}
    job = (await call(client, "create-ingest-job", body=body, data=data, preflight="off"))["id"]
    await closed(client, job)
    return str(job)


def rows_in(path: Path | str) -> list[list[str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=";"))


def mode_of(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def people(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "for-people").rglob("*") if path.is_file()}


@pytest.mark.parametrize("era", ERAS)
async def test_failed_rows_are_saved_in_the_order_of_their_source_with_lines_errors_and_exact_cells(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    async with saving(org, tmp_path, era=era) as client:
        job = await loaded_source(client, tmp_path)
        page = await call(client, FAILED, jobId=job, saveAs="failed.csv", limit=1)
    assert page["sourceFile"] == str((tmp_path / "for-people" / "failed.csv").resolve())
    assert steady(page["summary"]) == snapshot(
        "1 row of 3, from offset 0 on, in the failed results of job JOB, which is JobComplete. All rows were saved, in the order of their source."
    )
    header, *rows = rows_in(page["sourceFile"])
    assert header == ["sf__Line", "sf__Id", "sf__Error", "Kunde", "Notiz", "Mitarbeiter"]
    assert [[line, *cells] for line, _, _, *cells in rows] == [
        ["2", "Müller", "=1+1", "viele"], ["4", "", "@x", "2"], ["5", "D", "-", "x"],
    ]  # fmt: skip
    assert all(error.endswith("--") for _, _, error, *_ in rows)
    assert os.name != "posix" or mode_of(page["sourceFile"]) == 0o600


async def test_the_call_made_again_writes_nothing_and_leads_on_without_saving(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
        first = await call(client, FAILED, jobId=job, saveAs="failed.csv")
        before = people(tmp_path)
        again = await call(client, FAILED, jobId=job, saveAs="failed.csv")
        kept = await call(client, FAILED, jobId=job)
        page = await call(client, TOOLS[1], jobId=job, saveAs="loaded.csv", limit=1)
        more = await call(client, TOOLS[1], jobId=job, saveAs="loaded.csv", offset=9)
    assert "All rows were saved there before, so nothing was written." in again["summary"]
    assert (again["sourceFile"], again["next"]) == (first["sourceFile"], kept["next"])
    assert {name: people(tmp_path)[name] for name in before} == before
    assert "sourceFile" not in kept and "saveAs" not in page["next"]
    assert more["rows"] == [] and more["sourceFile"] == page["sourceFile"]
    assert [row[0] for row in rows_in(page["sourceFile"])] == ["sf__Line", "3"]


async def test_all_rows_are_saved_whatever_the_page_shows(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
        await call(client, FAILED, jobId=job, saveAs="all.csv")
        narrow = {"columns": ["Name"], "offset": 1}
        await call(client, FAILED, jobId=job, saveAs="of-a-page.csv", **narrow)
    assert people(tmp_path)["all.csv"] == people(tmp_path)["of-a-page.csv"]


async def test_rows_with_some_errors_are_saved_alone(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
        page = await call(client, FAILED, jobId=job, saveAs="named.csv", where={"field": "NumberOfEmployees"}, limit=1)
        again = await call(client, FAILED, jobId=job, saveAs="named.csv", where={"field": "NumberOfEmployees"})
        none = await call(client, FAILED, jobId=job, saveAs="none.csv", where={"statusCode": "UNABLE_TO_LOCK_ROW"})
        other = await refusal(client, FAILED, jobId=job, saveAs="named.csv")
    assert page["summary"].endswith(" All such rows were saved, in the order of their source.")
    assert again["summary"].endswith(" All such rows were saved there before, so nothing was written.")
    assert none["summary"].endswith(" There is no row to save, so no file was made.")
    assert "is there already, with other content" in other
    assert list(people(tmp_path)) == ["named.csv"]
    header, *rows = rows_in(page["sourceFile"])
    assert header == ["sf__Line", "sf__Id", "sf__Error", "Kunde", "Notiz", "Mitarbeiter"]
    assert [[line, *cells] for line, _, _, *cells in rows] == [["2", "Müller", "=1+1", "viele"], ["5", "D", "-", "x"]]


async def test_rows_that_were_never_tried_are_saved_too(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        body = {"object": "Account", "operation": "insert"}
        job = (await call(client, "create-ingest-job", body=body, data={"csv": "Name\nA\nB\n"}))["id"]
        await call(client, "close-abort-ingest-job", jobId=job, body={"state": "Aborted"})
        page = await call(client, TOOLS[2], jobId=job, saveAs="left.csv")
    assert people(tmp_path) == {"left.csv": b"sf__Line,Name\n2,A\n3,B\n"}
    assert page["sourceFile"].endswith("left.csv")


async def test_a_server_without_a_folder_for_that_saves_nothing_and_says_what_the_operator_can_do(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        job = await loaded_source(client, tmp_path)
        told = [await refusal(client, tool, jobId=job, saveAs=str(tmp_path / "rows.csv")) for tool in TOOLS]
    assert steady(told[0]) == snapshot("""\
INSUFFICIENT_ACCESS: This server saves no files: the operator has named no folder for that (--save-root). Without saveAs, the rows come in pages.
Next: Tell the user. Don't look for another way around.\
""")
    assert all("--save-root" in each for each in told)
    assert names_in(tmp_path) == ["kunden.csv"]


async def test_a_file_that_is_there_stays_and_another_name_is_asked_for(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
        (tmp_path / "for-people" / "failed.csv").write_text("mine")
        text = await refusal(client, FAILED, jobId=job, saveAs="failed.csv")
    assert people(tmp_path) == {"failed.csv": b"mine"}
    tool, arguments = next_call(text.partition("\nNext: ")[2])
    assert (tool, arguments) == (FAILED, {"jobId": job, "saveAs": "<saveAs, corrected>"})


async def test_rows_with_hidden_cells_are_saved_in_no_file_of_a_caller(org: WatchedOrg, tmp_path: Path) -> None:
    """A caller could upload the file again, under columns that are shown."""
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
    for hidden in ("Description", "Notiz"):
        async with saving(org, tmp_path, hide_fields=[hidden]) as client:
            for tool in TOOLS[:2]:
                text = await refusal(client, tool, jobId=job, saveAs="failed.csv")
                assert f'The operator hides the cells of "{hidden}"' in text
    assert people(tmp_path) == {}


async def test_a_caller_who_may_only_read_has_no_file_made(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
    with called_by(Caller("reader", may_write=False)):
        async with saving(org, tmp_path) as client:
            text = await refusal(client, FAILED, jobId=job, saveAs="failed.csv")
            assert len((await call(client, FAILED, jobId=job))["rows"]) == 3
    assert "This caller may only read" in text and people(tmp_path) == {}


async def test_a_read_only_server_saves_where_its_operator_says_so(org: WatchedOrg, tmp_path: Path) -> None:
    """It changes nothing in the org."""
    async with saving(org, tmp_path) as client:
        job = await loaded_source(client, tmp_path)
    async with saving(org, tmp_path, read_only=True) as client:
        await call(client, FAILED, jobId=job, saveAs="failed.csv")
    assert list(people(tmp_path)) == ["failed.csv"]


async def test_what_is_not_kept_or_not_there_is_not_saved(org: WatchedOrg, tmp_path: Path) -> None:
    async with saving(org, tmp_path) as client:
        open_job = (await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"}))["id"]
        job = await loaded(client, "Name\nAll good\n")
        told = {
            "open": await refusal(client, FAILED, jobId=open_job, saveAs="a.csv"),
            "no rows": (await call(client, FAILED, jobId=job, saveAs="a.csv"))["summary"],
        }
    for name, settings in {"no spool": {"no_spool": True}, "no kept uploads": {"no_kept_uploads": True}}.items():
        async with saving(org, tmp_path, **settings) as client:
            job = await loaded(client, f"Name\n{name}\n")
            told[name] = await refusal(client, TOOLS[1], jobId=job, saveAs="a.csv")
    assert steady({name: text.partition("\nNext: ")[0] for name, text in told.items()}) == snapshot(
        {
            "open": "INVALID_ARGUMENT: Job JOB is Open: its rows can be saved when it has ended. Wait for it with get-ingest-job-status and waitSeconds.",
            "no rows": "No rows in the failed results of job JOB, which is JobComplete. There is no row to save, so no file was made.",
            "no spool": "INVALID_ARGUMENT: This server keeps no results (no_spool), so it puts none in source order: leave saveAs out.",
            "no kept uploads": "INVALID_ARGUMENT: The rows of job JOB can't be put in source order, since what was uploaded to it is not kept here. Nothing was saved: without saveAs the rows come in pages.",
        }
    )
    assert people(tmp_path) == {}


async def test_rows_that_are_not_in_order_in_time_are_saved_by_the_same_call(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "for-people").mkdir()
    seconds_left: list[float] = []
    options: dict[str, Any] = {
        "caches_results": True,
        "save_roots": SaveRoots([tmp_path / "for-people"]),
        "seconds_left": lambda: seconds_left.pop(0) if seconds_left else 20.0,
    }
    async with agent_keeping(org, tmp_path, **options) as client:
        job = await loaded_source(client, tmp_path)
        seconds_left += [20, 20, 0, 0]  # the result comes, but not its order
        page = await call(client, FAILED, jobId=job, saveAs="failed.csv")
        assert (page["next"].partition("}")[2], people(tmp_path)) == (" saves the rows: it is the same call again.", {})
        assert "Nothing is saved yet" in page["summary"] and "sourceFile" not in page
        tool, arguments = next_call(page["next"])
        page = await call(client, tool, **arguments)
    assert "All rows were saved, in the order of their source." in page["summary"] and list(people(tmp_path)) == [
        "failed.csv"
    ]
