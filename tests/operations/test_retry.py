"""Retrying rows of earlier jobs: they go out as they were sent, or corrected, and whatever goes wrong, each of them once."""

import csv
import gzip
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client
from starlette.responses import Response

from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import DATA, Caller, calling
from tests.support.asgi_server import running
from tests.support.blanking_org import blanking_org, url_of
from tests.support.next_call import next_call, next_line
from tests.support.orgs import ERAS, Era, agent, agent_over, call, loaded, refusal, steady, text_of
from tests.support.result_org import OneJob
from tests.support.watched_org import Gate, WatchedOrg, agent_keeping
from tests.support.wire import JOB_ID


@pytest.fixture(scope="module")
def blanking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org that blanks columns of failed rows."""
    with blanking_org(tmp_path_factory.mktemp("blanking")) as org:
        yield org


async def close(client: Client, job_id: str) -> dict[str, Any]:
    closing = {"jobId": job_id, "body": {"state": "UploadComplete"}, "waitSeconds": 45}
    answer = await call(client, "close-abort-ingest-job", **closing)
    assert answer["state"] == "JobComplete"
    return answer


# Once and no more
SENT = "Name,NumberOfEmployees,AnnualRevenue\n" + "".join(
    f"{'' if n % 4 == 0 else f'Row {n}'},{'many' if n % 5 == 0 else n},{n}00000000\n" for n in range(1, 21)
)
NO_NAME = {"statusCode": "REQUIRED_FIELD_MISSING"}
NO_NUMBER = {"statusCode": "INVALID_FIELD"}
INSERT = {"object": "Account", "operation": "insert"}
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Key__c"}


async def sent_again(client: Client, rows_of: dict[str, Any], **data: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", body=INSERT, data={"rowsOf": rows_of, **data}, preflight="off")


async def test_failed_rows_go_out_byte_for_byte_as_they_were_sent(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        org.forget()
        answer = await sent_again(client, {"jobs": [job], "where": NO_NUMBER})
    header, *lines = SENT.splitlines(keepends=True)
    failed = [line for line in lines if ",many," in line]
    assert org.uploads == ["".join([header, *failed]).encode()]
    assert (answer["rows"], answer["findings"]) == (len(failed), [])


async def test_rows_that_were_sent_again_are_refused_a_second_time_unless_that_is_meant(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        other = (await sent_again(client, {"jobs": [job], "where": NO_NAME}))["id"]
        org.forget()
        text = await refusal(
            client,
            "create-ingest-job",
            body=INSERT,
            data={"rowsOf": {"jobs": [job], "which": ["failed"]}},
            preflight="off",
        )
        assert org.changes == []
        assert text.replace(job, "JOB").replace(other, "OTHER").replace(other[:15], "OTHER") == snapshot("""\
DUPLICATE_VALUE: Some of these rows were sent again before: 4 of job JOB into job OTHER (which is Open, so none are loaded yet: upload them there and close it, or abort it and call again). Nothing was sent now.
Next: upload-data-ingest-job {"jobId": "OTHER", "body": {"rowsOf": {"jobs": ["JOB"], "which": ["failed"]}}, "preflight": "off"} sends them to that job, or finds them there; then close it, which loads them. The rows that were not sent again go with skipSent: true in rowsOf. Only if the user wants these rows to go a second time, give again: true there.\
""")
        again = await sent_again(client, {"jobs": [job], "where": NO_NAME, "again": True})
        assert again["status"] == "uploaded"
        # Other rows of the same job are none of these.
        await sent_again(client, {"jobs": [job], "where": NO_NUMBER})


async def test_of_rows_that_were_partly_sent_again_the_others_go_with_skipSent(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        other = (await sent_again(client, {"jobs": [job], "where": NO_NAME}))["id"]
        org.forget()
        answer = await sent_again(client, {"jobs": [job], "skipSent": True})
        header, *lines = SENT.splitlines(keepends=True)
        failed_otherwise = [line for line in lines if ",many," in line]
        assert org.uploads == ["".join([header, *failed_otherwise]).encode()]
        assert [
            (found["what"].replace(job, "JOB").replace(other[:15], "OTHER"), found["count"])
            for found in answer["findings"]
        ] == snapshot([("Skipped 4 rows of job JOB that went into job OTHER before.", 4)])
        text = await refusal(
            client,
            "create-ingest-job",
            body=INSERT,
            data={"rowsOf": {"jobs": [job], "skipSent": True}},
            preflight="off",
            loadAgain=True,
        )
        named = {job: "JOB", other[:15]: "OTHER", answer["id"][:15]: "ANSWER"}
        for of_job, name in named.items():
            text = text.replace(other, "OTHER").replace(answer["id"], "ANSWER").replace(of_job, name)
        assert text == snapshot("""\
DUPLICATE_VALUE: No row is left to send again. Skipped 4 rows of job JOB that went into job OTHER before. See in that job what became of them. Skipped 4 rows of job JOB that went into job ANSWER before. See in that job what became of them.
Next: upload-data-ingest-job {"jobId": "OTHER", "body": {"rowsOf": {"jobs": ["JOB"], "skipSent": true}}, "preflight": "off", "loadAgain": true} sends them to that job, or finds them there; then close it, which loads them. Only if the user wants these rows to go a second time, give again: true in place of skipSent.\
""")


async def test_an_equal_call_with_skipSent_goes_on_with_the_job_that_took_the_rows(org: WatchedOrg) -> None:
    org.go_wrong({"fault": "locked-rows", "every": 1})
    async with agent(org.url) as client:
        job = await loaded(client, "Name,NumberOfEmployees\nA,1\nB,2\nC,3\n")
        org.go_right()
        await sent_again(client, {"jobs": [job]}, leaveOut={"cells": {"Name": ["B", "C"]}})
        first = await sent_again(client, {"jobs": [job], "skipSent": True})
        org.forget()
        again = await sent_again(client, {"jobs": [job], "skipSent": True})
        assert (again["id"], again["status"], again["rows"]) == (first["id"], "already uploaded", 2)
        assert again["findings"] == first["findings"] and next_call(again["next"]) == next_call(first["next"])
        await close(client, first["id"])
        closed = await sent_again(client, {"jobs": [job], "skipSent": True})
        assert (closed["id"], org.uploads) == (first["id"], [])
        assert len(org.records("SELECT Id FROM Account WHERE Name IN ('B', 'C')")) == 2


async def test_rows_that_all_went_before_lead_to_the_job_that_has_them_also_after_a_restart(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, SENT, preflight="off")
        other = (await sent_again(client, {"jobs": [job], "skipSent": True}))["id"]
    again = {"body": INSERT, "data": {"rowsOf": {"jobs": [job], "skipSent": True}}, "preflight": "off"}
    async with agent(org.url, folder=tmp_path) as client:
        text = await refusal(client, "create-ingest-job", **again)
        tool, arguments = next_call(next_line(text))
        assert (tool, arguments["jobId"]) == ("upload-data-ingest-job", other)
        assert (await call(client, tool, **arguments))["status"] == "already uploaded"
        await close(client, other)
        text = await refusal(client, "create-ingest-job", **again)
        assert next_call(next_line(text)) == ("get-ingest-job-status", {"jobId": other, "waitSeconds": 45})


async def test_a_page_reads_the_job_that_took_its_rows_once(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        other = (await sent_again(client, {"jobs": [job]}))["id"]
        await close(client, other)
        org.forget()
        page = await call(client, "get-failed-results-ingest-job", jobId=job)
    assert other in page["next"]
    assert len([call for call in org.recorder.calls if other[:15] in call]) == 1


async def test_after_a_job_that_loaded_none_of_the_rows_they_go_again_with_skipSent(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        first = await sent_again(client, {"jobs": [job], "skipSent": True})
        await call(client, "close-abort-ingest-job", jobId=first["id"], body={"state": "Aborted"})
        again = await sent_again(client, {"jobs": [job], "skipSent": True})
    assert again["id"] != first["id"] and (again["status"], again["rows"]) == ("uploaded", first["rows"])


@pytest.mark.slow
async def test_skipSent_skips_rows_of_a_result_of_many_rows(org: WatchedOrg) -> None:
    failing = "".join(f"Row {number},many\n" for number in range(20_000))
    async with agent(org.url) as client:
        job = await loaded(client, f"Name,NumberOfEmployees\n{failing},5\n", preflight="off")
        await sent_again(client, {"jobs": [job], "where": NO_NUMBER})
        org.forget()
        answer = await sent_again(client, {"jobs": [job], "skipSent": True})
        assert org.uploads == [b"Name,NumberOfEmployees\n,5\n"]
        assert [found["count"] for found in answer["findings"]] == [20_000]


async def test_skipSent_skips_no_rows_of_a_job_that_was_aborted_before_it_was_closed(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        other = (await sent_again(client, {"jobs": [job], "where": NO_NAME}))["id"]
        await call(client, "close-abort-ingest-job", jobId=other, body={"state": "Aborted"})
        answer = await sent_again(client, {"jobs": [job], "skipSent": True})
        assert (answer["rows"], answer["findings"]) == (8, [])


async def test_again_and_skipSent_do_not_go_together(org: WatchedOrg) -> None:
    rows_of = {"jobs": [JOB_ID], "again": True, "skipSent": True}
    async with agent(org.url) as client:
        assert "give one" in await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": rows_of})


async def test_rows_that_are_left_out_of_a_retry_may_go_in_another(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        org.forget()
        failed = {"jobs": [job], "which": ["failed"]}
        answer = await sent_again(client, failed, leaveOut={"cells": {"Name": [""]}})
        left_out = answer["leftOut"]["cells"]
        assert (answer["rows"], left_out["count"], "lines" in left_out, len(left_out["rows"])) == (3, 5, False, 5)
        rest = await sent_again(client, {**failed, "where": NO_NAME})
        assert rest["rows"] == 4
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": failed}, preflight="off")
        assert f"3 of job {job} into job {answer['id'][:15]}" in text
        unclear = {"rowsOf": failed, "leaveOut": {"lines": "x"}}
        assert '"7, 120-124, 200-"' in await refusal(client, "create-ingest-job", body=INSERT, data=unclear)


async def test_no_lines_are_advised_for_rows_that_have_none(org: WatchedOrg) -> None:
    csv = "Name,NumberOfEmployees,Phone\nAcme,12 or so,1\nInitech,many,2\n"
    async with agent(org.url) as client:
        job = await loaded(client, csv, preflight="off")
        rows_of = {"jobs": [job], "which": ["failed"]}
        formats = {"NumberOfEmployees": "1.234,5"}
        checked = await call(
            client, "create-ingest-job", body=INSERT, data={"rowsOf": rows_of, "formats": formats}, dryRun=True
        )
        assert checked["findings"][0]["do"] == snapshot(
            "Write 25, without decimals. Correct them with values, which come before formats, or leave these rows out by their cells in leaveOut."
        )
        failed = await call(client, "get-failed-results-ingest-job", jobId=job)
        assert next_call(failed["next"])[1]["data"]["values"].keys() == {"NumberOfEmployees"}
        titled = await call(client, "create-ingest-job", body=INSERT, data={"csv": f"Report,,\n{csv}"}, preflight="off")
        failing = {"jobId": titled["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 45}
        assert (await call(client, "close-abort-ingest-job", **failing))["state"] == "Failed"
        again = {"rowsOf": {"jobs": [titled["id"]]}}
        checked = await call(client, "create-ingest-job", body=INSERT, data=again, dryRun=True)
        title = next(found for found in checked["findings"] if "title" in found["what"])
        assert title["do"] == snapshot(
            "If the header is on line 2, take the rows from their first source, without the lines before it."
        )
        assert "lines" not in checked["next"]


async def test_ids_of_both_lengths_go_again_as_they_were_sent_and_are_found_to_name_one_record(org: WatchedOrg) -> None:
    update = {"object": "Account", "operation": "update"}
    async with agent(org.url) as client:
        await loaded(client, "Name\nBoth lengths 1\nBoth lengths 2\n")
        first, second = sorted(
            row["Id"] for row in org.records("SELECT Id FROM Account WHERE Name LIKE 'Both lengths%'")
        )
        jobs = []
        for csv in (f"Id,NumberOfEmployees\n{first},x\n{second[:15]},y\n", f"Id,NumberOfEmployees\n{first[:15]},z\n"):
            job = await call(client, "create-ingest-job", body=update, data={"csv": csv}, preflight="off")
            await close(client, job["id"])
            jobs.append(job["id"])
        org.forget()
        retry = {"rowsOf": {"jobs": jobs}, "values": {"NumberOfEmployees": {"x": "1", "y": "2", "z": "3"}}}
        answer = await call(client, "create-ingest-job", body=update, data=retry)
        assert org.uploads == [f"Id,NumberOfEmployees\n{first},1\n{second[:15]},2\n{first[:15]},3\n".encode()]
        assert [(found["lines"], found["rows"], found["what"]) for found in answer["findings"]] == snapshot(
            [([], ["3"], "Rows have the Id of an earlier row: the last may win, or they fail.")]
        )


async def test_a_refused_retry_names_the_call_that_brings_its_rows_in_by_the_job_that_they_went_into(
    org: WatchedOrg,
) -> None:
    org.go_wrong({"fault": "locked-rows", "times": 1})
    async with agent(org.url) as client:
        job = await loaded(client, "Name\nRefused 1\nRefused 2\n")
        retry = {"body": INSERT, "data": {"rowsOf": {"jobs": [job]}}}
        # Another option makes the second call no repeat of the first, as a call to a server started since is none.
        other = (await call(client, "create-ingest-job", **retry))["id"]
        path = [("create-ingest-job", retry | {"preflight": "off"})]
        for _ in range(3):
            tool, arguments = path[-1]
            path.append(next_call(next_line(text_of(await client.call_tool(tool, arguments)))))
        assert [tool for tool, _ in path[1:]] == [
            "upload-data-ingest-job",
            "close-abort-ingest-job",
            "get-successful-results-ingest-job",
        ]
        assert {arguments["jobId"] for _, arguments in path[1:]} == {other}
        refused = await refusal(client, "create-ingest-job", **retry, preflight="off")
        assert next_call(next_line(refused)) == ("get-ingest-job-status", {"jobId": other, "waitSeconds": 45})
    assert len(org.records("SELECT Id FROM Account WHERE Name LIKE 'Refused %'")) == 2


@pytest.mark.parametrize("chosen", [{"where": NO_NAME}, {"skipSent": True}])
async def test_the_same_rows_for_the_same_job_only_report_that_they_are_there(
    org: WatchedOrg, chosen: dict[str, Any]
) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        body = {"rowsOf": {"jobs": [job], **chosen}}
        other = (await call(client, "create-ingest-job", body=INSERT))["id"]
        first = await call(client, "upload-data-ingest-job", jobId=other, body=body, preflight="off")
        second = await call(client, "upload-data-ingest-job", jobId=other, body=body, preflight="off")
    assert (first["status"], second["status"]) == ("uploaded", "already uploaded")


async def test_rows_that_went_into_a_job_that_was_aborted_before_it_was_closed_may_go_again(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        rows_of = {"jobs": [job], "where": NO_NAME}
        other = (await sent_again(client, rows_of))["id"]
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": rows_of}, dryRun=True)
        assert "sent again before" in text
        await call(client, "close-abort-ingest-job", jobId=other, body={"state": "Aborted"})
        assert (await sent_again(client, rows_of))["status"] == "uploaded"


async def test_rows_that_lie_in_two_jobs_go_from_one_of_them(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, SENT, preflight="off")
        second = (await sent_again(client, {"jobs": [first], "where": NO_NAME}))["id"]
        await call(client, "close-abort-ingest-job", jobId=second, body={"state": "Aborted"})
        # The second gives back as unprocessed what the first does as failed.
        both = {"rowsOf": {"jobs": [first, second]}}
        assert f"into job {second[:15]}" in await refusal(client, "create-ingest-job", body=INSERT, data=both)
        third = (await sent_again(client, {"jobs": [first], "where": NO_NAME}))["id"]
        again = {"rowsOf": {"jobs": [second]}}
        assert f"into job {third[:15]}" in await refusal(client, "create-ingest-job", body=INSERT, data=again)


async def test_a_dry_run_takes_no_rows(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, SENT, preflight="off")
        rows_of = {"jobs": [job], "where": NO_NAME}
        org.forget()
        tried = await call(client, "create-ingest-job", body=INSERT, data={"rowsOf": rows_of}, dryRun=True)
        assert (tried["status"], org.changes) == ("checked", [])
        assert (await sent_again(client, rows_of))["status"] == "uploaded"


async def test_another_server_on_the_same_folders_refuses_them_as_well(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, SENT, preflight="off")
        await sent_again(client, {"jobs": [job], "where": NO_NAME})
    async with agent(org.url, folder=tmp_path) as client:
        data = {"rowsOf": {"jobs": [job]}}
        assert "sent again before" in await refusal(
            client, "create-ingest-job", body=INSERT, data=data, preflight="off"
        )


# What is not kept, and what can't be told apart


async def test_without_the_upload_rows_go_out_as_they_came_back_and_the_answer_says_what_that_may_cost(
    org: WatchedOrg,
) -> None:
    async with agent(org.url, no_kept_uploads=True) as client:
        job = await loaded(client, SENT, preflight="off")
        org.forget()
        answer = await sent_again(client, {"jobs": [job], "where": NO_NAME})
        assert b"E8" in org.uploads[0] and b"00000000" not in org.uploads[0]
        assert str(answer["findings"]).replace(job, "JOB") == snapshot(
            "[{'level': 'warning', 'what': 'What was sent to job JOB is not kept here (it did not go through these tools, or is gone), so its rows go out as Salesforce gave them back: it writes numbers and times anew, and may leave cells blank.', 'do': 'Compare with the source before they go: numbers or times in \"AnnualRevenue\" and all cells blank in \"Name\".', 'lines': [], 'count': 4}]"
        )


async def test_rows_that_differ_only_where_nothing_came_back_are_left_out_and_named(
    blanking: Caller, tmp_path: Path
) -> None:
    # The first two differ in a column that is blank in failed rows; one of them is a duplicate of a record that is there.
    async with agent(url_of(blanking)) as client:
        await loaded(client, "Name,Code__c\nThere,U-1\n")
        job = await loaded(client, "Name,code__c\nTwin,U-1\nTwin,U-2\nThird,U-1\n")
        rows_of = {"jobs": [job], "where": {"statusCode": "DUPLICATE_VALUE"}}
        answer = await sent_again(client, rows_of)
    assert answer["rows"] == 1
    assert str(answer["findings"]).replace(job, "JOB") == snapshot(
        "[{'level': 'warning', 'what': 'Left out of job JOB: 1 of its failed rows, which may be any of several rows that were sent and that differ only where Salesforce gives nothing back or writes anew.', 'do': 'Find out which of these lines of its source failed, and send them by themselves.', 'lines': [2, 3], 'count': 1}]"
    )


# Which rows


async def test_unprocessed_rows_of_an_aborted_job_go_out_as_they_were(org: WatchedOrg) -> None:
    rows = "Name,AnnualRevenue\n" + "".join(f'"Row ""{n}""\n",{n}00000000\n' for n in range(600))
    org.go_wrong({"fault": "stuck-job", "after": 1})
    async with agent(org.url) as client:
        job = (await call(client, "create-ingest-job", body=INSERT, data={"csv": rows}))["id"]
        await call(client, "close-abort-ingest-job", jobId=job, body={"state": "UploadComplete"})
        while not (await call(client, "get-ingest-job-status", jobId=job)).get("numberRecordsProcessed"):
            pass
        await call(client, "close-abort-ingest-job", jobId=job, body={"state": "Aborted"}, waitSeconds=30)
        org.go_right()
        answer = await sent_again(client, {"jobs": [job]})
        assert answer["rows"] == 400
        assert (await close(client, answer["id"]))["numberRecordsFailed"] == 0
    assert len(org.records("SELECT Id FROM Account WHERE AnnualRevenue >= 0 AND Name LIKE 'Row \"%'")) == 600


async def test_an_insert_is_taken_back_by_two_calls_and_the_close(org: WatchedOrg) -> None:
    rows = "Name,Site\n" + "".join(f"Undone {n},undo\n" for n in range(1_000))
    async with agent(org.url) as client:
        job = await loaded(client, rows)
        assert len(org.records("SELECT Id FROM Account WHERE Site = 'undo'")) == 1_000
        undo = (await call(client, "create-ingest-job", body={"object": "Account", "operation": "delete"}))["id"]
        data = {"rowsOf": {"jobs": [job], "which": ["created"]}}
        await call(client, "upload-data-ingest-job", jobId=undo, body=data)
        assert (await close(client, undo))["numberRecordsFailed"] == 0
    assert org.records("SELECT Id FROM Account WHERE Site = 'undo'") == []


async def test_an_upsert_takes_back_only_what_it_made(blanking: Caller) -> None:
    async with agent(url_of(blanking)) as client:
        await loaded(client, "Name,Key__c\nOld,K-1\n")
        rows = "Name,Key__c\nNewer,K-1\nNew,K-2\n"
        job = await loaded(client, rows, operation="upsert", externalIdFieldName="Key__c")
        data = {"rowsOf": {"jobs": [job], "which": ["created"]}}
        undo = await call(client, "create-ingest-job", body={"object": "Account", "operation": "delete"}, data=data)
        await close(client, undo["id"])
    names = blanking.query("SELECT Name FROM Account WHERE Key__c LIKE 'K-%'")["records"]
    assert [record["Name"] for record in names] == ["Newer"]


async def test_failed_rows_of_an_update_and_an_upsert_are_matched_by_their_keys(blanking: Caller) -> None:
    async with agent(url_of(blanking)) as client:
        made = await loaded(client, "Name,Key__c\nA,T-1\nB,T-2\n")
        page = await call(client, "get-successful-results-ingest-job", jobId=made)
        a, b = sorted(page["rows"], key=lambda row: row[2])
        # The same cells but for the key, and all of those that tell them apart come back blank.
        rows = f"id,tier__c\n{a[0]},gold!\n{b[0]},silber\n"
        update = await loaded(client, rows, operation="update", preflight="off")
        rows_of = {"jobs": [update], "which": ["failed"]}
        values = {"tier__c": {"gold!": "Gold", "silber": "Silver"}}
        body = {"object": "Account", "operation": "update"}
        job = await call(client, "create-ingest-job", body=body, data={"rowsOf": rows_of, "values": values})
        await close(client, job["id"])
        page = await call(client, "get-failed-results-ingest-job", jobId=job["id"])
        assert page["rows"] == []
        rows = "Key__c,tier__c,name\nt-1,x,A2\nT-2,y,B2\n"
        failed = await loaded(client, rows, operation="upsert", preflight="off", externalIdFieldName="Key__c")
        data = {"rowsOf": {"jobs": [failed]}, "values": {"tier__c": {"x": "Bronze", "y": "Gold"}}}
        job = await call(client, "create-ingest-job", body=UPSERT, data=data)
        await close(client, job["id"])
        page = await call(client, "get-failed-results-ingest-job", jobId=job["id"])
        assert page["rows"] == []
    found = blanking.query("SELECT Name, Tier__c FROM Account WHERE Key__c LIKE 'T-%' ORDER BY Name")["records"]
    assert [(record["Name"], record["Tier__c"]) for record in found] == [("A2", "Bronze"), ("B2", "Gold")]


async def test_rows_of_several_jobs_go_together_if_their_columns_are_the_same(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, "Name,NumberOfEmployees\nA,x\nB,1\n", preflight="off")
        second = await loaded(client, "Name;NumberOfEmployees\nC;y\n", columnDelimiter="SEMICOLON", preflight="off")
        third = await loaded(client, "NumberOfEmployees,Name\nz,D\n", preflight="off")
        data = {"rowsOf": {"jobs": [first, second, first, third]}}
        text = await refusal(client, "create-ingest-job", body=INSERT, data=data)
        assert f"The rows of job {third} have other columns than those of {first}" in text
        org.forget()
        answer = await sent_again(client, {"jobs": [first, second, first]})
        assert (answer["rows"], org.uploads) == (2, [b"Name,NumberOfEmployees\nA,x\nC,y\n"])


@pytest.mark.parametrize(
    ("rows_of", "said"),
    [
        ({"jobs": []}, "- body.rowsOf.jobs: "),
        ({"jobs": ["DONE"], "which": ["failed", "created"]}, "created gives the ids of new records alone"),
        ({"jobs": ["DONE"], "which": ["unprocessed"], "where": NO_NAME}, "where is about failed rows"),
        ({"jobs": ["DONE"], "which": []}, "which names no rows"),
        ({"jobs": ["DONE"], "where": {"statusCode": "NONE"}}, "No failed row of these jobs matches where"),
        ({"jobs": ["DONE"], "which": ["unprocessed"]}, "These jobs have no unprocessed rows"),
        ({"jobs": ["OPEN"]}, "is Open: which of its rows fail is known only when it has ended"),
        ({"jobs": ["750000000000009AAA"]}, "NOT_FOUND"),
        ({"jobs": ["nonsense"]}, "This is not the id of an ingest job"),
    ],
)
async def test_rows_that_there_are_not_are_asked_for_in_vain(
    rows_of: dict[str, Any], said: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        done = await loaded(client, "Name,NumberOfEmployees\nA,x\n", preflight="off")
        waiting = (await call(client, "create-ingest-job", body=INSERT))["id"]
        jobs = [{"DONE": done, "OPEN": waiting}.get(job, job) for job in rows_of["jobs"]]
        org.forget()
        text = await refusal(
            client, "upload-data-ingest-job", jobId=waiting, body={"rowsOf": {**rows_of, "jobs": jobs}}
        )
    assert said in text
    assert org.changes == []


async def test_a_server_that_keeps_nothing_sends_no_rows_again(org: WatchedOrg) -> None:
    async with agent(org.url, no_spool=True) as client:
        job = await loaded(client, SENT, preflight="off")
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [job]}})
    assert "This server keeps no results (no_spool)" in text


# Files


def rows_in(path: str, delimiter: str) -> list[list[str]]:
    with Path(path).open(newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


async def test_the_file_in_source_order_has_every_column_and_the_line_of_each_row(
    org: WatchedOrg, tmp_path: Path
) -> None:
    source = 'Kunde;intern;Mitarbeiter\n\n"A\nB";geheim 1;viele\nC;"geheim ""2""";1\n;geheim 3;2\nD;;x\n'
    (tmp_path / "kunden.csv.gz").write_bytes(gzip.compress(source.encode()))
    mapping = {"columns": {"Kunde": "Name", "intern": None, "Mitarbeiter": "NumberOfEmployees"}}
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        data = {"file": "kunden.csv.gz", **mapping}
        job = (await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off"))["id"]
        await close(client, job)
        page = await call(client, "get-failed-results-ingest-job", jobId=job)
        text = text_of(await client.call_tool("get-failed-results-ingest-job", {"jobId": job}))
        assert page["sourceFile"] in text
        failed = rows_in(page["sourceFile"], ";")
        assert [[line, *cells] for line, _, _, *cells in failed] == [
            ["sf__Line", "Kunde", "intern", "Mitarbeiter"],
            ["3", "A\nB", "geheim 1", "viele"],
            ["6", "", "geheim 3", "2"],
            ["7", "D", "", "x"],
        ]
        assert failed[2][2].startswith("REQUIRED_FIELD_MISSING:")
        page = await call(client, "get-successful-results-ingest-job", jobId=job)
        [_, [line, record, created, *cells]] = rows_in(page["sourceFile"], ";")
        assert (line, record, created, cells) == ("5", page["rows"][0][0], "true", ["C", 'geheim "2"', "1"])


async def test_the_second_part_of_a_source_has_the_lines_of_the_source(org: WatchedOrg, tmp_path: Path) -> None:
    rows = [f'"Row\n{n:03}",x' if n % 3 == 0 else f"Row {n:03},1" for n in range(300)]
    (tmp_path / "source.csv").write_text("Name,NumberOfEmployees\n" + "\n".join(rows) + "\n")
    whole = (tmp_path / "source.csv").read_text().splitlines()
    for mapping in ({}, {"only": ["Name", "NumberOfEmployees"]}):
        data = {"file": "source.csv", **mapping}
        async with agent(org.url, upload_roots=[tmp_path], max_upload_bytes=1_500) as client:
            tried = await call(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
            part = {"part": 2, "sha256": tried["sha256"]}
            job = (await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off", **part))["id"]
            await close(client, job)
            page = await call(client, "get-failed-results-ingest-job", jobId=job, limit=1_000)
            [_, *found] = rows_in(page["sourceFile"], ",")
        assert len(found) == page["total"] > 2
        for line, _, _, name, _ in found:
            assert whole[int(line) - 1] + "\n" + whole[int(line)] == f'"{name}",x'


async def test_over_http_the_answer_names_the_address_and_no_file(org: WatchedOrg) -> None:
    async with agent(org.url, rest_url="http://127.0.0.1:8080/v1") as client:
        job = await loaded(client, SENT, preflight="off")
        page = await call(client, "get-failed-results-ingest-job", jobId=job)
    assert page["restUrl"].startswith("http://127.0.0.1:8080/v1/jobs/ingest/")
    assert "file" not in page and "sourceFile" not in page


async def test_a_deleted_job_leaves_nothing_of_its_rows_behind(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, SENT, preflight="off")
        other = await loaded(client, SENT.replace("Row", "Other").replace("00000000", "1"), preflight="off")
        for job_id in (job, other):
            await call(client, "get-failed-results-ingest-job", jobId=job_id)
            await sent_again(client, {"jobs": [job_id]})
        before = {path for path in (tmp_path / "spool").rglob("*") if path.is_file()}
        await call(client, "delete-ingest-job", jobId=job)
        left = {path for path in (tmp_path / "spool").rglob("*") if path.is_file()}
    assert 0 < len(left) < len(before)
    assert not [path for path in left if job[:15] in str(path) or job[:15].encode() in path.read_bytes()]


async def test_rows_that_are_not_here_in_time_are_joined_by_the_same_call(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, SENT, preflight="off")
    times = iter([0.0, *[20.0] * 10])
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__, caches_results=True) as client:
        other = (await call(client, "create-ingest-job", body=INSERT))["id"]
        arguments = {"jobId": other, "body": {"rowsOf": {"jobs": [job]}}, "preflight": "off"}
        first = await call(client, "upload-data-ingest-job", **arguments)
        second = await call(client, "upload-data-ingest-job", **arguments)
    assert (first["status"], second["status"]) == ("checking", "uploaded")


async def test_lines_of_rows_are_looked_for_beside_the_call(org: WatchedOrg, tmp_path: Path) -> None:
    """That reads what was sent to the jobs, which may be many files of a hundred megabytes."""
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, SENT, preflight="off")
    times = iter([0.0, *[20.0] * 10])
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__, caches_results=True) as client:
        data = {"rowsOf": {"jobs": [job]}, "leaveOut": {"lines": "9999"}}
        first = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        second = await refusal(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
    assert first["status"] == "checking"
    assert "leaveOut names lines 9999, on which no row of job" in second


TEN_FAILING = "Name,NumberOfEmployees\n" + "".join(
    f"{'' if n % 4 == 0 else f'Row {n}'},{'many' if n % 4 == 1 else n}\n" for n in range(1, 21)
)


async def made(client: Client, **body: Any) -> str:
    return str((await call(client, "create-ingest-job", body={**INSERT, **body}))["id"])


async def retried(client: Client, jobs: list[str], **rows_of: Any) -> str:
    data = {"rowsOf": {"jobs": jobs, **rows_of}}
    return str((await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off"))["id"])


async def refused_again(client: Client, jobs: list[str], **rows_of: Any) -> str:
    data = {"rowsOf": {"jobs": jobs, **rows_of}}
    return await refusal(client, "create-ingest-job", body=INSERT, data=data, preflight="off")


async def end(client: Client, job: str, state: str) -> dict[str, Any]:
    return await call(client, "close-abort-ingest-job", jobId=job, body={"state": state}, waitSeconds=30)


# Uploads that were refused


@pytest.mark.parametrize("end_state", ["Open", "UploadComplete", "Aborted"])
async def test_an_upload_that_its_job_refuses_changes_nothing_about_which_rows_went(
    end_state: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        first, other = await loaded(client, TEN_FAILING, preflight="off"), await made(client)
        body = {"rowsOf": {"jobs": [first], "where": NO_NUMBER}}
        await call(client, "upload-data-ingest-job", jobId=other, body=body, preflight="off")
        if end_state != "Open":
            await end(client, other, end_state)
        body = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        assert "INVALIDJOBSTATE" in await refusal(
            client, "upload-data-ingest-job", jobId=other, body=body, preflight="off"
        )
        if end_state != "Aborted":
            assert f"into job {other[:15]}" in await refused_again(client, [first], where=NO_NUMBER)
        await retried(client, [first], where=NO_NAME)


async def test_rows_that_salesforce_refused_to_take_may_go_into_another_job(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        org.go_wrong({"fault": "too-many-requests", "on": "upload"})
        assert "its rows did not get there" in await refused_again(client, [first], where=NO_NAME)
        org.go_right()
        # Other words for the same rows: an equal call would go on with the job that the first made.
        second = await retried(client, [first], which=["failed"], where=NO_NAME)
        assert f"into job {second[:15]}" in await refused_again(client, [first])


async def test_rows_that_may_have_arrived_are_not_sent_elsewhere_before_their_job_is_aborted(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        org.go_wrong({"fault": "reset", "when": "after", "on": "upload"})
        assert "it may or may not have its rows" in await refused_again(client, [first], where=NO_NAME)
        org.go_right()
        assert "it may or may not have its rows" in await refused_again(client, [first], where=NO_NAME)
        text = await refused_again(client, [first])
        assert "which is Open, so none are loaded yet" in text
        unclear = text.partition(" into job ")[2][:15]
        await end(client, unclear, "Aborted")
        await retried(client, [first], where=NO_NAME)


async def test_what_was_refused_is_not_taken_for_what_the_job_has(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await made(client)
        org.go_wrong({"fault": "too-many-requests", "on": "upload"})
        refused = {"csv": "Name\nFirst\nSecond\n"}
        await refusal(client, "upload-data-ingest-job", jobId=job, body=refused)
        org.go_right()
        content = b"Name,NumberOfEmployees\nFirst,many\nSecond,2\n"
        with calling(org.url) as caller:
            caller.http.put(f"{DATA}/jobs/ingest/{job}/batches", content=content).raise_for_status()
        await end(client, job, "UploadComplete")
        org.forget()
        await retried(client, [job])
    assert org.uploads == [b"Name,NumberOfEmployees\nFirst,many\n"]


# Jobs that loaded nothing


async def test_rows_that_went_on_from_a_job_that_loaded_none_do_not_go_from_the_job_before(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        second = await retried(client, [first], where=NO_NAME)
        await end(client, second, "Aborted")
        third = await retried(client, [second])
        assert f"into job {second[:15]}" in await refused_again(client, [first], where=NO_NAME)
        await end(client, third, "Aborted")
        fourth = await retried(client, [first], where=NO_NAME)
        for job in (second, third):
            assert f"into job {fourth[:15]}" in await refused_again(client, [job])
        # Its other rows never went anywhere.
        await retried(client, [first], where=NO_NUMBER)


async def test_of_many_calls_at_once_one_sends_the_rows(org: WatchedOrg, tmp_path: Path) -> None:
    outcomes: list[str] = []
    async with agent(org.url, folder=tmp_path) as one, agent(org.url, folder=tmp_path) as two:
        first = await loaded(one, TEN_FAILING, preflight="off")

        async def send(client: Client) -> None:
            arguments = {"body": INSERT, "data": {"rowsOf": {"jobs": [first]}}, "preflight": "off"}
            result = await client.call_tool("create-ingest-job", arguments)
            outcomes.append("refused" if result.structured_content is None else result.structured_content["id"])

        async with anyio.create_task_group() as tasks:
            for client in (one, two, one, two):
                tasks.start_soon(send, client)
    # Equal calls of one server share a job; those of the other server find its rows taken.
    job, *_ = {outcome for outcome in outcomes if outcome != "refused"}
    assert sorted(outcomes) == sorted([job, job, "refused", "refused"])
    assert len(org.uploads) == 2


async def test_rows_that_another_server_sends_while_their_job_is_made_stay_here(tmp_path: Path) -> None:
    gate = Gate(create_app(EmulatorConfig(data_dir=tmp_path / "org")), method="POST")
    gate.open()
    with running(gate) as url, calling(url) as caller:
        async with agent(url, folder=tmp_path) as one, agent(url, folder=tmp_path) as two:
            first, other = await loaded(one, TEN_FAILING, preflight="off"), await made(two)
            body, late = {"rowsOf": {"jobs": [first], "where": NO_NAME}}, list[str]()

            async def send_late() -> None:
                late.append(await refused_again(one, [first], where=NO_NAME))

            async with anyio.create_task_group() as tasks:
                gate.close()
                tasks.start_soon(send_late)
                await gate.reaches()
                await call(two, "upload-data-ingest-job", jobId=other, body=body, preflight="off")
                gate.open()
            await end(two, other, "UploadComplete")
            for job in (await call(two, "list-all-ingest-jobs"))["jobs"]:
                if job["state"] == "Open":
                    await end(two, job["id"], "UploadComplete")
        [_, what] = late[0].splitlines()
        assert what.startswith(f'Next: upload-data-ingest-job {{"jobId": "{other}"')
        assert '"body": {"state": "Aborted"}} drops the empty job 750' in what
        assert f"into job {other[:15]}" in late[0]
        assert len(caller.query("SELECT Id FROM Account")["records"]) == 10


# Parts, and the record


async def test_parts_that_are_cut_elsewhere_share_no_row(org: WatchedOrg, tmp_path: Path) -> None:
    rows = "Name,NumberOfEmployees\n" + "".join(f"Row {n:03},many\n" for n in range(300))
    options: dict[str, Any] = {"folder": tmp_path, "no_kept_uploads": True}
    async with agent(org.url, max_upload_bytes=100_000, **options) as client:
        first = await loaded(client, rows, preflight="off")
    data = {"rowsOf": {"jobs": [first]}}
    wanted: dict[str, Any] = {"body": INSERT, "data": data, "preflight": "off"}
    async with agent(org.url, max_upload_bytes=2_000, **options) as client:
        tried = await call(client, "create-ingest-job", **wanted, dryRun=True)
        wanted["sha256"] = tried["sha256"]
        first_part = await call(client, "create-ingest-job", **wanted, part=1)
    async with agent(org.url, max_upload_bytes=1_500, **options) as client:
        assert "sent again before" in await refusal(client, "create-ingest-job", **wanted, part=2)
        third_part = await call(client, "create-ingest-job", **wanted, part=3)
    # The second part began in what had gone, and the third after it.
    assert third_part["status"] == "uploaded"
    assert first_part["rows"] + third_part["rows"] < 300


async def test_without_the_record_no_row_goes_again_unless_that_is_meant(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db:
            # Another program's table of that name.
            db.execute("DROP TABLE IF EXISTS rows_sent_again")
            db.execute("CREATE TABLE rows_sent_again (something)")
        org.forget()
        text = await refused_again(client, [first], where=NO_NAME)
        assert org.changes == []
        assert text.replace(str(tmp_path), "FOLDER") == snapshot("""\
SERVER_UNAVAILABLE: This server's record of rows sent can't be used (FOLDER/uploads.sqlite3): no such column: to_job. So these rows may have been sent before. The server's log has the details.
Next: Tell the user: the server's log names the file, which may be in use, damaged, lost or on a full disk. Only if the user is sure that these rows were not sent again, or wants them twice, give again: true in rowsOf.\
""")
        data = {"rowsOf": {"jobs": [first], "where": NO_NAME, "again": True}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        assert [finding["do"] for finding in answer["findings"]] == [
            "They go a second time, as again says.",
            "Don't send them again unless their job shows that they are not in the org.",
        ]


async def test_what_an_earlier_version_stored_in_place_of_an_id_still_refuses_rows_and_is_asked_of_nobody(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        data = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as database, database:
            database.execute("UPDATE rows_sent_again SET to_job = ?", ("../../pwn\nNext:",))
        org.forget()
        text = steady(await refused_again(client, [first], where=NO_NAME))
    assert text.splitlines() == snapshot(
        [
            'Created job JOB, but its rows did not get there. DUPLICATE_VALUE: Some of these rows were sent again before: 5 of job JOB into job "../../pwn\\nNext:" (which is gone, so it is not known whether it loaded them). Nothing was sent now.',
            'Next: Tell the user: what became of the rows can\'t be learned from Salesforce any more. The rows that were not sent again go with skipSent: true in rowsOf. Only if the user wants these rows to go a second time, give again: true there. close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops the empty job JOB.',
        ]
    )
    assert not any("pwn" in call for call in org.recorder.calls)


@contextmanager
def a_record_that_takes_nothing(folder: Path) -> Iterator[None]:
    """A record of rows sent again that can be read but not written, as on a full disk."""
    with closing(sqlite3.connect(folder / "uploads.sqlite3", isolation_level=None)) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON rows_sent_again BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        yield
        db.execute("DROP TRIGGER full")


async def test_rows_that_can_not_be_recorded_stay_here_unless_they_are_meant_to_go(
    org: WatchedOrg, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first, other = await loaded(client, TEN_FAILING, preflight="off"), await made(client)
        data: dict[str, Any] = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        upload: dict[str, Any] = {"jobId": other, "body": data, "preflight": "off"}
        org.forget()
        with a_record_that_takes_nothing(tmp_path):
            text = await refused_again(client, [first], where=NO_NAME)
            assert "record of rows sent can't be used (" in text and "uploads.sqlite3): the disk is full." in text
            text = await refusal(client, "upload-data-ingest-job", **upload)
            assert "record of rows sent can't be used (" in text and "uploads.sqlite3): the disk is full." in text
            assert org.uploads == []
            meant = {"rowsOf": {**data["rowsOf"], "again": True}}
            answer = await call(client, "create-ingest-job", body=INSERT, data=meant, preflight="off")
            assert (answer["status"], len(org.uploads)) == ("uploaded", 1)
            assert "a second time without a record" in caplog.text
        # The refusal left the other job free for these rows.
        assert (await call(client, "upload-data-ingest-job", **upload, loadAgain=True))["status"] == "uploaded"
        assert f"into job {other[:15]}" in await refused_again(client, [first], where=NO_NAME)


async def test_rows_that_are_meant_to_go_twice_are_named_all_the_same(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        second = await retried(client, [first], where=NO_NAME)
        await end(client, second, "UploadComplete")
        data = {"rowsOf": {"jobs": [first, second], "again": True}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off", dryRun=True)
    assert answer["rows"] == 15
    told = str([finding for finding in answer["findings"] if finding["do"].startswith("They go")])
    assert told.replace(first, "FIRST").replace(second[:15], "SECOND") == snapshot(
        "[{'level': 'warning', 'what': 'Some of these rows were sent again before: 5 of job FIRST into job SECOND.', 'do': 'They go a second time, as again says.', 'lines': [], 'count': 0}]"
    )


# What was sent is damaged, ambiguous or written in another way


def flipped(upload: bytes) -> bytes:
    return upload[:20] + bytes([upload[20] ^ 0xFF]) + upload[21:]


def short_of_a_row(upload: bytes) -> bytes:
    """A whole file of as many bytes, without the last row."""
    *lines, _ = gzip.decompress(upload).splitlines(keepends=True)
    short = gzip.compress(b"".join(lines))
    return short[:3] + b"\x08" + short[4:10] + b"x" * (len(upload) - len(short) - 1) + b"\0" + short[10:]


@pytest.mark.parametrize("damaged", [flipped, short_of_a_row])
async def test_a_damaged_upload_is_as_good_as_none(
    damaged: Callable[[bytes], bytes], org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first = await loaded(client, TEN_FAILING, preflight="off")
        [kept] = (tmp_path / "spool").rglob("upload.csv.gz")
        kept.write_bytes(damaged(kept.read_bytes()))
        page = await call(client, "get-failed-results-ingest-job", jobId=first)
        assert page["total"] == 10 and "sourceFile" not in page
        data = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        assert "is not kept here" in str(answer["findings"])
        assert not kept.exists()


async def test_a_row_that_is_too_wide_is_not_taken_for_its_twin(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, "Name,NumberOfEmployees\nA,1\nA,1,extra\n", preflight="off")
        text = await refused_again(client, [first])
    assert text.replace(first, "JOB") == snapshot("""\
INVALID_ARGUMENT: No row is left to send again. Left out of job JOB: 1 of its failed rows, which may be any of several rows that were sent and that differ only where Salesforce gives nothing back or writes anew. Lines 2, 3: Find out which of these lines of its source failed, and send them by themselves.
Next: create-ingest-job {"body": "<body, corrected>", "data": "<data, corrected>", "preflight": "off"} is the same call, corrected.\
""")


@pytest.mark.parametrize("delimiter", ["SEMICOLON", "TAB"])
async def test_rows_of_one_column_are_not_cut_at_commas(delimiter: str, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        org.go_wrong({"fault": "locked-rows", "every": 1})
        first = await loaded(
            client, f"Name\n{delimiter}, John\n{delimiter}\n", columnDelimiter=delimiter, preflight="off"
        )
        org.go_right()
        second = await retried(client, [first])
        assert (await end(client, second, "UploadComplete"))["numberRecordsFailed"] == 0
    names = [record["Name"] for record in org.records(f"SELECT Name FROM Account WHERE Name LIKE '{delimiter}%'")]
    assert sorted(names) == [delimiter, f"{delimiter}, John"]


async def test_rows_that_no_reader_can_tell_apart_are_refused_as_what_they_are(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await made(client)
        body = {"csv": 'Name\nA\n"never closed\n'}
        await call(client, "upload-data-ingest-job", jobId=job, body=body, preflight="off")
        await end(client, job, "Aborted")
        text = await refused_again(client, [job])
    assert text == snapshot("""\
INVALID_ARGUMENT: Rows of this job can't be told apart, since they are no whole CSV: a record after line 2 has no end. Get the result from /v1 or its file, correct it, and send the rows from there.
Next: create-ingest-job {"body": "<body, corrected>", "data": "<data, corrected>", "preflight": "off"} is the same call, corrected.\
""")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("header", ["sf__Id,sf__Error,Na\0me", f"sf__Id,sf__Error,Name{',' * 20_000}"])
async def test_rows_under_a_header_that_no_reader_can_read_are_refused_and_still_shown(header: str, era: Era) -> None:
    counted = {"object": "Account", "operation": "insert", "numberRecordsProcessed": 1, "numberRecordsFailed": 1}
    row = f",E:x:--{',' * (header.count(',') - 1)}"
    result = Response(f"{header}\n{row}\n", media_type="text/csv")
    async with agent_over(OneJob({"failedResults": [result]}, counted), era=era) as client:
        shown = await call(client, "get-failed-results-ingest-job", jobId=JOB_ID, limit=1)
        text = await refused_again(client, [JOB_ID])
    assert shown["total"] == 1
    assert text.startswith("INVALID_ARGUMENT: Rows of this job can't be told apart, since they are no whole CSV: ")
