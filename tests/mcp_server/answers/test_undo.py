"""How to undo what a job created, in the answers about it."""

import re
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed, text_of, undo_call
from tests.support.watched_org import WatchedOrg

ROWS = {"csv": "Name\nWrong\n"}
INSERT = {"object": "Account", "operation": "insert"}


async def undo_of(org: WatchedOrg, operation: str, rows: dict[str, Any] = ROWS, **settings: Any) -> str | None:
    """How to undo a job, which is the same in both halves of its status, and in the answer of the close that ended it."""
    body = {"object": "Account", "operation": operation}
    if operation == "upsert":
        body["externalIdFieldName"] = "Id"
    async with agent(org.url, **settings) as client:
        made = await call(client, "create-ingest-job", body=body, data=rows, preflight="off")
        assert "undo" not in await call(client, "get-ingest-job-status", jobId=made["id"])
        ended = await closed(client, made["id"])
        answer = await client.call_tool("get-ingest-job-status", {"jobId": made["id"]})
    assert answer.structured_content is not None
    undo: str | None = answer.structured_content.get("undo")
    assert ended.get("undo") == undo
    assert ("\nUndo: " in text_of(answer)) is (undo is not None)
    assert undo is None or f"\nUndo: {undo}" in text_of(answer)
    return undo and undo.replace(made["id"], "<job>")


async def test_an_insert_is_undone_by_the_ids_of_what_it_created(org: WatchedOrg) -> None:
    assert await undo_of(org, "insert", allow_operation=("delete",)) == snapshot(
        'create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["<job>"], "which": ["created"]}}} deletes what it created, once closed. Only if the user asks.'
    )


async def test_a_server_that_keeps_no_results_needs_the_ids(org: WatchedOrg) -> None:
    undo = await undo_of(org, "insert", allow_operation=("delete",), no_spool=True)
    assert next_call(str(undo))[1]["data"] == {"csv": "<the ids of its successful rows>"}


async def test_where_deletes_are_refused_it_says_what_they_need(org: WatchedOrg) -> None:
    assert await undo_of(org, "insert", deny_operations=("delete",)) == snapshot(
        "What it created can be deleted by its ids only where the operator allows delete jobs."
    )


@pytest.mark.parametrize(
    ("operation", "rows"), [("insert", 'Name\n""\n'), ("update", "Id,Name\n001000000000001AAA,A\n")]
)
async def test_a_job_that_created_nothing_has_nothing_to_undo(org: WatchedOrg, operation: str, rows: str) -> None:
    assert await undo_of(org, operation, {"csv": rows}, allow_operation=("delete",)) is None


async def test_a_close_after_which_the_load_goes_on_leaves_the_undo_to_the_status(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        body, rows = {"object": "Account", "operation": "insert"}, {"csv": "Name,Site\nGood,1\n,2\n"}
        made = await call(client, "create-ingest-job", body=body, data=rows, preflight="off")
        ended = await closed(client, made["id"])
        assert "undo" not in ended and ended["next"].startswith("get-failed-results-ingest-job")
        assert "undo" in await call(client, "get-ingest-job-status", jobId=made["id"])


async def test_a_close_after_which_failed_rows_are_looked_at_leaves_what_it_updated_to_the_status(
    org: WatchedOrg,
) -> None:
    async with agent(org.url) as client:
        made = await call(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nHeld 1\n"})
        await closed(client, made["id"])
        [record] = org.records("SELECT Id FROM Account WHERE Name = 'Held 1'")
        rows = {"csv": f"Id,Name\n{record['Id']},Held 2\n001000000000001AAA,Nobody\n"}
        job = await call(client, "create-ingest-job", body=INSERT | {"operation": "update"}, data=rows, preflight="off")
        ended = await closed(client, job["id"])
        assert "undo" not in ended and ended["next"].startswith("get-failed-results-ingest-job")
        assert "undo" in await call(client, "get-ingest-job-status", jobId=job["id"])


TEXT = "x" * 330
"""A text of which three rows have as much as a part takes."""


async def parts_loaded(
    client: Client, body: dict[str, str], rows: str, of: int = 3, **options: Any
) -> list[dict[str, Any]]:
    """The statuses of the jobs of the parts of these rows, once they have ended."""
    options |= {"body": body, "data": {"csv": rows}}
    checked = await call(client, "create-ingest-job", **options, dryRun=True)
    jobs = list[str]()
    for part in range(1, of + 1):
        made = await call(client, "create-ingest-job", **options, part=part, sha256=checked["sha256"])
        jobs.append(made["id"])
        await closed(client, jobs[-1])
    return [await call(client, "get-ingest-job-status", jobId=job) for job in jobs]


async def test_the_last_part_of_a_load_names_the_jobs_of_all_parts_in_its_undo(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",), max_upload_bytes=1_100) as client:
        rows = "Name,Description\n" + "".join(f"Part {n},{TEXT}\n" for n in range(7))
        inserts = await parts_loaded(client, {"object": "Account", "operation": "insert"}, rows)
        found = org.records("SELECT Id, Name FROM Account WHERE Name LIKE 'Part %' ORDER BY Name")
        rows = "Id,Name,Description\n" + "".join(f"{each['Id']},Other,{TEXT}\n" for each in found)
        updates = await parts_loaded(client, {"object": "Account", "operation": "update"}, rows)
        for jobs, which, words in ((updates, "before", "updated back"), (inserts, "created", "created, once closed")):
            tool, arguments = next_call(jobs[-1]["undo"])
            assert arguments["data"] == {"rowsOf": {"jobs": [job["id"] for job in jobs], "which": [which]}}
            assert f"what these 3 jobs of the load {words}" in jobs[-1]["undo"]
            assert next_call(jobs[0]["undo"])[1]["data"]["rowsOf"]["jobs"] == [jobs[0]["id"]]
            undo = await call(client, tool, **arguments)
            assert (await closed(client, undo["id"]))["numberRecordsProcessed"] == 7
            org.forget()
            await call(client, "get-ingest-job-status", jobId=jobs[-1]["id"])
            reads_of_undo = [each for each in org.recorder.calls if undo["id"][:15] in each]
            assert len(reads_of_undo) == 1
            if which == "before":
                assert org.records("SELECT Id, Name FROM Account WHERE Name LIKE 'Part %' ORDER BY Name") == found
    assert org.records("SELECT Id FROM Account WHERE Name LIKE 'Part %'") == []


async def told_of(client: Client, jobs: list[dict[str, Any]], **names: str) -> str:
    """What the status of the last of some jobs says of its undo, with words for jobs."""
    told = str((await call(client, "get-ingest-job-status", jobId=jobs[-1]["id"]))["undo"])
    for name, job in {**{f"PART{n}": each["id"] for n, each in enumerate(jobs, 1)}, **names}.items():
        told = told.replace(job, name)
    return told


async def test_the_last_part_of_a_load_tells_of_the_parts_that_are_left_to_undo(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",), max_upload_bytes=1_100) as client:
        rows = "Name,Description\n" + "".join(f"Left {n},{TEXT}\n" for n in range(7))
        parts = await parts_loaded(client, INSERT, rows)
        told = []
        for number in (2, 0, 1):
            created = {"rowsOf": {"jobs": [parts[number]["id"]], "which": ["created"]}}
            undo = await call(client, "create-ingest-job", body=INSERT | {"operation": "delete"}, data=created)
            await closed(client, undo["id"])
            told.append(await told_of(client, parts, UNDO=undo["id"]))
    assert told == snapshot(
        [
            'create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["PART1", "PART2"], "which": ["created"]}}} deletes what these 2 jobs of the load created, once closed. Only if the user asks.',
            'create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["PART2"], "which": ["created"]}}} deletes what job PART2 created, once closed. Only if the user asks.',
            'get-ingest-job-status {"jobId": "UNDO"} shows the last undo, which has the ids of 3 records that the load created, and is JobComplete.',
        ]
    )


async def told_of_parts_without_a_row_in_the_last(client: Client, body: dict[str, str], rows: str) -> list[str]:
    """What the last of two parts says of its undo: before it, while it is open, and after it."""
    parts = await parts_loaded(client, body, rows, of=2, preflight="off")
    assert (parts[1]["numberRecordsProcessed"], parts[1]["numberRecordsFailed"]) == (1, 1)
    told = [await told_of(client, parts)]
    tool, arguments = next_call(parts[-1]["undo"])
    undo = await call(client, tool, **arguments)
    told.append(await told_of(client, parts, UNDO=undo["id"]))
    await closed(client, undo["id"])
    return [*told, await told_of(client, parts, UNDO=undo["id"])]


async def test_a_last_part_that_created_no_record_names_the_jobs_of_the_others_in_its_undo(org: WatchedOrg) -> None:
    rows = f"Name,Description\nNone 1,{TEXT}\nNone 2,{TEXT}\n,{TEXT}{TEXT}\n"
    async with agent(org.url, allow_operation=("delete",), max_upload_bytes=1_100) as client:
        assert await told_of_parts_without_a_row_in_the_last(client, INSERT, rows) == snapshot(
            [
                'create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["PART1"], "which": ["created"]}}} deletes what job PART1 created, once closed. Only if the user asks.',
                'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which has the ids of 2 records that the load created, and is Open.',
                'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which has the ids of 2 records that the load created, and is JobComplete.',
            ]
        )
    assert org.records("SELECT Id FROM Account WHERE Name LIKE 'None _'") == []


async def test_a_last_part_that_updated_no_record_names_the_jobs_of_the_others_in_its_undo(org: WatchedOrg) -> None:
    async with agent(org.url, max_upload_bytes=1_100) as client:
        made = await call(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nHad 1\nHad 2\n"})
        await closed(client, made["id"])
        one, two = [each["Id"] for each in org.records("SELECT Id FROM Account WHERE Name LIKE 'Had _'")]
        rows = f"Id,Name,Description\n{one},Has,{TEXT}\n{two},Has,{TEXT}\n001000000000001AAA,Nobody,{TEXT}{TEXT}\n"
        body = INSERT | {"operation": "update"}
        assert await told_of_parts_without_a_row_in_the_last(client, body, rows) == snapshot(
            [
                'create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["PART1"], "which": ["before"]}}} gives what job PART1 updated back what it held, but for records that were changed since, once closed. Only if the user asks.',
                'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which has 2 records that the load updated, and is Open.',
                'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which gave back what 2 records held.',
            ]
        )
    assert len(org.records("SELECT Id FROM Account WHERE Name LIKE 'Had _'")) == 2


@pytest.mark.parametrize("dry_run", [True, False])
async def test_an_undo_names_the_first_records_that_it_deletes(org: WatchedOrg, dry_run: bool) -> None:
    rows = {"csv": "Site,Name\n" + "".join(f"{n},Acme {n}\n" for n in range(5)) + ",\n"}
    async with agent(org.url, allow_operation=("delete",)) as client:
        body = {"object": "Account", "operation": "insert"}
        made = await call(client, "create-ingest-job", body=body, data=rows, preflight="off")
        await closed(client, made["id"])
        tool, arguments = await undo_call(client, made["id"])
        deleting = await call(client, tool, **arguments, dryRun=dry_run)
    ids = {str(record["Name"]): str(record["Id"]) for record in org.records("SELECT Id, Name FROM Account")}
    (found,) = deleting["findings"]
    told = re.fullmatch(r"The rows are the ids of 5 records that job (\w+) created: (.*) and 2 more\.", found["what"])
    assert told is not None and told[1] == made["id"]
    named = told[2].split(", ")
    assert len(named) == 3 and set(named) < {f'"{name}" ({record_id})' for name, record_id in ids.items()}
    assert "1 warning" in deleting["summary"]


async def test_an_undo_names_no_hidden_cells(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",), hide_fields=("Account.Name",)) as client:
        body, rows = {"object": "Account", "operation": "insert"}, {"csv": "Name,Site\nSecret,1\n"}
        made = await call(client, "create-ingest-job", body=body, data=rows)
        await closed(client, made["id"])
        data = {"rowsOf": {"jobs": [made["id"]], "which": ["created"]}}
        deleting = await call(client, "create-ingest-job", body={**body, "operation": "delete"}, data=data, dryRun=True)
    assert "Secret" not in str(deleting)
    assert "The rows are the ids of a record that job" in deleting["findings"][0]["what"]


async def test_a_server_that_changes_nothing_does_not_speak_of_it(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        made = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"}, data=ROWS)
        await closed(client, made["id"])
    async with agent(org.url, read_only=True, allow_preflight_off=False) as client:
        assert "undo" not in await call(client, "get-ingest-job-status", jobId=made["id"])


@pytest.mark.parametrize("operation", ["insert", "upsert"])
async def test_an_undo_that_began_is_shown_in_place_of_another(operation: str, org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        body = {"object": "Account", "operation": operation}
        body |= {"externalIdFieldName": "External_Id__c"} if operation == "upsert" else {}
        rows = {"csv": f"Name,External_Id__c\nAgain {operation} 1,{operation}1\nAgain {operation} 2,{operation}2\n"}
        made = await call(client, "create-ingest-job", body=body, data=rows)
        await closed(client, made["id"])
        tool, arguments = await undo_call(client, made["id"])
        undoing = await call(client, tool, **arguments)
        told = []
        for _ in range(2):
            org.forget()
            status = await call(client, "get-ingest-job-status", jobId=made["id"])
            assert len([each for each in org.recorder.calls if undoing["id"][:15] in each]) == 1
            told.append(status["undo"].replace(undoing["id"], "<undo>"))
            await closed(client, undoing["id"])
        again = await call(client, "create-ingest-job", **{**arguments, "preflight": "off"})
    assert told == snapshot(
        [
            'get-ingest-job-status {"jobId": "<undo>"} shows the undo, which has the ids of 2 records that this job created, and is Open.',
            'get-ingest-job-status {"jobId": "<undo>"} shows the undo, which has the ids of 2 records that this job created, and is JobComplete.',
        ]
    )
    [_, found] = again["findings"]
    assert found["what"].replace(undoing["id"], "<undo>").replace(made["id"], "<job>") == snapshot(
        "Ids of records that job <job> created went into a delete job before: <undo> (JobComplete)."
    )


async def test_an_undo_that_was_aborted_is_no_undo(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        made = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"}, data=ROWS)
        await closed(client, made["id"])
        undo = (await call(client, "get-ingest-job-status", jobId=made["id"]))["undo"]
        tool, arguments = next_call(undo)
        undoing = await call(client, tool, **arguments)
        await call(client, "close-abort-ingest-job", jobId=undoing["id"], body={"state": "Aborted"})
        assert (await call(client, "get-ingest-job-status", jobId=made["id"]))["undo"] == undo
        again = await call(client, tool, **{**arguments, "preflight": "off"})
    assert len(again["findings"]) == 1
