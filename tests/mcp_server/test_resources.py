"""Jobs and results as resources."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, agent, call, emulator, loaded, steady

ROWS = "Name,Description\n" + "".join(f'"Company {n}","two\r\nlines, ""{n}"""\n' for n in range(120))


@pytest.fixture(params=ERAS)
async def client(request: pytest.FixtureRequest, org_url: str) -> AsyncIterator[Client]:
    era: Era = request.param
    async with agent(org_url, era=era) as connected:
        yield connected


async def read(client: Client, uri: str) -> str:
    [content] = (await client.read_resource(uri)).contents
    text: str = content.text  # type: ignore[union-attr]  # a blob here would be the failure
    return text


def rows_of(page: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(page, newline="")))


async def test_a_job_reads_as_json_under_salesforces_field_names(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    job = json.loads(await read(client, f"salesforce-bulk://jobs/{job_id}"))
    assert steady(job) == snapshot(
        {
            "id": "JOB",
            "state": "JobComplete",
            "object": "Account",
            "operation": "insert",
            "numberRecordsProcessed": 1,
            "numberRecordsFailed": 0,
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
            "contentType": "CSV",
            "apiVersion": 63.0,
            "jobType": "V2Ingest",
            "concurrencyMode": "Parallel",
            "createdById": "005000000000001AAA",
            "createdDate": "DATE",
            "systemModstamp": "DATE",
            "retries": 0,
            "totalProcessingTime": "MS",
            "apiActiveProcessingTime": "MS",
            "apexProcessingTime": "MS",
            "rowCounts": {"sent": 1, "successful": 1, "failed": 0, "unprocessed": 0, "inNoResult": 0},
        }
    )


async def test_pages_of_a_result_make_up_the_whole_and_each_repeats_the_header(client: Client) -> None:
    job_id = await loaded(client, ROWS)
    uri = f"salesforce-bulk://jobs/{job_id}/successful-results"
    names, offset = [], 0
    while True:
        header, *rows = rows_of(await read(client, f"{uri}?offset={offset}&limit=50"))
        assert header == ["sf__Id", "sf__Created", "Name", "Description"]
        if not rows:
            break
        names += [(row[2], row[3]) for row in rows]
        offset += len(rows)
    assert sorted(names) == sorted((f"Company {n}", f'two\r\nlines, "{n}"') for n in range(120))


async def test_lines_of_the_source_that_are_asked_for_stand_before_each_row(client: Client) -> None:
    job_id = await loaded(client, "Name,Description\n,three\nAcme,fine\n,four\n", preflight="off", load_again=True)
    uri = f"salesforce-bulk://jobs/{job_id}/failed-results"
    pages = [rows_of(await read(client, f"{uri}?columns=sf__Line&limit=1&offset={offset}")) for offset in range(3)]
    assert {tuple(page[0]) for page in pages} == {("sf__Line", "sf__Id", "sf__Error", "Name", "Description")}
    found = [(row[0], row[-1]) for page in pages for row in page[1:]]
    assert sorted(found) == [("2", "three"), ("4", "four")]


async def test_without_a_limit_a_page_is_the_first_50_rows(client: Client) -> None:
    job_id = await loaded(client, ROWS)
    assert len(rows_of(await read(client, f"salesforce-bulk://jobs/{job_id}/successful-results"))) == 51


async def test_a_column_that_a_result_lacks_is_a_mistake_in_the_address(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    with pytest.raises(MCPError) as refused:
        await read(client, f"salesforce-bulk://jobs/{job_id}/successful-results?columns=Nope")
    assert (refused.value.error.code, refused.value.error.message) == snapshot(
        (-32602, 'columns names "Nope", which is not a column here. There are: "sf__Id", "sf__Created", "Name".')
    )


async def test_a_page_past_the_end_is_the_header_alone(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    for kind in ("failed-results?offset=7", "unprocessed-records"):
        assert len(rows_of(await read(client, f"salesforce-bulk://jobs/{job_id}/{kind}"))) == 1


@pytest.mark.parametrize(
    "uri",
    [
        f"salesforce-bulk://jobs/{UNKNOWN_JOB}",
        "salesforce-bulk://jobs/001000000000001AAA/failed-results",
        f"salesforce-bulk://jobs/{UNKNOWN_JOB}/failed-results?offset=-1",
        f"salesforce-bulk://jobs/{UNKNOWN_JOB}/failed-results?limit=many",
        f"salesforce-bulk://jobs/{UNKNOWN_JOB}/failed-results?limit=0",
    ],
)
async def test_a_bad_address_is_explained(client: Client, uri: str) -> None:
    with pytest.raises(MCPError) as refused:
        await read(client, uri)
    assert (refused.value.error.code, refused.value.error.message) == snapshot(
        {
            "salesforce-bulk://jobs/750000000000001AAA": (
                -32602,
                """\
NOT_FOUND: "The requested resource does not exist"
list-all-ingest-jobs {} shows the current jobs: check the id. Salesforce removes jobs after 7 days.\
""",
            ),
            "salesforce-bulk://jobs/001000000000001AAA/failed-results": (
                -32602,
                """\
NOT_FOUND: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.
list-all-ingest-jobs {} shows the current jobs with their ids.\
""",
            ),
            "salesforce-bulk://jobs/750000000000001AAA/failed-results?offset=-1": (
                -32602,
                "offset has to be a whole number of at least 0.",
            ),
            "salesforce-bulk://jobs/750000000000001AAA/failed-results?limit=many": (
                -32602,
                "limit has to be a whole number of at least 1.",
            ),
            "salesforce-bulk://jobs/750000000000001AAA/failed-results?limit=0": (
                -32602,
                "limit has to be a whole number of at least 1.",
            ),
        }
    )[uri]


@pytest.mark.parametrize("era", ERAS)
async def test_the_newest_jobs_are_listed_with_their_kept_results(era: Era, tmp_path: Path) -> None:
    with emulator(tmp_path / "org") as url:
        async with agent(url, era=era) as client:
            job_id = await loaded(client, "Name\nAcme\n" + "x" * 300 + "\n", preflight="off")
            opened = await call(client, "create-ingest-job", body={"object": "Contact", "operation": "insert"})
            before = [resource.uri for resource in (await client.list_resources()).resources]
            assert before == [f"salesforce-bulk://jobs/{opened['id']}", f"salesforce-bulk://jobs/{job_id}"]
            page = await read(client, f"salesforce-bulk://jobs/{job_id}/failed-results")
            listed = (await client.list_resources()).resources
            for resource in listed:
                assert await read(client, resource.uri)
    shown = [each.model_dump(by_alias=True, mode="json", exclude_none=True) for each in listed]
    times = [datetime.fromisoformat(each["annotations"].pop("lastModified")) for each in shown]
    assert all(time.tzinfo is not None for time in times)
    assert steady(shown) == snapshot(
        [
            {
                "name": "JOB",
                "title": "insert Contact: Open",
                "uri": "salesforce-bulk://jobs/JOB",
                "mimeType": "application/json",
                "annotations": {},
            },
            {
                "name": "JOB",
                "title": "insert Account: JobComplete",
                "uri": "salesforce-bulk://jobs/JOB",
                "mimeType": "application/json",
                "annotations": {},
            },
            {
                "name": "JOB failed-results",
                "title": "insert Account: failed results, 1 row",
                "uri": "salesforce-bulk://jobs/JOB/failed-results",
                "mimeType": "text/csv",
                "size": 712,
                "annotations": {},
            },
        ]
    )
    assert listed[2].size == len(page)
