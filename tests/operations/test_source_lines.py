"""Rows of earlier jobs are left out by the lines of the source that they came from, in an undo as in a retry."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.next_call import next_call, next_line
from tests.support.orgs import agent, call, closed, refusal, undo_call
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
UPDATE = {"object": "Account", "operation": "update"}
DELETE = {"object": "Account", "operation": "delete"}


@pytest.fixture
async def client(org: WatchedOrg) -> AsyncIterator[Client]:
    async with agent(org.url, allow_operation=("delete",)) as client:
        yield client


async def done(client: Client, body: dict[str, str], csv: str, **options: Any) -> str:
    """The id of a job that has loaded the rows."""
    job = str((await call(client, "create-ingest-job", body=body, data={"csv": csv}, preflight="off", **options))["id"])
    await closed(client, job)
    return job


async def undone_but(client: Client, job: str, lines: str) -> dict[str, Any]:
    """The answer to the undo of a job without these lines of its source, which is closed then."""
    tool, arguments = await undo_call(client, job)
    data = arguments["data"] | {"leaveOut": {"lines": lines}}
    checked = await call(client, tool, **arguments | {"data": data}, dryRun=True)
    sends, sent = next_call(checked["next"])
    answer = await call(client, sends, **sent)
    assert answer["findings"] == checked["findings"]
    assert (await closed(client, answer["id"]))["numberRecordsFailed"] == 0
    return answer


def names(org: WatchedOrg, like: str) -> dict[str, str]:
    """The ids of the records with such a name, by their names."""
    found = org.records(f"SELECT Id, Name FROM Account WHERE Name LIKE '{like} _'")
    return {str(record["Name"]): str(record["Id"]) for record in found}


def told(answer: dict[str, Any], **words: str) -> list[str]:
    """What the findings of an answer say, with words in place of ids."""
    found = [each["what"] for each in answer["findings"]]
    for word, name in words.items():
        found = [what.replace(name, word) for what in found]
    return found


async def test_an_update_is_undone_for_some_lines_of_its_file(client: Client, org: WatchedOrg) -> None:
    await done(client, INSERT, "Name\nLate 1\nLate 2\nLate 3\nLate 4\n")
    ids = names(org, "Late")
    # The second row takes two lines, and is one for all that.
    rows = f'{ids["Late 1"]},1\n{ids["Late 2"]},"2\n2"\n{ids["Late 3"]},3\n{ids["Late 4"]},4\n'
    job = await done(client, UPDATE, f"Id,Site\n{rows}")
    answer = await undone_but(client, job, "2, 6-")
    assert told(answer, JOB=job) == snapshot(
        [
            "The rows give back what 2 records of Account held before job JOB.",
            "Left out: 2 rows of job JOB, by the lines of its source.",
        ]
    )
    left = org.records("SELECT Name FROM Account WHERE Name LIKE 'Late _' AND Site != NULL ORDER BY Name")
    assert [record["Name"] for record in left] == ["Late 1", "Late 4"]
    status = await call(client, "get-ingest-job-status", jobId=job)
    assert "which gave back what 2 of 4 records held" in status["undo"]


async def test_what_an_insert_created_is_deleted_for_some_lines_of_its_file(client: Client, org: WatchedOrg) -> None:
    job = await done(client, INSERT, "Name,Site\nGone 1,a\n,fails\nGone 3,a\nGone 4,a\n")
    ids = names(org, "Gone")
    tool, arguments = await undo_call(client, job)
    data = arguments["data"] | {"leaveOut": {"cells": {"Id": [ids["Gone 1"]]}}}
    checked = await call(client, tool, **arguments | {"data": data}, dryRun=True)
    assert "The rows are the ids of 2 records" in checked["findings"][0]["what"]
    assert "Gone 1" not in checked["findings"][0]["what"]
    answer = await undone_but(client, job, "2-3")
    created, left_out = sorted(told(answer, JOB=job), reverse=True)
    assert "The rows are the ids of 2 records that job JOB created: " in created
    assert all(f'"{name}" ({ids[name]})' in created for name in ("Gone 3", "Gone 4"))
    assert (left_out, answer["rows"]) == ("Left out: 1 row of job JOB, by the lines of its source.", 2)
    assert [*names(org, "Gone")] == ["Gone 1"]
    status = await call(client, "get-ingest-job-status", jobId=job)
    assert "which has the ids of 2 of 3 records that this job created" in status["undo"]


async def test_what_a_delete_deleted_comes_back_for_some_lines_of_its_file(client: Client, org: WatchedOrg) -> None:
    await done(client, INSERT, "Name\nBack 1\nBack 2\nBack 3\n")
    ids = names(org, "Back")
    job = await done(client, DELETE, "Id\n" + "".join(f"{ids[name]}\n" for name in sorted(ids)))
    answer = await undone_but(client, job, "all but 2, 4")
    assert told(answer, JOB=job) == snapshot(
        [
            "The rows insert again 2 records of Account that job JOB deleted: deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children.",
            "Left out: 1 row of job JOB, by the lines of its source.",
        ]
    )
    assert sorted(names(org, "Back")) == ["Back 1", "Back 3"]


@pytest.mark.parametrize("operation", ["insert", "update", "delete"])
async def test_an_undo_in_two_steps_is_not_told_as_of_the_records_of_its_last_alone(
    operation: str, client: Client, org: WatchedOrg
) -> None:
    job = await done(client, INSERT, f"Name\n{operation} 1\n{operation} 2\n{operation} 3\n")
    if operation != "insert":
        columns, cells = ("Id,Site", ",1") if operation == "update" else ("Id", "")
        rows = "".join(f"{record_id}{cells}\n" for record_id in names(org, operation).values())
        job = await done(client, INSERT | {"operation": operation}, f"{columns}\n{rows}")
    tool, arguments = await undo_call(client, job)
    for lines in ("2-3", "4"):
        data = arguments["data"] | {"leaveOut": {"lines": lines}}
        undo = (await call(client, tool, **arguments | {"data": data}, preflight="off"))["id"]
        await closed(client, undo)
    told = (await call(client, "get-ingest-job-status", jobId=job))["undo"].partition("} ")[2]
    assert (
        told
        == {
            "insert": "shows the last undo, which has the ids of 2 records that this job created, and is JobComplete.",
            "update": "shows the last undo, which gave back what 2 records held.",
            "delete": "shows the last undo, which has 2 records that this job deleted, and is JobComplete.",
        }[operation]
    )


async def test_failed_rows_go_again_for_some_lines_of_their_file(client: Client, org: WatchedOrg) -> None:
    csv = "Name,NumberOfEmployees\nAgain 1,many\nAgain 2,2\nAgain 3,many\nAgain 4,many\n"
    job = await done(client, INSERT, csv)
    data = {"rowsOf": {"jobs": [job]}, "values": {"NumberOfEmployees": {"many": "3"}}, "leaveOut": {"lines": "2-4"}}
    answer = await call(client, "create-ingest-job", body=INSERT, data=data)
    assert (answer["rows"], told(answer, JOB=job)) == snapshot(
        (1, ["Left out: 2 rows of job JOB, by the lines of its source."])
    )
    await closed(client, answer["id"])
    assert sorted(names(org, "Again")) == ["Again 2", "Again 4"]
    rest = await call(
        client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [job], "skipSent": True}}, preflight="off"
    )
    assert rest["rows"] == 2


async def test_a_load_in_parts_is_undone_for_some_lines_of_its_file(org: WatchedOrg) -> None:
    rows = "Name,Description\n" + "".join(f"Part {n},{'x' * 500}\n" for n in range(1, 5))
    async with agent(org.url, allow_operation=("delete",), max_upload_bytes=1_100) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data={"csv": rows}, dryRun=True)
        jobs = []
        for part in (1, 2):
            sha256 = checked["sha256"]
            jobs.append(await done(client, INSERT, rows, part=part, sha256=sha256))
        answer = await undone_but(client, jobs[-1], "3-4")
        assert answer["rows"] == 2
    assert sorted(names(org, "Part")) == ["Part 2", "Part 3"]


async def test_lines_on_which_no_row_begins_are_named_with_those_that_have_rows(client: Client) -> None:
    job = await done(client, INSERT, "Name\nNone 1\nNone 2\n")
    data = {"rowsOf": {"jobs": [job], "which": ["created"]}, "leaveOut": {"lines": "2, 7-9, 200-"}}
    text = await refusal(client, "create-ingest-job", body=DELETE, data=data)
    assert text.replace(job, "JOB") == snapshot("""\
INVALID_ARGUMENT: leaveOut names lines 7-9, on which no row of job JOB begins: the rows are on lines 2 to 3 of their source.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["created"]}, "leaveOut": {"lines": "<lines, corrected>"}}} is the same call, corrected.\
""")
    data["leaveOut"] = {"lines": "2-3"}
    text = await refusal(client, "create-ingest-job", body=DELETE, data=data)
    assert text.replace(job, "JOB") == snapshot("""\
INVALID_ARGUMENT: No row is left to send again. Left out: 2 rows of job JOB, by the lines of its source. That is what leaveOut asks for.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["created"]}, "leaveOut": {"lines": "<lines, corrected>"}}} is the same call, corrected.\
""")


async def test_lines_of_several_sources_are_no_lines(client: Client) -> None:
    jobs = [await done(client, INSERT, f"Name\nSeveral {n}\n") for n in (1, 2)]
    data = {"rowsOf": {"jobs": jobs, "which": ["created"]}, "leaveOut": {"lines": "2"}}
    text = await refusal(client, "create-ingest-job", body=DELETE, data=data)
    assert text.replace(jobs[0], "FIRST").replace(jobs[1], "SECOND") == snapshot("""\
INVALID_ARGUMENT: lines of leaveOut are those of one source, and the rows of these 2 jobs came from several: name one job.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": "<jobs, corrected>", "which": ["created"]}, "leaveOut": {"lines": "2"}}} is the same call, corrected.\
""")


async def test_where_lines_are_not_known_the_next_call_names_cells(client: Client, org: WatchedOrg) -> None:
    job = await done(client, INSERT, "Name,Site\nUnknown 1,u\n,v\n")
    undo = {"rowsOf": {"jobs": [job], "which": ["created"]}, "leaveOut": {"lines": "2", "cells": {"Id": ["x"]}}}
    retry = {"rowsOf": {"jobs": [job]}, "set": {"Name": "U"}, "leaveOut": {"lines": "2", "cells": {"Site": ["x"]}}}
    async with agent(org.url, allow_operation=("delete",)) as elsewhere:
        texts = [
            await refusal(elsewhere, "create-ingest-job", body=body, data=data, dryRun=True)
            for body, data in ((DELETE, undo), (INSERT, retry))
        ]
        assert [text.replace(job, "JOB") for text in texts] == snapshot(
            [
                """\
INVALID_ARGUMENT: Rows can't be left out by lines here: what was sent to job JOB is not kept here. Name them by the ids of their records, which the successful results have.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["created"]}, "leaveOut": {"cells": {"Id": ["<cells to leave out for \\"Id\\">"]}}}, "dryRun": true} is the same call, corrected.\
""",
                """\
INVALID_ARGUMENT: Rows can't be left out by lines here: what was sent to job JOB is not kept here. Name them by their cells.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"]}, "set": {"Name": "U"}, "leaveOut": {"cells": {"Site": ["x"], "<field>": ["<cells to leave out for \\"<field>\\">"]}}}, "dryRun": true} is the same call, corrected.\
""",
            ]
        )
        # The gap itself would leave nothing out.
        tool, arguments = next_call(next_line(texts[0]))
        assert "a gap is still there" in await refusal(elsewhere, tool, **arguments)
    # The rows of the undo are those of the job, and the records that it deleted come back without their ids.
    made = await undone_but(client, job, "3")
    data = {"rowsOf": {"jobs": [made["id"]], "which": ["before"]}, "leaveOut": {"lines": "2"}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=data)
    assert text.replace(made["id"], "UNDO") == snapshot("""\
INVALID_ARGUMENT: Rows can't be left out by lines here: the rows of job UNDO are those of other jobs. Name them by their cells.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["UNDO"], "which": ["before"]}, "leaveOut": {"cells": {"<field>": ["<cells to leave out for \\"<field>\\">"]}}}} is the same call, corrected.\
""")


async def test_rows_of_jobs_are_known_as_such_where_the_call_that_sent_them_was_too_long_to_keep(
    client: Client,
) -> None:
    job = await done(client, INSERT, "Name,NumberOfEmployees\nLong 1,1\nLong 2,many\nLong 3,many\n")
    long = [f"{'long' * 20} {number}" for number in range(8)]
    values = {"NumberOfEmployees": {"many": "3", **dict.fromkeys(long, "3")}}
    data = {"rowsOf": {"jobs": [job]}, "values": values, "leaveOut": {"cells": {"Name": long}}}
    again = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
    await closed(client, again["id"])
    undo = {"rowsOf": {"jobs": [again["id"]], "which": ["created"]}, "leaveOut": {"lines": "2"}}
    text = await refusal(client, "create-ingest-job", body=DELETE, data=undo, dryRun=True)
    assert f"the rows of job {again['id']} are those of other jobs" in text


async def test_one_row_of_two_sources_makes_them_no_parts_of_one_load(client: Client) -> None:
    first = await done(client, INSERT, "Name\nTwin 1\nTwin 2\n")
    rows = {"csv": "Name\nOther\nTwin 1\nTwin 2\n", "leaveOut": {"lines": "2"}}
    second = await call(client, "create-ingest-job", body=INSERT, data=rows, loadAgain=True)
    await closed(client, second["id"])
    data = {"rowsOf": {"jobs": [first, second["id"]], "which": ["created"]}, "leaveOut": {"lines": "2"}}
    text = await refusal(client, "create-ingest-job", body=DELETE, data=data)
    assert "the rows of these 2 jobs came from several: name one job." in text


async def test_updates_of_several_jobs_are_not_undone_by_lines_which_may_have_changed_one_record(
    org: WatchedOrg,
) -> None:
    async with agent(org.url, allow_operation=("delete",), max_upload_bytes=1_100) as client:
        await done(client, INSERT, "Name\nTwice 1\nTwice 2\n")
        ids = names(org, "Twice")
        written = (("Twice 1", "a"), ("Twice 2", "b"), ("Twice 1", "c"), ("Twice 2", "d"))
        rows = "Id,Description\n" + "".join(f"{ids[name]},{text * 500}\n" for name, text in written)
        checked = await call(client, "create-ingest-job", body=UPDATE, data={"csv": rows}, dryRun=True)
        jobs = [await done(client, UPDATE, rows, part=part, sha256=checked["sha256"]) for part in (1, 2)]
        data = {"rowsOf": {"jobs": jobs, "which": ["before"]}, "leaveOut": {"lines": "2"}}
        text = await refusal(client, "create-ingest-job", body=UPDATE, data=data)
        assert "several may have changed the same record, on different lines" in text
        data = {"rowsOf": {"jobs": jobs[1:], "which": ["before"]}, "leaveOut": {"lines": "4"}}
        answer = await call(client, "create-ingest-job", body=UPDATE, data=data, dryRun=True)
    assert answer["rows"] == 1


async def test_findings_about_rows_of_a_job_name_them_and_no_lines_which_would_be_others_in_its_source(
    client: Client,
) -> None:
    job = await done(client, INSERT, "Name,NumberOfEmployees\nGood 1,1\nBad 2,x\nGood 3,3\nBad 4,y\n")
    data = {"rowsOf": {"jobs": [job]}, "values": {"NumberOfEmployees": {"x": "1"}}}
    answer = await call(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
    (finding,) = [each for each in answer["findings"] if each.get("column") == "NumberOfEmployees"]
    assert (finding["lines"], finding["rows"], finding["cells"]) == ([], ["Bad 4"], ["y"])
    text = "\n".join(
        each.text
        for each in (
            await client.call_tool("create-ingest-job", {"body": INSERT, "data": data, "dryRun": True})
        ).content
        if each.type == "text"
    )
    assert 'column NumberOfEmployees, row "Bad 4": "y":' in text


async def test_an_undo_whose_lines_leave_all_out_is_corrected_by_other_lines(client: Client, org: WatchedOrg) -> None:
    await done(client, INSERT, "Name\nAll 1\n")
    job = await done(client, UPDATE, f"Id,Site\n{names(org, 'All')['All 1']},s\n")
    data = {"rowsOf": {"jobs": [job], "which": ["before"]}, "leaveOut": {"lines": "2"}}
    text = await refusal(client, "create-ingest-job", body=UPDATE, data=data)
    assert '"leaveOut": {"lines": "<lines, corrected>"}' in text


@pytest.mark.parametrize("operation", ["update", "delete"])
async def test_the_status_leads_to_the_undo_of_the_others(operation: str, client: Client, org: WatchedOrg) -> None:
    await done(client, INSERT, f"Name\nOthers {operation} 1\nOthers {operation} 2\nOthers {operation} 3\n")
    like = f"Others {operation}"
    ids = sorted(names(org, like).values())
    rows = "Id,Site\n" if operation == "update" else "Id\n"
    rows += "".join(f"{each},changed\n" if operation == "update" else f"{each}\n" for each in ids)
    job = await done(client, UPDATE if operation == "update" else DELETE, rows)
    await undone_but(client, job, "2")
    undo = (await call(client, "get-ingest-job-status", jobId=job))["undo"]
    assert "2 of 3 records" in undo
    rest = undo[undo.index("create-ingest-job") :]
    assert rest.endswith(
        (
            "gives back the others that nobody changed since, if the user asks.",
            "inserts the others again, if the user asks.",
        )
    )
    tool, arguments = next_call(rest)
    answer = await call(client, tool, **arguments)
    assert answer["rows"] == 1
    assert (await closed(client, answer["id"]))["numberRecordsFailed"] == 0
    left = org.records(f"SELECT Name FROM Account WHERE Name LIKE '{like} _' AND Site = NULL ORDER BY Name")
    assert [record["Name"] for record in left] == [f"{like} {number}" for number in (1, 2, 3)]
    undo = (await call(client, "get-ingest-job-status", jobId=job))["undo"]
    assert "the others" not in undo
