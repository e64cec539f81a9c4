"""A machine whose disk is full, whose folders can't be used, or whose files may be no more: loads go on, and it is said."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.support.full_disk import posix_only, printed_on_a_full_disk
from tests.support.orgs import ERAS, Era, agent, call, closed, emulator, refusal, steady

INSERT = {"object": "Account", "operation": "insert"}
ROWS = "Name,Description\n" + "".join(f"Row {row} {'x' * (300 if row % 2 else 3)},d\n" for row in range(6))


def shown(value: Any, folder: Path) -> Any:
    """The value without what differs from run to run."""
    return json.loads(json.dumps(steady(value)).replace(str(folder), "FOLDER"))


@pytest.mark.parametrize("era", ERAS)
async def test_a_load_goes_on_where_the_folder_of_the_cache_can_not_be_used(era: Era, tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    data = {"csv": ROWS}
    with emulator(tmp_path / "org") as url:
        async with agent(url, folder=tmp_path, era=era) as client:
            made = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
            ended = await closed(client, made["id"])
            page = await call(client, "get-failed-results-ingest-job", jobId=made["id"])
            retry = {"body": INSERT, "data": {"rowsOf": {"jobs": [made["id"]]}}}
            refused = await refusal(client, "create-ingest-job", **retry)
            (tmp_path / "spool").unlink()
            retried = await call(client, "create-ingest-job", **retry, preflight="off")
    assert (made["status"], ended["numberRecordsFailed"], len(page["rows"]), retried["rows"]) == ("uploaded", 3, 3, 3)
    assert shown(made["findings"], tmp_path) == snapshot(
        [
            {
                "level": "warning",
                "what": "What was sent is not kept on this machine. It can't be written (FOLDER/spool): a file or a link is in the place of a folder. Move it away.",
                "do": "Rows that fail go again as Salesforce gives them back; keep the source.",
                "lines": [],
                "count": 0,
            }
        ]
    )
    assert shown(refused, tmp_path) == snapshot("""\
SERVER_UNAVAILABLE: What Salesforce gives can't be kept (FOLDER/spool): a file or a link is in the place of a folder. Move it away.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"]}}} is the same call, for when the user has mended that: nothing is wrong with its arguments.\
""")


ON_A_FULL_DISK = """
import json
import sys
from pathlib import Path
import anyio
from tests.scenarios.test_a_machine_at_its_limits import INSERT, ROWS
from tests.support.orgs import agent, call, closed, refusal

async def main(url, folder):
    async with agent(url, folder=Path(folder), audit="stderr") as client:
        insert = {"body": INSERT, "data": {"csv": ROWS}, "preflight": "off"}
        await closed(client, (await call(client, "create-ingest-job", **insert))["id"])
        limit_files(100)
        insert["data"] = {"csv": ROWS.replace("Row", "Other")}
        made = await call(client, "create-ingest-job", **insert)
        ended = await closed(client, made["id"])
        page = await call(client, "get-failed-results-ingest-job", jobId=made["id"])
        retry = {"body": INSERT, "data": {"rowsOf": {"jobs": [made["id"]]}}}
        refused = await refusal(client, "create-ingest-job", **retry)
        async with agent(url, folder=Path(folder)) as unaudited:
            not_made = await refusal(unaudited, "create-ingest-job", body=INSERT)
        limit_files(-1)
        retried = await call(client, "create-ingest-job", **retry, preflight="off")
    print(json.dumps({"made": made, "ended": ended, "page": page, "refused": refused, "retried": retried, "not_made": not_made}))

anyio.run(main, *sys.argv[1:])
"""


@posix_only
def test_a_load_goes_on_where_no_file_may_grow_and_what_is_not_recorded_is_said(tmp_path: Path) -> None:
    with emulator(tmp_path / "org") as url:
        [printed] = printed_on_a_full_disk(ON_A_FULL_DISK, url, tmp_path / "home")
    told = json.loads(printed)
    assert "The audit log can't be written, so nothing is changed" in told["not_made"]
    assert told["made"]["status"] == "uploaded"
    assert (told["ended"]["numberRecordsFailed"], len(told["page"]["rows"]), told["retried"]["rows"]) == (3, 3, 3)
    assert shown(told["made"]["findings"], tmp_path) == snapshot(
        [
            {
                "level": "warning",
                "what": "These rows go without a record of it, so they are not refused when they come a second time: This server's record of rows sent can't be used (FOLDER/home/uploads.sqlite3): the disk can't be read or written there. Check the disk, and the limits of this user (ulimit -a).",
                "do": "Don't send them again unless their job shows that they are not in the org.",
                "lines": [],
                "count": 0,
            },
            {
                "level": "warning",
                "what": "What was sent is not kept on this machine. It can't be written (FOLDER/home/spool): no file of this user may grow so large. Raise the limit of file sizes (ulimit -f).",
                "do": "Rows that fail go again as Salesforce gives them back; keep the source.",
                "lines": [],
                "count": 0,
            },
        ]
    )
    assert shown(told["refused"], tmp_path) == snapshot("""\
SERVER_UNAVAILABLE: What Salesforce gives can't be kept (FOLDER/home/spool): no file of this user may grow so large. Raise the limit of file sizes (ulimit -f).
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"]}}} is the same call, for when the user has mended that: nothing is wrong with its arguments.\
""")


CLOSE_ON_A_FULL_DISK = """
import sys
from pathlib import Path
import anyio
from tests.support.orgs import agent, call, closed, loaded, refusal

async def main(url, folder):
    async with agent(url, folder=Path(folder), audit="stderr") as client:
        inserted = await loaded(client, "Name,Phone\\nOne,1\\nTwo,2\\nThree,3\\n")
        page = await call(client, "get-successful-results-ingest-job", jobId=inserted, columns="sf__Id")
        rows = "".join(f"{id},9\\n" for [id] in page["rows"])
        update = {"body": {"object": "Account", "operation": "update"}, "data": {"csv": f"Id,Phone\\n{rows}"}}
        job = (await call(client, "create-ingest-job", **update))["id"]
        limit_files(50)
        print(await refusal(client, "close-abort-ingest-job", jobId=job, body={"state": "UploadComplete"}))
        print((await call(client, "get-ingest-job-status", jobId=job))["state"])
        limit_files(-1)
        print((await closed(client, job))["summary"])

anyio.run(main, *sys.argv[1:])
"""


@posix_only
def test_what_records_hold_is_kept_whole_or_their_job_is_not_closed(tmp_path: Path) -> None:
    with emulator(tmp_path / "org") as url:
        told, next_, state, summary = printed_on_a_full_disk(CLOSE_ON_A_FULL_DISK, url, tmp_path / "home")
    assert shown(told, tmp_path) == snapshot(
        "RECORDS_UNREAD: The job was not closed, so that it can be undone later: what its records hold can't be read and kept now. What records hold can't be kept (FOLDER/home/spool): no file of this user may grow so large. Raise the limit of file sizes (ulimit -f)."
    )
    assert "withoutUndo" in next_ and state == "Open" and "It can be undone." in summary


WITHOUT_DESCRIPTORS = """
import os
import resource
import sys
from pathlib import Path
import anyio
from tests.scenarios.test_a_machine_at_its_limits import INSERT, ROWS
from tests.support.orgs import agent, call, refusal

async def main(url, folder):
    folder = Path(folder)
    (folder / "rows.csv").write_text(ROWS)
    async with agent(url, folder=folder, upload_roots=(folder,)) as client:
        load = {"body": INSERT, "data": {"file": "rows.csv"}, "preflight": "off", "dryRun": True}
        await call(client, "create-ingest-job", **load)
        (folder / "rows.csv").write_text(ROWS.replace("Row", "Other"))
        opened = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        print(await refusal(client, "create-ingest-job", **load))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        print((await call(client, "create-ingest-job", **load))["status"])

anyio.run(main, *sys.argv[1:])
"""


@posix_only
def test_a_server_that_may_open_no_more_files_says_so_of_the_file_of_a_caller(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with emulator(tmp_path / "org") as url:
        printed = printed_on_a_full_disk(WITHOUT_DESCRIPTORS, url, tmp_path / "home")
    assert shown(printed, tmp_path) == snapshot(
        [
            'SERVER_UNAVAILABLE: "FOLDER/home/rows.csv" can\'t be read: this server has too many files open. Make fewer calls at once, or raise the limit of open files (ulimit -n).',
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "rows.csv"}, "dryRun": true, "preflight": "off"} is the same call, for when the user has mended that: nothing is wrong with its arguments.',
            "checked",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_the_path_of_a_file_that_is_not_there_is_the_caller_s_to_correct(era: Era, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with emulator(tmp_path / "org") as url:
        async with agent(url, folder=tmp_path, era=era, upload_roots=(tmp_path,)) as client:
            texts = [
                await refusal(client, "create-ingest-job", body=INSERT, data={"file": name})
                for name in ("none.csv", "folder", "folder/none/x.csv", "x" * 300)
            ]
    assert all("[Errno" not in text and text.startswith("INVALID_ARGUMENT") for text in texts)
