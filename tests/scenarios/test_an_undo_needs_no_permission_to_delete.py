"""Where deletes are not allowed, what jobs of this server created can be deleted all the same, confirmed: nothing else."""

import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.salesforce_emulator.caller import Caller, calling
from tests.support.orgs import both_surfaces, call, closed, refusal, undoing

INSERT = {"object": "Account", "operation": "insert"}
DELETE = {"object": "Account", "operation": "delete"}
CLOSE = {"state": "UploadComplete"}
VICTIM = "Victim"
Surfaces = tuple[Client, httpx2.AsyncClient]

server = partial(both_surfaces, embedded=False)
"""A server over an org that is not its own, in which it allows no deletes unless it is told to."""


@pytest.fixture
def direct(org_url: str) -> Iterator[Caller]:
    with calling(org_url) as caller:
        yield caller


@pytest.fixture
async def surfaces(org_url: str, tmp_path: Path) -> AsyncIterator[Surfaces]:
    async with server(org_url, folder=tmp_path) as surfaces:
        yield surfaces


@pytest.fixture
def victim(direct: Caller) -> Iterator[str]:
    """The id of a record that no job of the server created, and that is there in the end."""
    record_id = direct.succeeded(direct.load(f"Name\n{VICTIM}\n"))[0]["sf__Id"]
    yield record_id
    assert direct.count(f"Id = '{record_id}'") == 1


async def inserted(client: Client, name: str) -> str:
    """The id of a job of the server that has created a record."""
    job = await call(client, "create-ingest-job", body=INSERT, data={"csv": f"Name\n{name}\n"}, loadAgain=True)
    await closed(client, job["id"])
    return str(job["id"])


def created(*jobs: str, **more: Any) -> dict[str, Any]:
    return {"rowsOf": {"jobs": list(jobs), "which": ["created"]}, **more}


def sentence_in(text: str) -> str:
    return str(re.findall(r"delete [0-9,]+ Account in [^\"(.]*\(job [^)]*\) [0-9a-f]{12}", text)[-1])


async def test_what_a_job_created_is_deleted_once_a_person_confirms(surfaces: Surfaces, direct: Caller) -> None:
    client, _ = surfaces
    undo = (await undoing(client, await inserted(client, "Undone")))["id"]
    told = await refusal(client, "close-abort-ingest-job", jobId=undo, body=CLOSE)
    assert direct.count("Name = 'Undone'") == 1
    closing = {"jobId": undo, "body": CLOSE, "confirm": sentence_in(told), "waitSeconds": 30}
    assert (await call(client, "close-abort-ingest-job", **closing))["numberRecordsFailed"] == 0
    assert direct.count("Name = 'Undone'") == 0


async def test_it_is_confirmed_where_no_other_close_is(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, folder=tmp_path, confirm=()) as (client, rest):
        undo = (await undoing(client, await inserted(client, "Not asked")))["id"]
        assert "a person has to confirm" in await refusal(client, "close-abort-ingest-job", jobId=undo, body=CLOSE)
        refused = await rest.patch(f"/{undo}", json=CLOSE)
        assert refused.status_code == 403 and "a person has to confirm" in refused.text
        sentence = sentence_in(refused.json()[0]["message"])
        closing = await rest.patch(f"/{undo}", json=CLOSE, headers={"Bulk-Ingest-Confirm": sentence})
        assert closing.is_success


async def test_a_dry_run_says_that_it_is_confirmed(surfaces: Surfaces) -> None:
    client, _ = surfaces
    job = await inserted(client, "Dry")
    answer = await call(client, "create-ingest-job", body=DELETE, data=created(job), dryRun=True)
    found = [each["what"] for each in answer["findings"]]
    assert not [each for each in found if "refused" in each]
    assert [each for each in found if each.startswith("Closing the job has to be confirmed by a person")]


async def test_a_refusal_names_the_way_to_undo(surfaces: Surfaces) -> None:
    client, _ = surfaces
    assert await refusal(client, "create-ingest-job", body=DELETE) == snapshot("""\
INSUFFICIENT_ACCESS: Jobs with the operation delete are refused here: they remove records. The operator can allow them by starting the server with --allow-operation delete. Records that jobs of this server created can be deleted all the same, through the tools: make the job with data {"rowsOf": {"jobs": [ids], "which": ["created"]}}, and nothing that changes these rows.
Next: Tell the user. Don't look for another way around.\
""")


@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
async def test_no_job_for_other_deletes_is_made(surfaces: Surfaces, victim: str, operation: str) -> None:
    client, rest = surfaces
    own, body = await inserted(client, "Own"), DELETE | {"operation": operation}
    wide: list[dict[str, Any]] = [
        {"csv": f"Id\n{victim}\n"},
        {"records": [{"Id": victim}]},
        created(own, set={"Id": victim}),
        created(own, values={"Id": {"": victim}}),
        created(own, columns={"Id": "OwnerId"}, set={"Id": victim}),
        created(own, columns={"Id": ["Id", "Name"]}),
        created(own, formats={"Id": "1.234,5"}),
        created(own, only=["Id"]),
        created(own, match="updateOnly"),
        created(own, changedOnly=True),
        {"rowsOf": {"jobs": [own], "which": ["failed"]}},
        {"rowsOf": {"jobs": [own]}},
    ]
    if operation == "hardDelete":
        wide.append(created(own))
    for data in wide:
        told = await refusal(client, "create-ingest-job", body=body, data=data, preflight="on")
        assert f"Jobs with the operation {operation} are refused here" in told, data
    assert (await rest.post("", json=body)).status_code == 403


async def test_records_of_a_job_that_another_program_loaded_stay(surfaces: Surfaces, direct: Caller) -> None:
    client, _ = surfaces
    own, others = await inserted(client, "Own"), direct.load("Name\nOthers\n")["id"]
    for jobs in ([others], [own, others], [own, "750000000000001AAA"], []):
        await refusal(client, "create-ingest-job", body=DELETE, data=created(*jobs))
    assert direct.count("Name = 'Others'") == 1
    assert "Jobs with the operation delete are refused here" in await refusal(
        client, "create-ingest-job", body=DELETE, data=created(own, others)
    )


async def test_what_an_upsert_found_stays(surfaces: Surfaces, direct: Caller, victim: str) -> None:
    client, _ = surfaces
    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Id"}
    rows = {"csv": f'Id,Name\n{victim},{VICTIM}\n"",Upserted\n'}
    job = await call(client, "create-ingest-job", body=upsert, data=rows)
    await closed(client, job["id"])
    undo = (await call(client, "create-ingest-job", body=DELETE, data=created(job["id"])))["id"]
    told = await refusal(client, "close-abort-ingest-job", jobId=undo, body=CLOSE)
    await call(client, "close-abort-ingest-job", jobId=undo, body=CLOSE, confirm=sentence_in(told), waitSeconds=30)
    assert direct.count("Name = 'Upserted'") == 0


async def test_a_delete_job_made_elsewhere_is_neither_filled_nor_closed(
    surfaces: Surfaces, direct: Caller, victim: str
) -> None:
    client, rest = surfaces
    own, csv = await inserted(client, "Own rows"), f"Id\n{victim}\n"
    for has_rows in (False, True):
        job = direct.create(operation="delete")
        if has_rows:
            direct.upload(job, csv.encode())
        for rows in ({"csv": csv}, created(own), created(own, set={"Id": victim}), {"rowsOf": {"jobs": [own]}}):
            assert "are refused here" in await refusal(client, "upload-data-ingest-job", jobId=job, body=rows)
        put = await rest.put(f"/{job}/batches", content=csv, headers={"Content-Type": "text/csv"})
        assert put.status_code == 403
        assert "are refused here" in await refusal(client, "close-abort-ingest-job", jobId=job, body=CLOSE)
        assert (await rest.patch(f"/{job}", json=CLOSE)).status_code == 403


async def test_the_job_of_an_undo_takes_no_other_rows(surfaces: Surfaces, victim: str) -> None:
    client, rest = surfaces
    undo, csv = (await undoing(client, await inserted(client, "Has rows")))["id"], f"Id\n{victim}\n"
    assert "are refused here" in await refusal(client, "upload-data-ingest-job", jobId=undo, body={"csv": csv})
    put = await rest.put(f"/{undo}/batches", content=csv, headers={"Content-Type": "text/csv"})
    assert put.status_code == 403


async def test_an_undo_whose_rows_did_not_arrive_goes_on_by_the_same_call(surfaces: Surfaces, direct: Caller) -> None:
    client, _ = surfaces
    own = await inserted(client, "Late")
    direct.go_wrong({"on": "upload", "fault": "request-limit", "times": 1})
    call_again = {"body": DELETE, "data": created(own)}
    await refusal(client, "create-ingest-job", **call_again)
    direct.go_right()
    undo = (await call(client, "create-ingest-job", **call_again))["id"]
    assert "a person has to confirm" in await refusal(client, "close-abort-ingest-job", jobId=undo, body=CLOSE)


@pytest.mark.parametrize("rows", ["csv", "set"])
async def test_what_a_server_with_more_rights_filled_is_not_closed_by_one_without(
    org_url: str, tmp_path: Path, victim: str, rows: str
) -> None:
    async with server(org_url, folder=tmp_path, allow_operation=("delete",)) as (client, _):
        own = await inserted(client, "More rights")
        data = {"csv": f"Id\n{victim}\n"} if rows == "csv" else created(own, set={"Id": victim})
        job = (await call(client, "create-ingest-job", body=DELETE, data=data))["id"]
    async with server(org_url, folder=tmp_path) as (client, rest):
        assert "are refused here" in await refusal(client, "close-abort-ingest-job", jobId=job, body=CLOSE)
        assert (await rest.patch(f"/{job}", json=CLOSE)).status_code == 403


@pytest.mark.parametrize(
    "settings", [{"allow_undo": False}, {"deny_operations": ("delete",)}, {"deny_objects": ("Account",)}]
)
async def test_the_operator_can_refuse_it(org_url: str, tmp_path: Path, settings: dict[str, Any]) -> None:
    async with server(org_url, folder=tmp_path) as (client, _):
        own = await inserted(client, "Refused")
        undo = (await undoing(client, own))["id"]
    async with server(org_url, folder=tmp_path, **settings) as (client, _):
        assert "refused here" in await refusal(client, "create-ingest-job", body=DELETE, data=created(own))
        assert "refused here" in await refusal(client, "close-abort-ingest-job", jobId=undo, body=CLOSE)


async def test_who_confirms_an_insert_hears_how_it_can_be_undone(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, folder=tmp_path, confirm=("insert",)) as (client, _):
        job = await call(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nHeard\n"}, loadAgain=True)
        told = await refusal(client, "close-abort-ingest-job", jobId=job["id"], body=CLOSE)
        assert "Once closed, it can be undone by deleting what it creates." in told
