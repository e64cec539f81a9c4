"""Rows are not taken for rows that were never sent again because the record of it was lost."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from salesforce_bulk_ingest.local_paths import SPOOL
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.clocks import Clock
from tests.support.orgs import ERAS, Era, agent, call, loaded, refusal

INSERT = {"object": "Account", "operation": "insert"}
WITHOUT_NAME = 7


def rows_of(tag: str) -> str:
    """21 rows, of which 7 have no name, without which Salesforce refuses them; all are other rows than those of other tags."""
    return "Name,Phone\n" + "".join(f"{'' if n % 3 == 0 else f'{tag} {n}'},{tag} {n}\n" for n in range(1, 22))


ROWS = rows_of("Row")


def named(job: str, **more: Any) -> dict[str, Any]:
    """The arguments of a create that sends the failed rows of a job again, with a name."""
    rows_of = {"jobs": [job], "which": ["failed"], **more}
    return {"body": INSERT, "data": {"rowsOf": rows_of, "set": {"Name": "Named"}}, "preflight": "off"}


async def send_again(client: Client, job: str, **more: Any) -> dict[str, Any]:
    """The answer to a create that sends the failed rows of a job again, once they are loaded."""
    again = await call(client, "create-ingest-job", **named(job, **more))
    closing = {"jobId": again["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    assert (await call(client, "close-abort-ingest-job", **closing))["state"] == "JobComplete"
    return again


@pytest.fixture
def clock() -> Clock:
    """The clock of the org, which shows the time of this machine until a test moves it."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def org(tmp_path: Path, clock: Clock) -> Iterator[Caller]:
    with an_org(tmp_path / "org", clock=clock) as caller:
        yield caller


def url_of(org: Caller) -> str:
    return str(org.http.base_url).rstrip("/")


def remove(record: Path) -> None:
    record.unlink()


def empty(record: Path) -> None:
    record.write_bytes(b"")


def put_another_in_place(record: Path) -> None:
    """The record of another machine, or one that was made anew by a server that had another cache."""
    record.unlink()
    shutil.copy(record.with_name("another.sqlite3"), record)


def put_an_older_copy_in_place(record: Path) -> None:
    shutil.copy(record.with_name("older.sqlite3"), record)


LOSSES: list[Callable[[Path], None]] = [remove, empty, put_another_in_place, put_an_older_copy_in_place]


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lose, id=lose.__name__, marks=pytest.mark.slow if lose in (empty, put_another_in_place) else ())
        for lose in LOSSES
    ],
)
async def test_rows_of_older_jobs_go_only_where_that_is_meant(
    org: Caller, clock: Clock, tmp_path: Path, lose: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    record = tmp_path / "uploads.sqlite3"
    async with agent(url_of(org), folder=tmp_path / "elsewhere") as client:
        await loaded(client, rows_of("Else"), preflight="off")
    shutil.copy(tmp_path / "elsewhere" / "uploads.sqlite3", tmp_path / "another.sqlite3")
    async with agent(url_of(org), folder=tmp_path) as client:
        job = await loaded(client, ROWS, preflight="off")
        shutil.copy(record, tmp_path / "older.sqlite3")
        await send_again(client, job)
    lose(record)
    async with agent(url_of(org), folder=tmp_path) as client:
        for _ in range(2):
            text = await refusal(client, "create-ingest-job", **named(job))
            assert f"Job {job} is older, so its rows may have been sent again before." in text
        assert "that one was lost" in caplog.text
        assert org.count("Name = 'Named'") == WITHOUT_NAME
        # What is made from now on is recorded, and so is what goes again although it may have gone.
        clock.forward(minutes=10)
        younger = await loaded(client, rows_of("Young"), preflight="off")
        await send_again(client, younger)
        again = await send_again(client, job, again=True)
        assert [finding["do"] for finding in again["findings"]] == ["They go a second time, as again says."]
    assert org.count("Name = 'Named'") == 3 * WITHOUT_NAME
    async with agent(url_of(org), folder=tmp_path) as client:
        for known in (younger, job):
            assert "were sent again before" in await refusal(client, "create-ingest-job", **named(known))


@pytest.mark.parametrize("era", ERAS)
async def test_a_record_that_is_lost_while_the_server_runs_is_missed(org: Caller, tmp_path: Path, era: Era) -> None:
    async with agent(url_of(org), folder=tmp_path, era=era) as client:
        job = await loaded(client, ROWS, preflight="off")
        await send_again(client, job)
        (tmp_path / "uploads.sqlite3").unlink()
        assert "is older" in await refusal(
            client, "create-ingest-job", **named(job, where={"statusCode": "REQUIRED_FIELD_MISSING"})
        )
    assert org.count("Name = 'Named'") == WITHOUT_NAME


async def test_a_damaged_record_is_told_until_it_is_removed_and_then_missed(org: Caller, tmp_path: Path) -> None:
    record = tmp_path / "uploads.sqlite3"
    async with agent(url_of(org), folder=tmp_path) as client:
        job = await loaded(client, ROWS, preflight="off")
        await send_again(client, job)
    record.write_bytes(b"x" * 4096)
    async with agent(url_of(org), folder=tmp_path) as client:
        assert "it is no database" in await refusal(client, "create-ingest-job", **named(job))
        record.unlink()
        assert "is older" in await refusal(client, "create-ingest-job", **named(job))
    assert org.count("Name = 'Named'") == WITHOUT_NAME


async def test_a_record_without_the_cached_files_is_as_good_as_ever(org: Caller, tmp_path: Path) -> None:
    async with agent(url_of(org), folder=tmp_path) as client:
        job, other = [await loaded(client, rows, preflight="off") for rows in (ROWS, rows_of("Line"))]
        await send_again(client, job)
    shutil.rmtree(tmp_path / SPOOL)
    async with agent(url_of(org), folder=tmp_path) as client:
        assert "were sent again before" in await refusal(client, "create-ingest-job", **named(job))
        await send_again(client, other)


async def test_results_that_are_looked_at_first_of_all_are_no_sign_of_a_lost_record(
    org: Caller, tmp_path: Path
) -> None:
    async with agent(url_of(org), folder=tmp_path / "first") as client:
        job = await loaded(client, ROWS, preflight="off")
    async with agent(url_of(org), folder=tmp_path / "second") as client:
        assert (await call(client, "get-failed-results-ingest-job", jobId=job))["total"] == WITHOUT_NAME
        await send_again(client, job)
    assert org.count("Name = 'Named'") == WITHOUT_NAME
