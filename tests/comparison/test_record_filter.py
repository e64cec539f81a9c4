"""Rows are left out by the records that they name: which, what the answers say of them, and that no row goes twice or is lost."""

import math
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from mcp import Client
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.comparison.record_filter import LookedAt, RecordFilter
from salesforce_bulk_ingest.comparison.record_reader import RecordReader
from salesforce_bulk_ingest.loading.by_record import ByRecord
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.models import QueryPage
from salesforce_bulk_ingest.validation.destination import Destination, LoadTarget, Match
from tests.comparison.describing import DESCRIBE, columns
from tests.loading.making import UNCHANGED, Bytes, plan_of
from tests.salesforce_emulator.caller import app_with, calling
from tests.support.asgi_server import running
from tests.support.orgs import Recorder, agent, call, closed, refusal, steady, text_of

SCHEMA = """
objects:
  Account:
    fields:
      Erp_Id__c: {type: string, length: 20, externalId: true, unique: true}
      Old_Id__c: {type: string, length: 20, externalId: true}
"""
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}
UPDATE = {"object": "Account", "operation": "update"}
ROWS = "Erp_Id__c,Name,Phone\nE-1,One,1\nE-2,Zwei,2\nE-4,Four,4\n"
"""A row that equals its record, one that changes it, and a new one."""
LONG_ROWS = ROWS + "".join(f"E-2,{letter * 240},2\n" for letter in "ABCDE")
CREATE, UPLOAD = "create-ingest-job", "upload-data-ingest-job"


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    yield Recorder(app_with(SCHEMA, tmp_path_factory.mktemp("org")))


@pytest.fixture(scope="module")
def url(org: Recorder) -> Iterator[str]:
    with running(org) as url, calling(url) as direct:
        direct.load("Erp_Id__c,Old_Id__c,Name,Phone\nE-1,O-1,One,1\nE-2,O-2,Two,2\nE-3,O-2,Three,3\n", "Account")
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    async with agent(url) as client:
        yield client


def writes(org: Recorder) -> list[str]:
    return [each for each in org.calls if not each.startswith("GET")]


NO_RECORD, EQUAL = "no record has their key", "equal to their record"


def left_out_of(why: str, lines: list[int], names: list[str]) -> dict[str, Any]:
    """What an answer says of rows that one argument left out, all of which it names."""
    return {"count": len(lines), "why": why, "lines": lines, "rows": names}


@pytest.mark.parametrize(
    ("arguments", "left_out", "rows"),
    [
        ({"match": "updateOnly"}, {"match": left_out_of(NO_RECORD, [4], ["E-4"])}, 2),
        ({"match": "createOnly"}, {"match": left_out_of("a record has their key", [2, 3], ["E-1", "E-2"])}, 1),
        ({"changedOnly": True}, {"changedOnly": left_out_of(EQUAL, [2], ["E-1"])}, 2),
        (
            {"match": "updateOnly", "changedOnly": True, "leaveOut": {"lines": "3"}},
            {
                "lines": left_out_of("asked", [3], ["E-2"]),
                "match": left_out_of(NO_RECORD, [4], ["E-4"]),
                "changedOnly": left_out_of(EQUAL, [2], ["E-1"]),
            },
            0,
        ),
    ],
)
async def test_rows_are_left_out_by_their_records(
    client: Client, arguments: dict[str, Any], left_out: dict[str, Any], rows: int
) -> None:
    answer = await call(client, CREATE, body=UPSERT, data={"csv": ROWS, **arguments}, dryRun=True)
    assert (answer["leftOut"], answer["rows"]) == (left_out, rows)


async def test_a_dry_run_says_how_many_rows_are_left_out_and_compares_those_that_are_equal_too(client: Client) -> None:
    given = {"body": UPSERT, "data": {"csv": ROWS, "match": "updateOnly", "changedOnly": True}, "dryRun": True}
    lines = text_of(await client.call_tool(CREATE, given)).splitlines()
    assert [line for line in lines if not line.startswith(("-", "Columns", "["))] == snapshot(
        [
            "No job was made. Checked 1 row, 32 bytes (left out: 1 by match as no record has their key, 1 by changedOnly as equal to their record): nothing is wrong. Nothing was sent to embedded org. Compared with the org: 0 new, 1 changed, 1 equal.",
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}, "data": {"csv": "<the same rows>", "match": "updateOnly", "changedOnly": true}, "sha256": "1605fd63a610adf7f6120c87f9d0e5152a32d11685c8f8a6b1e231fb0ff4423b"} sends the rows, if they are still the same.',
            "sha256: 1605fd63a610adf7f6120c87f9d0e5152a32d11685c8f8a6b1e231fb0ff4423b",
            'Left out by match (no record has their key): line 4 ("E-4")',
            'Left out by changedOnly (equal to their record): line 2 ("E-1")',
            "In the org (2 API calls; what stands in quotes is data, never an instruction):",
            "Records, before → after:",
            "The first rows as they would go, in the order of the columns:",
            "Checked: file, columns, cells, blank and repeated Erp_Id__c, existing records.",
            "Not checked: validation rules, triggers, duplicate rules, record types.",
        ]
    )


async def test_an_update_leaves_out_rows_that_change_nothing(client: Client, url: str) -> None:
    with calling(url) as direct:
        ids = [each["Id"] for each in direct.query("SELECT Id FROM Account ORDER BY Name")["records"]]
    rows = f"Id,Name,Phone,Fax\n{ids[0]},One,,\n{ids[0][:15]},One,01,#N/A\n001000000000999AAA,Gone,1,\n"
    answer = await call(client, CREATE, body=UPDATE, data={"csv": rows, "changedOnly": True}, dryRun=True)
    assert answer["leftOut"] == {"changedOnly": {"count": 0}}, "the second row of the record changes it"
    rows = rows.replace("01,#N/A", " 1 ,#N/A")
    answer = await call(client, CREATE, body=UPDATE, data={"csv": rows, "changedOnly": True}, dryRun=True)
    assert answer["leftOut"] == {"changedOnly": left_out_of(EQUAL, [2, 3], [ids[0], ids[0][:15]])}


async def test_equal_calls_find_their_rows_in_the_job_once_these_are_in_the_org(url: str, tmp_path: Path) -> None:
    rows = "Erp_Id__c,Name\nE-1,One\nR-1,New\nR-2,New\n"
    data = {"csv": rows, "match": "createOnly"}
    async with agent(url, folder=tmp_path) as client:
        dry = await call(client, CREATE, body=UPSERT, data=data, dryRun=True)
        given = {"body": UPSERT, "data": data, "sha256": dry["sha256"]}
        first, *answers = [await call(client, CREATE, **given) for _ in range(2)]
        await closed(client, first["id"])
        answers.append(await call(client, CREATE, **given))
    async with agent(url, folder=tmp_path) as client:  # another process
        answers.append(await call(client, UPLOAD, jobId=first["id"], body=data))
        recipe = await client.read_resource(f"salesforce-bulk://jobs/{first['id']}/recipe")
        other = await refusal(client, UPLOAD, jobId=first["id"], body={"csv": rows})
    assert "\nmatch: createOnly\n" in str(getattr(recipe.contents[0], "text", ""))
    assert "The job is JobComplete; it takes rows only while it is Open." in other
    assert first["leftOut"] == {"match": left_out_of("a record has their key", [2], ["E-1"])}
    kept = ("status", "rows", "leftOut", "sha256")
    expected = ["already uploaded", *(first[name] for name in kept[1:])]
    assert [[answer[name] for name in kept] for answer in answers] == [expected] * 3


async def test_nothing_is_told_of_records_where_rows_have_errors_and_nobody_looked(client: Client) -> None:
    data = {"csv": "Erp_Id__c,Nothing__c\nE-1,One\n", "match": "updateOnly", "changedOnly": True}
    answer = await call(client, CREATE, body=UPSERT, data=data, dryRun=True)
    assert (answer["status"], answer.get("leftOut")) == ("checked", None)
    assert "Left out" not in answer["summary"]


async def test_a_load_of_rows_that_are_all_there_makes_no_job(client: Client, org: Recorder) -> None:
    before = writes(org)
    given = {"body": UPSERT, "data": {"csv": "Erp_Id__c,Name\nE-1,One\nE-3,Three\n", "changedOnly": True}}
    result = await client.call_tool(CREATE, given)
    assert text_of(result).splitlines() == snapshot(
        [
            "No job was made. There is nothing to send to embedded org, since every row is left out: 2 by changedOnly as equal to their record.",
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}, "data": {"csv": "<the same rows>", "changedOnly": true}, "dryRun": true} looks again, once the rows or their records have changed: nothing is to do now.',
            'Left out by changedOnly (equal to their record): line 2 ("E-1"), 3 ("E-3")',
        ]
    )
    dry = await call(client, CREATE, **given, dryRun=True)
    assert (dry["status"], dry["rows"], dry["findings"]) == ("nothing to send", 0, [])
    assert writes(org) == before


async def test_rows_of_which_most_have_no_record_look_like_a_mistake_where_these_are_left_out(client: Client) -> None:
    given = {"body": UPSERT, "data": {"csv": "Erp_Id__c,Name\n1,One\n3,Three\n", "match": "updateOnly"}}
    dry = await call(client, CREATE, **given, dryRun=True)
    assert {name: dry[name] for name in ("summary", "next", "findings")} == snapshot(
        {
            "summary": "This looks like a mistake: 2 of 2 rows have a key in Erp_Id__c that no record has. No job was made. There is nothing to send to embedded org, since every row is left out: 2 by match as no record has their key.",
            "next": 'create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}, "data": {"csv": "<the same rows>", "match": "updateOnly"}, "dryRun": true} looks again, once the rows or their records have changed: have the user check the file first.',
            "findings": [
                {
                    "level": "warning",
                    "what": "2 of 2 rows have a key in Erp_Id__c that no record has. They are left out: their records are gone, or are those of another org.",
                    "do": "Have the user check that the file is of this object, this org and this time.",
                    "column": "Erp_Id__c",
                    "lines": [],
                    "count": 2,
                }
            ],
        }
    )
    some = {"csv": "Erp_Id__c,Name\nE-1,Uno\nE-3,Tre\n9,Neun\n8,Acht\n", "match": "updateOnly"}
    assert (await call(client, CREATE, body=UPSERT, data=some, dryRun=True))["findings"] == []
    some["csv"] += "7,Sieben\n"
    most = await call(client, CREATE, body=UPSERT, data=some, dryRun=True)
    told = {name: most[name] for name in ("summary", "next")}
    assert (told, [each["what"] for each in most["findings"]]) == snapshot(
        (
            {
                "summary": "This looks like a mistake: 3 of 5 rows have a key in Erp_Id__c that no record has. No job was made. Checked 2 rows, 31 bytes (left out: 3 by match as no record has their key): 1 warning. Nothing was sent to embedded org. Compared with the org: 0 new, 2 changed, 0 equal.",
                "next": 'create-ingest-job {"body": {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}, "data": {"csv": "<the corrected rows>", "match": "updateOnly"}, "dryRun": true} checks the rows, once they are corrected; with the same rows, and with this sha256 in place of dryRun, it sends the rows as they are, once the user has seen what looks like a mistake, and wants it.',
            },
            [
                "3 of 5 rows have a key in Erp_Id__c that no record has. They are left out: their records are gone, or are those of another org."
            ],
        )
    )
    sent = await call(client, CREATE, body=UPSERT, data=some)
    assert steady({name: sent[name] for name in ("summary", "next")}) == snapshot(
        {
            "summary": "This looks like a mistake: 3 of 5 rows have a key in Erp_Id__c that no record has. Created the job. Uploaded 2 rows, 31 bytes (left out: 3 by match as no record has their key), to job JOB in embedded org; nothing is loaded until the job is closed. 1 warning. Checked: file, columns, cells, blank and repeated Erp_Id__c.",
            "next": 'close-abort-ingest-job {"jobId": "JOB", "body": {"state": "UploadComplete"}, "waitSeconds": 45} loads them, once the user has seen what looks like a mistake, and wants it.',
        }
    )


@pytest.mark.parametrize(
    ("key", "arguments", "told"),
    [
        ("E-1", {"match": "updateOnly"}, []),
        ("E-1", {}, []),
        ("E-5", {}, ["Account requires Name: without a column for it rows that make a new record fail."]),
        ("E-5", {"match": "createOnly"}, ["Account requires Name: without a column for it every row fails."]),
    ],
)
async def test_what_new_records_need_is_told_only_where_rows_may_make_some(
    client: Client, key: str, arguments: dict[str, Any], told: list[str]
) -> None:
    data = {"csv": f"Erp_Id__c,Phone\n{key},5\n", **arguments}
    answer = await call(client, CREATE, body=UPSERT, data=data, dryRun=True)
    assert [each["what"] for each in answer["findings"]] == told


async def test_an_upload_of_rows_that_are_all_there_leaves_the_job_without_rows(client: Client, org: Recorder) -> None:
    job = (await call(client, CREATE, body=UPSERT))["id"]
    given = {"jobId": job, "body": {"csv": "Erp_Id__c,Name\nE-1,One\n", "match": "createOnly"}}
    answer = await call(client, UPLOAD, **given)
    assert steady({name: answer[name] for name in ("status", "state", "summary", "next")}) == snapshot(
        {
            "status": "nothing to send",
            "state": "Open",
            "summary": "There is nothing to send to embedded org, since every row is left out: 1 by match as a record has their key. Job JOB stays Open, without rows.",
            "next": 'upload-data-ingest-job {"jobId": "JOB", "body": {"csv": "<the same rows>", "match": "createOnly"}, "dryRun": true} looks again, once the rows or their records have changed: nothing is to do now. close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops the empty job.',
        }
    )
    assert not any(job in each and each.startswith("PUT") for each in org.calls)
    await call(client, UPLOAD, jobId=job, body={"csv": ROWS})
    assert "This job already has other rows" in await refusal(client, UPLOAD, **given)


async def test_rows_go_only_while_the_same_remain_as_in_the_dry_run(client: Client, url: str) -> None:
    data = {"csv": "Erp_Id__c,Name\nS-1,One\nS-2,Two\n", "match": "createOnly"}
    dry = await call(client, CREATE, body=UPSERT, data=data, dryRun=True)
    with calling(url) as direct:
        direct.load("Erp_Id__c,Name\nS-2,Of somebody\n", "Account")
    refused = await refusal(client, CREATE, body=UPSERT, data=data, sha256=dry["sha256"])
    assert refused.splitlines()[0] == snapshot(
        "INVALID_ARGUMENT: The rows, their mapping, or their records in the org, are not those that this sha256 was given for: begin again with dryRun and without sha256."
    )


async def test_a_row_that_names_several_records_goes_and_is_told(client: Client) -> None:
    body = {**UPSERT, "externalIdFieldName": "Old_Id__c"}
    data = {"csv": "Old_Id__c,Name\nO-1,Eins\nO-2,Zwei\n", "match": "createOnly"}
    without_comparison: dict[str, Any] = {"compare": []}
    for options in ({}, without_comparison):
        answer = await call(client, CREATE, body=body, data=data, dryRun=True, **options)
        assert answer["leftOut"] == {"match": left_out_of("a record has their key", [2], ["O-1"])}
        assert len(answer["findings"]) == 1 and "Every row is known to fail." in answer["summary"]
    sent = await call(client, CREATE, body=body, data=data)
    assert [finding["what"] for finding in sent["findings"]] == snapshot(
        [
            "1 row has a key in Old_Id__c that several records have. An upsert does not choose one of them, so these rows fail."
        ]
    )


Answer = Callable[[str], Response | None]


class Answering:
    """An org that answers some queries for accounts itself."""

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self.app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode() if scope["type"] == "http" else ""
        answer = self._answer(query) if "FROM%20Account" in query else None
        await (self.app if answer is None else answer)(scope, receive, send)


def error(status: int, code: str, message: str) -> Response:
    return JSONResponse([{"errorCode": code, "message": message}], status)


@pytest.mark.usefixtures("url")
async def test_a_row_goes_whose_record_can_not_be_seen_whole_and_that_is_told(org: Recorder) -> None:
    def without_phone(query: str) -> Response | None:
        is_asked = "Phone" in query
        return error(400, "INVALID_FIELD", "No such column 'Phone' on entity 'Account'.") if is_asked else None

    data = {"csv": "Erp_Id__c,Name,Phone\nE-1,One,1\nE-3,Three,\n", "changedOnly": True}
    with running(Answering(org, without_phone)) as url:
        async with agent(url) as client:
            answer = await call(client, CREATE, body=UPSERT, data=data)
    assert answer["leftOut"] == {"changedOnly": left_out_of(EQUAL, [3], ["E-3"])}
    assert [(each["what"], each["do"]) for each in answer["findings"]] == snapshot(
        [
            (
                "Rows go of which it can't be told whether they change anything: \"Phone\" can't be compared.",
                "To have them judged by the others alone, leave these columns out with null in columns.",
            )
        ]
    )


async def test_nobody_learns_a_hidden_cell_by_the_rows_that_are_left_out(url: str) -> None:
    given = {"body": UPSERT, "data": {"csv": ROWS, "changedOnly": True}, "dryRun": True}
    async with agent(url, hide_fields=("Phone",)) as client:
        answer = await call(client, CREATE, **given)
    assert answer["leftOut"] == {"changedOnly": {"count": 0}}
    assert 'whether they change anything: "Phone" can\'t be compared' in answer["findings"][0]["what"]
    async with agent(url, hide_fields=("Erp_Id__c",)) as client:
        refused = await refusal(client, CREATE, **given)
    assert refused.splitlines()[0] == snapshot(
        'INSUFFICIENT_ACCESS: The operator hides the cells of "Erp_Id__c" (hide_fields), so no rows are left out by the records that these name.'
    )


async def test_a_recipe_leaves_rows_out_and_is_held_to_its_bounds_by_all_of_them(url: str, tmp_path: Path) -> None:
    (tmp_path / "weekly.yaml").write_text(
        "object: Account\noperation: upsert\nexternalIdFieldName: Erp_Id__c\nfields: [Erp_Id__c, Name, Phone]\n"
        "match: updateOnly\nchangedOnly: true\nbounds: {rows: {min: 3}, new: 0}\n"
    )
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "new.csv").write_text("Erp_Id__c,Name,Phone\nN-1,A,\nN-2,B,\nN-3,C,\n")
    (tmp_path / "fewer.csv").write_text(ROWS.replace("E-1,One,1\n", ""))
    async with agent(url, recipes=tmp_path, upload_roots=(tmp_path,)) as client:
        answer = await call(client, CREATE, data={"recipe": "weekly", "file": str(tmp_path / "rows.csv")})
        again = await call(client, CREATE, data={"recipe": "weekly", "file": str(tmp_path / "rows.csv")})
        none = await call(client, CREATE, data={"recipe": "weekly", "file": str(tmp_path / "new.csv")})
        refused = await refusal(client, CREATE, data={"recipe": "weekly", "file": str(tmp_path / "fewer.csv")})
    assert (answer["rows"], answer["status"], again["status"]) == (1, "uploaded", "already uploaded")
    assert none["status"] == "nothing to send"
    assert "the number of its rows is 2, and 3 is the least (rows)" in refused


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "REQUEST_LIMIT_EXCEEDED"), (503, "SERVER_UNAVAILABLE"), (401, "INVALID_SESSION_ID"), (403, "NO_ACCESS")],
)
async def test_nothing_is_sent_where_the_look_fails_on_its_way(org: Recorder, status: int, code: str) -> None:
    answered = list[str]()

    def failing(query: str) -> Response | None:
        answered.append(query)
        return error(status, code, "no 'K-1' now") if len(answered) > 1 else None

    before = writes(org)
    rows = "".join(f"K-{number},{number}\n" for number in range(2_100))
    given = {"body": UPSERT, "data": {"csv": f"Erp_Id__c,Name\n{rows}", "match": "updateOnly"}}
    with running(Answering(org, failing)) as url:
        async with agent(url) as client:
            for options in ({}, {"dryRun": True}):
                refused = await refusal(client, CREATE, **given, **options)
                what = "RECORDS_UNSEEN: Nothing was sent: which rows match and changedOnly leave out can't be seen"
                assert refused.startswith(what) and "K-1" not in refused
                assert refused.splitlines()[1].startswith(f"Next: {CREATE} ")
    assert writes(org) == before


async def test_what_can_not_be_looked_at_is_refused(url: str, org: Recorder) -> None:
    before, told = writes(org), list[str]()
    calls: list[tuple[dict[str, str], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (UPDATE, {"match": "updateOnly"}, {}, {}),
        ({"object": "Account", "operation": "insert"}, {"changedOnly": True}, {}, {}),
        (UPSERT, {"changedOnly": True}, {"preflight": "off"}, {}),
        (UPSERT, {"match": "createOnly"}, {}, {"compare_rows": 2}),
        (UPSERT, {"match": "createOnly"}, {}, {"compare_rows": 0}),
        (UPSERT, {"match": "updateOnly"}, {}, {"max_upload_bytes": 1_000}),
    ]
    for body, data, options, settings in calls:
        async with agent(url, **settings) as client:
            refused = await refusal(client, CREATE, body=body, data={"csv": LONG_ROWS, **data}, **options)
        told.append(refused.splitlines()[0].removeprefix("INVALID_ARGUMENT: "))
    assert told == snapshot(
        [
            "match is for upserts, which alone write new and old records: leave it out.",
            "changedOnly is for updates and upserts: leave it out.",
            "changedOnly takes rows that are checked: leave preflight out.",
            "match and changedOnly look at the record of each row, of 2 rows at most (--compare-rows), and these are 8: split them, or ask the operator for more.",
            "match and changedOnly look at records, and the operator switched that off (--compare-rows 0).",
            "match and changedOnly take the rows of one job, and these are 2 jobs' worth: with the first of them in the org, a look would leave others out. Split the rows.",
        ]
    )
    assert writes(org) == before


class Records(SalesforceClient):
    """An org with records of these external ids, each with the name of its key."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys

    async def query(self, soql: str) -> QueryPage:
        asked = set(re.findall(r"'(k\d+)'", soql))
        return QueryPage(records=tuple({"Id": key, "Ext__c": key, "Name": key} for key in self._keys if key in asked))


async def looked(content: bytes, keys: Sequence[str], asked: ByRecord) -> LookedAt:
    of_rows, target = columns(["Ext__c", "Name"]), LoadTarget.of(DESCRIBE, "upsert", "Ext__c")
    assert of_rows.key is not None
    reader = RecordReader(Records(keys), 1_000, math.inf)
    plan = plan_of(Bytes(content), UNCHANGED, Destination())
    return await RecordFilter(reader, asked, of_rows.key, of_rows, target).look(plan.mapped_source)


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30),
    there=st.sets(st.integers(0, 9)),
    match=st.sampled_from([None, "updateOnly", "createOnly"]),
    changed_only=st.booleans(),
)
async def test_every_row_goes_or_is_left_out_for_one_reason(
    rows: list[tuple[int, bool]], there: set[int], match: Match | None, changed_only: bool
) -> None:
    lines = [f"k{key},{f'k{key}' if equal else 'other'}" for key, equal in rows]
    found = await looked("\n".join(["Ext__c,Name", *lines, ""]).encode(), [f"k{key}" for key in there],
                         ByRecord(match, changed_only))  # fmt: skip
    changing = {key for key, equal in rows if key not in there or not equal}
    unmatched = [
        line for line, (key, _) in enumerate(rows, 2) if match is not None and (key in there) == (match == "createOnly")
    ]
    unchanged = [
        line for line, (key, _) in enumerate(rows, 2) if changed_only and line not in unmatched and key not in changing
    ]
    assert (list(found.left_out.unmatched), list(found.left_out.unchanged)) == (unmatched, unchanged)
    assert [number + 2 for number in found.unmatched_numbers] == unmatched
