"""Jobs as callers create, fill and list them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import Assumptions, EmulatorConfig
from salesforce_emulator.org import Org
from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import INGEST, Caller, an_org
from tests.salesforce_emulator.job_requests import INSERT

PAGE = "Bulk API 2.0 guide, Get Information About All Ingest Jobs"
JOBS = 1_003


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with more jobs than a page holds."""
    folder = tmp_path_factory.mktemp("many")
    with closing(Org(EmulatorConfig(data_dir=folder))) as org:
        for _ in range(JOBS):
            org.jobs.create(INSERT)
    with an_org(folder) as caller:
        yield caller


def pages(org: Caller, query: str = "") -> list[Any]:
    """All pages, each found by the URL in the one before."""
    found = [org.http.get(f"{INGEST}{query}").json()]
    while found[-1]["nextRecordsUrl"]:
        found.append(org.http.get(found[-1]["nextRecordsUrl"]).json())
    return found


@doc(PAGE)
def test_a_record_of_the_list_has_neither_counters_nor_times(org: Caller) -> None:
    job_id = org.create()
    [job] = [job for job in org.http.get(INGEST).json()["records"] if job["id"] == job_id]
    assert list(job) == snapshot(
        [
            "id",
            "operation",
            "object",
            "createdById",
            "createdDate",
            "systemModstamp",
            "state",
            "concurrencyMode",
            "contentType",
            "apiVersion",
            "jobType",
            "contentUrl",
            "lineEnding",
            "columnDelimiter",
        ]
    )


@doc(PAGE)
def test_a_page_holds_1000_jobs_and_each_job_is_on_one_page(many: Caller) -> None:
    found = pages(many)
    assert [len(page["records"]) for page in found] == [1000, JOBS - 1000]
    assert len({job["id"] for page in found for job in page["records"]}) == JOBS


@doc("Bulk API 2.0 guide, Get Information About All Query Jobs: done, and null on the last page")
@assumed("that the list of ingest jobs says so, too")
def test_the_last_page_says_so(many: Caller) -> None:
    assert [(list(page), page["done"]) for page in pages(many)] == [
        (["done", "records", "nextRecordsUrl"], False),
        (["done", "records", "nextRecordsUrl"], True),
    ]
    assert pages(many)[-1]["nextRecordsUrl"] is None


@doc(PAGE)
@assumed("that its version is that of the request")
def test_the_url_of_the_next_page_has_a_leading_slash_and_the_version_of_the_request(many: Caller) -> None:
    for version in ("63.0", "50.0"):
        url = many.http.get(f"/services/data/v{version}/jobs/ingest").json()["nextRecordsUrl"]
        assert url.startswith(f"/services/data/v{version}/jobs/ingest?queryLocator=01g")


@assumed("a page found by its URL is one of the same list")
def test_filters_are_kept_in_the_url_of_the_next_page(many: Caller) -> None:
    query = "?jobType=V2Ingest&isPkChunkingEnabled=false"
    url = many.http.get(f"{INGEST}{query}").json()["nextRecordsUrl"]
    assert url.startswith(f"{INGEST}{query}&queryLocator=")
    assert sum(len(page["records"]) for page in pages(many, query)) == JOBS


@doc(PAGE)
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("jobType=V2Ingest", 3),
        ("jobType=Classic", 0),
        ("jobType=BigObjectIngest", 0),
        ("isPkChunkingEnabled=true", 0),
        ("isPkChunkingEnabled=false", 3),
        ("jobType=V2Ingest&isPkChunkingEnabled=false", 3),
        ("jobType=V2Ingest&isPkChunkingEnabled=true", 0),
        ("jobType=Classic&isPkChunkingEnabled=false", 0),
    ],
)
def test_filters_let_only_matching_jobs_through(many: Caller, query: str, count: int) -> None:
    """Told on the second page, which holds the first three jobs: all three filters work together."""
    locator = many.http.get(INGEST).json()["nextRecordsUrl"].partition("queryLocator=")[2]
    assert len(many.http.get(f"{INGEST}?{query}&queryLocator={locator}").json()["records"]) == count


@assumed("documented as an order that can't be relied on")
def test_the_newest_jobs_come_first(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        created = [org.create() for _ in range(3)]
        assert [job["id"] for job in org.http.get(INGEST).json()["records"]] == created[::-1]


@assumed("the order is ours, and so is what a locator names")
def test_jobs_made_meanwhile_do_not_shift_the_next_page(many: Caller) -> None:
    first, second = pages(many)
    new = many.create()
    assert many.http.get(first["nextRecordsUrl"]).json() == second
    many.patch(new, "Aborted")
    many.http.delete(f"{INGEST}/{new}")


@seen("query results of the platform")
@assumed("that lists of jobs say the same")
@pytest.mark.parametrize("locator", ["", "x", "01gEm0000000001EAA", "01gEm0000000001EAA-x", "750-1000"])
def test_a_locator_that_no_page_handed_out_is_refused(org: Caller, locator: str) -> None:
    answer = org.http.get(INGEST, params={"queryLocator": locator})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def several_uploads(multiple: str, job_id: str) -> list[dict[str, str]]:
    return [
        {
            "errorCode": "INVALIDJOB",
            "message": f"Found {multiple} contents for job: <{job_id[:15]}>, please 'Close' / 'Abort' / 'Delete' the"
            " current Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
        }
    ]


@seen("a job at v43.0 (Salesforce StackExchange), misspelling included")
@assumed("newer reports differ", switch="second_upload")
def test_a_second_upload_is_taken_but_keeps_the_job_from_closing(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id, b"Name\nA\n")
    org.upload(job_id, b"Name\nB\n")
    answer = org.patch(job_id, "UploadComplete")
    assert (answer.status_code, answer.json()) == (400, several_uploads("multipe", job_id))


@assumed("the job stays Open, as its refusal says what to do with it")
def test_a_job_with_two_uploads_can_be_aborted(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id, b"Name\nA\n")
    org.upload(job_id, b"Name\nB\n")
    assert org.patch(job_id, "Aborted").json()["state"] == "Aborted"


@seen("a report of 2026: the second PUT is refused, with the first words of this text")
@assumed("status and the rest of the text; older reports differ", switch="second_upload")
def test_a_second_upload_can_be_refused_at_once(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(second_upload="at-once")) as org:
        job_id = org.create()
        org.upload(job_id, b"Name\nA\n")
        headers = {"Content-Type": "text/csv"}
        answer = org.http.put(f"{INGEST}/{job_id}/batches", content=b"Name\nB\n", headers=headers)
        assert (answer.status_code, answer.json()) == (400, several_uploads("multiple", job_id))
        org.patch(job_id, "UploadComplete")
        assert [row["Name"] for row in org.succeeded(org.until(job_id))] == ["A"]
