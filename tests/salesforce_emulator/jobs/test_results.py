"""The three results of a job."""

from pathlib import Path
from typing import Literal

import pytest

from salesforce_emulator import Assumptions, Limits
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import INGEST, Caller, an_org

SEGMENTS = ("successfulResults", "failedResults", "unprocessedrecords")


@seen("clients in use write unprocessedrecords and unprocessedRecords (simple-salesforce, salesforcer)")
@assumed("that the other two take any case as well")
def test_segments_are_found_in_any_case(org: Caller) -> None:
    job = org.load("Name\nA\n")
    for segment in ("successfulresults", "FAILEDRESULTS", "unprocessedRecords", "successfulResults/"):
        assert org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code == 200


@seen("fixtures of clients with a header alone (heroku-applink, airbytehq/airbyte)")
@assumed("an empty 200 and a 204 were reported as well", switch="empty_results")
@pytest.mark.parametrize(
    ("choice", "status", "bodies"),
    [
        ("header", 200, ['"sf__Id","sf__Created",Name\n', '"sf__Id","sf__Error",Name\n', "Name\n"]),
        ("blank", 200, ["", "", ""]),
        ("no-content", 204, ["", "", ""]),
    ],
)
def test_a_result_without_rows_is_its_header_or_nothing(
    tmp_path: Path, choice: Literal["header", "blank", "no-content"], status: int, bodies: list[str]
) -> None:
    with an_org(tmp_path, assumptions=Assumptions(empty_results=choice)) as org:
        url = f"{INGEST}/{org.load('Name' + chr(10))['id']}"
        answers = [org.http.get(f"{url}/{segment}") for segment in SEGMENTS]
    assert [(answer.status_code, answer.text) for answer in answers] == [(status, body) for body in bodies]


@own
@pytest.mark.parametrize("choice", ["blank", "no-content"])
def test_results_with_rows_are_the_same_whatever_empty_ones_are(
    tmp_path: Path, choice: Literal["blank", "no-content"]
) -> None:
    with an_org(tmp_path, assumptions=Assumptions(empty_results=choice)) as org:
        job = org.load("Name,Site\nA,1\n,2\n")
        assert len(org.succeeded(job)) == len(org.errors(job)) == 1
        rest = org.submit("Nope\nA\n")
        assert org.rows(org.until(rest), "unprocessedrecords") == [{"Nope": "A"}]


@assumed("nothing is left of a whole file, not even blank lines", switch="empty_results")
def test_blank_lines_at_the_end_are_not_unprocessed(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(empty_results="no-content")) as org:
        job = org.load("Name\n" + "A\n" * 200 + "\n\n")
        assert org.http.get(f"{INGEST}/{job['id']}/unprocessedrecords").status_code == 204


@assumed("documented only as available after the end", switch="early_results")
def test_results_of_a_job_in_progress_can_be_what_there_is_so_far(tmp_path: Path) -> None:
    names = [f"{number:03}" for number in range(500)]
    with an_org(tmp_path, assumptions=Assumptions(early_results="partial")) as org:
        org.hold_jobs(after=2)
        job = org.until_held(org.submit("Name\n" + "".join(f"{name}\n" for name in names)), 2)
        assert sorted(row["Name"] for row in org.succeeded(job)) == names[:400]
        assert [row["Name"] for row in org.rows(job, "unprocessedrecords")] == names[400:]


@assumed("documented only as available after the end", switch="early_results")
def test_results_of_a_job_that_has_not_begun_can_be_its_headers_and_all_of_its_data(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(early_results="partial")) as org:
        job_id = org.create()
        org.upload(job_id, b"Name\nA\n")
        assert [org.result(org.get(job_id), segment) for segment in SEGMENTS] == [
            '"sf__Id","sf__Created"\n',
            '"sf__Id","sf__Error"\n',
            "Name\nA\n",
        ]


@doc("Bulk API 2.0 guide, Get Job Failed Record Results")
def test_results_are_plain_csv_in_utf_8_without_a_length(org: Caller) -> None:
    job = org.load("Name\nZoë\n")
    answer = org.http.get(f"{INGEST}/{job['id']}/successfulResults", headers={"Accept": "application/json"})
    assert (answer.headers["Content-Type"], "Content-Length" in answer.headers) == ("text/csv; charset=UTF-8", False)
    assert "Zoë" in answer.content.decode()


@doc("Bulk API 2.0 guide: query results have locators and counts")
@assumed("that those of ingest have not")
def test_results_have_no_pages(org: Caller) -> None:
    answer = org.http.get(f"{INGEST}/{org.load('Name' + chr(10))['id']}/successfulResults")
    assert not {"Sforce-Locator", "Sforce-NumberOfRecords"} & {name.title() for name in answer.headers}


@own
def test_a_result_is_whole_although_its_job_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    names = "Name,Site,Phone,Fax,Industry,Description,AnnualRevenue,NumberOfEmployees,BillingCity,BillingStreet\n"
    with an_org(tmp_path, rows_per_second=2, limits=Limits(batch_records=1)) as org:
        job_id = org.submit(names + ("A" + "," * 9 + "\n") * 5)
        org.until_some_are_processed(job_id)
        org.patch(job_id, "Aborted")
        url = f"{INGEST}/{job_id}/unprocessedRecords"
        whole = org.http.get(url).text
        org.go_wrong({"on": "unprocessedrecords", "fault": "slow-body", "bytesPerSecond": 2 * len(names)})
        with org.http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            pieces = answer.iter_text()
            first = next(pieces)
            assert org.http.delete(f"{INGEST}/{job_id}").status_code == 204
            assert first + "".join(pieces) == whole > names


@own
def test_a_result_that_is_gone_before_it_can_be_read_is_not_found(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job = org.load("Name\nA\n")
        for file in tmp_path.glob(f"jobs/{job['id']}*"):
            file.unlink()  # as in the middle of its deletion
        for segment in ("successfulResults", "failedResults"):
            assert org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code == 404
