"""The command `purge`: what it shows, asks and removes, also while a server runs."""

import copy
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.cache.file_cache import FileCache
from salesforce_bulk_ingest.cache.job_files import JobKey
from salesforce_bulk_ingest.local_paths import SPOOL
from salesforce_bulk_ingest.salesforce.models import Job
from tests.cli.conftest import RunHere
from tests.support.canary import look
from tests.support.commands import AS_MODULE, Environ, anonymous, run, write_settings
from tests.support.orgs import agent, call, closed, emulator, loaded

CSV = "LastName,Email\nLovelace,ada\nBabbage,cb@x.example\n"


@pytest.fixture
def org_folder(tmp_path: Path) -> Path:
    return tmp_path / "org"


@contextmanager
def two_jobs_kept(folder: Path) -> Iterator[tuple[str, str]]:
    """The ids of two jobs of an embedded org that runs; their uploads are kept beside it, and failed rows of the second one."""

    async def load(url: str) -> tuple[str, str]:
        async with agent(url, folder=folder) as client:
            jobs = [await loaded(client, CSV, object="Contact", preflight="off", load_again=True) for _ in range(2)]
            await call(client, "get-failed-results-ingest-job", jobId=jobs[1])
        return jobs[0], jobs[1]

    with emulator(folder) as url:
        yield anyio.run(load, url)


def shown(text: str, environ: Environ, folder: Path) -> str:
    text = anonymous(text, environ).replace(str(folder), "/the/org")
    return re.sub(r"[\d,]+ bytes", "N bytes", re.sub(r"\b750\w{12}(\w{3})?", "JOB", text))


def kept_rows(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / SPOOL).glob("*/**/*") if path.is_file())


def test_all_that_is_kept_is_shown_with_what_it_costs_and_removed(
    run_here: RunHere, environ: Environ, org_folder: Path
) -> None:
    with two_jobs_kept(org_folder):
        pass
    assert len(kept_rows(org_folder)) > 8
    done = run_here("purge", "--emulator", "--data-dir", str(org_folder), "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert shown(done.stdout, environ, org_folder) == snapshot("""\
Kept in /the/org/spool:
  job JOB: 8 files, N bytes
  job JOB: 6 files, N bytes
  rows to send again: 2 files, N bytes
  in all: 16 files, N bytes

What that costs:
- Results are downloaded again when they are needed: Salesforce has them for 7 days, and has none of a job that was deleted.
- Failed rows go again as Salesforce gives them back: numbers and times written anew, and some columns blank.
- Rows in no result can't be sent again from here, and results are no longer shown in the order of their source.
The record of which rows went into which job stays: it keeps rows from going twice.

Removed 16 of 16 files.
""")
    assert kept_rows(org_folder) == []
    done = run_here("purge", "--emulator", "--data-dir", str(org_folder))
    assert (done.returncode, shown(done.stdout, environ, org_folder)) == snapshot(
        (0, "Nothing of any job is kept in /the/org/spool.\n")
    )


def test_one_job_is_emptied_and_others_are_left(run_here: RunHere, org_folder: Path) -> None:
    with two_jobs_kept(org_folder) as (one, other):
        pass
    done = run_here("purge", other, "--emulator", "--data-dir", str(org_folder), "--yes")
    assert done.returncode == 0 and one[:15] not in done.stdout
    assert {path.parent.name[:15] for path in (org_folder / SPOOL).rglob("upload.csv.gz")} == {one[:15]}


def test_nothing_is_removed_without_a_terminal_or_yes(run_here: RunHere, environ: Environ, org_folder: Path) -> None:
    with two_jobs_kept(org_folder):
        pass
    before = kept_rows(org_folder)
    done = run(environ, "purge", "--emulator", "--data-dir", str(org_folder))
    assert (done.returncode, done.stderr) == snapshot(
        (2, "salesforce-bulk-ingest: nothing was done, since there is no terminal to ask on: add --yes to agree.\n")
    )
    assert kept_rows(org_folder) == before


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize(
    ("answer", "is_removed"),
    [("y\n", True), *(pytest.param(other, False, marks=pytest.mark.slow) for other in ("n\n", "\n"))],
)
def test_on_a_terminal_it_asks(environ: Environ, org_folder: Path, answer: str, is_removed: bool) -> None:
    with two_jobs_kept(org_folder):
        pass
    ours, theirs = os.openpty()
    try:
        os.write(ours, answer.encode())
        done = subprocess.run(
            [*AS_MODULE, "purge", "--emulator", "--data-dir", str(org_folder)],
            env=environ, stdin=theirs, capture_output=True, encoding="utf-8", timeout=60,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    look("what purge printed", done.stdout + done.stderr)
    assert "Remove all that? [y/N]" in done.stdout, done.stderr
    assert (kept_rows(org_folder) == []) == is_removed
    assert done.returncode == (0 if is_removed else 1)
    assert ("Nothing was removed." in done.stdout) != is_removed


def _without_lines(page: dict[str, Any]) -> list[Any]:
    """The causes of a page whose examples have lines of the source, without these lines."""
    causes = copy.deepcopy(page["causes"])
    for cause in causes:
        for example in cause["examples"]:
            del example["line"]
    return list(causes)


async def test_a_server_that_runs_goes_on_with_what_salesforce_gives(environ: Environ, org_folder: Path) -> None:
    with emulator(org_folder) as url:
        async with agent(url, folder=org_folder) as client:
            job = await loaded(client, CSV, object="Contact", preflight="off")
            before = await call(client, "get-failed-results-ingest-job", jobId=job)
            arguments = ("purge", job, "--emulator", "--data-dir", str(org_folder), "--yes")
            done = await anyio.to_thread.run_sync(run, environ, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr
            after = await call(client, "get-failed-results-ingest-job", jobId=job)
            # Lines are known only while the upload is kept.
            assert (after["rows"], after["causes"]) == (before["rows"], _without_lines(before))
            assert "sourceFile" in before and "sourceFile" not in after
            rows = {"rowsOf": {"jobs": [job]}, "set": {"Email": "ada@x.example"}}
            body = {"object": "Contact", "operation": "insert"}
            await call(client, "create-ingest-job", body=body, data=rows, dryRun=True)
            done = await anyio.to_thread.run_sync(run, environ, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr
            created = await call(client, "create-ingest-job", body=body, data=rows)
            assert (await closed(client, created["id"]))["numberRecordsFailed"] == 0
            # The ledger knows them all the same.
            again = await client.call_tool("create-ingest-job", {"body": body, "data": {"rowsOf": {"jobs": [job]}}})
            assert again.is_error


def test_what_a_server_makes_just_now_is_left_and_told(run_here: RunHere, org_folder: Path) -> None:
    with two_jobs_kept(org_folder):
        pass
    spool = FileCache(org_folder / SPOOL, most_bytes=10**9, most_seconds=1_000)
    name = next(name for name in spool.names("") if name.endswith("/failedResults.csv"))
    with spool.lock(name), spool.new_file(name) as file:
        file.file.write(b"half")
        done = run_here("purge", "--emulator", "--data-dir", str(org_folder), "--yes")
        assert (done.returncode, done.stderr) == snapshot(
            (
                1,
                "salesforce-bulk-ingest: warning: 3 files are left, which a server makes just now: purge again when it has made them.\n",
            )
        )
    done = run_here("purge", "--emulator", "--data-dir", str(org_folder), "--yes")
    assert (done.returncode, kept_rows(org_folder)) == (0, [])


@pytest.mark.parametrize("job_id", ["", "750", "../750000000000001", "7500000000000 1", "750000000000001AAAA"])
def test_a_job_id_is_checked_as_everywhere(run_here: RunHere, job_id: str) -> None:
    done = run_here("purge", job_id)
    assert (done.returncode, done.stderr) == snapshot(
        (
            2,
            "salesforce-bulk-ingest: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.\n",
        )
    )


ORGS = """
[orgs.prod]
instance = "acme.my"
expect_org = "00D000000000001EAA"

[orgs.alias]
org = "acme-uat"
"""


def test_with_an_org_only_what_is_kept_of_it_goes(run_here: RunHere, environ: Environ) -> None:
    write_settings(environ, ORGS)
    spool = Path(environ["XDG_CACHE_HOME"]) / "salesforce-bulk-ingest" / SPOOL
    cache = FileCache(spool, most_bytes=10**9, most_seconds=1_000)
    for number, org in enumerate(("acme.my.salesforce.com", "00D000000000001", "other.my.salesforce.com"), 1):
        with cache.new_file(
            JobKey.of(org, Job(id=f"75000000000000{number}AAA", state="JobComplete")).upload_name
        ) as file:
            file.finish(b"")
    done = run_here("purge", "--org", "prod", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.parent.name[:15] for path in spool.rglob("upload.csv.gz")] == ["750000000000003"]
    done = run_here("purge", "--org", "alias", "--yes")
    assert (done.returncode, done.stderr) == snapshot(
        (
            2,
            "salesforce-bulk-ingest: --org: only a login tells which org alias is; add expect_org to its table, or purge without --org.\n",
        )
    )
