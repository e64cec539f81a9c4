"""The three result files, byte by byte."""

import re
from pathlib import Path
from typing import Literal

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import Assumptions, Limits
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import INGEST, Caller, an_org

SEGMENTS = ("successfulResults", "failedResults", "unprocessedrecords")


def without_ids(text: str) -> str:
    return re.sub(r"001Em\w{13}", "<id>", text)


@seen("failed results captured at v62.0 (airbytehq/airbyte)")
@doc("Bulk API 2.0 guide, quick start, step 3: names bare, values quoted, numbers typed again")
@assumed("that the values of failed rows are typed again, too")
def test_results_are_quoted_as_salesforce_quotes_them(org: Caller) -> None:
    job = org.load('Name,AnnualRevenue,NumberOfEmployees\n"Say ""hi""",912260031,2676\n,1,2\n')
    assert without_ids(org.result(job, "successfulResults")) == snapshot('''\
"sf__Id","sf__Created",Name,AnnualRevenue,NumberOfEmployees
"<id>","true","Say ""hi""","9.12260031E8","2676"
''')
    assert org.result(job, "failedResults") == snapshot("""\
"sf__Id","sf__Error",Name,AnnualRevenue,NumberOfEmployees
"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","1.0","2"
""")
    assert org.result(job, "unprocessedrecords") == snapshot("Name,AnnualRevenue,NumberOfEmployees\n")


@doc("Bulk API 2.0 guide, Get Job Failed Record Results: sf__Id from API 53.0 on")
@pytest.mark.parametrize(
    ("version", "failed"), [("52.0", '"sf__Error",Name,Phone\n'), ("53.0", '"sf__Id","sf__Error",Name,Phone\n')]
)
def test_failed_results_name_records_in_jobs_from_53_0_on(org: Caller, version: str, failed: str) -> None:
    job = org.until(org.fill(org.create_in(version), "Name,Phone\nA,1\n,2\n"))
    header, row = org.result(job, "failedResults").splitlines(keepends=True)
    error = '"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"'
    assert (header, row) == (failed, f'{error},"","2"\n' if version == "52.0" else f'"",{error},"","2"\n')
    assert org.result(job, "successfulResults").startswith('"sf__Id","sf__Created",Name,Phone\n"001')
    empty = org.until(org.fill(org.create_in(version), "Name,Phone\n"))
    assert org.result(empty, "failedResults") == failed


@seen("live tests with all delimiters (jsforce)")
@assumed("of the line ending no source tells")
def test_results_use_the_jobs_delimiter_and_line_ending(org: Caller) -> None:
    job = org.load("Name|Phone\r\nA|1\r\n", columnDelimiter="PIPE", lineEnding="CRLF")
    assert without_ids(org.result(job, "successfulResults")) == snapshot("""\
"sf__Id"|"sf__Created"|Name|Phone\r
"<id>"|"true"|"A"|"1"\r
""")


@own
def test_names_are_quoted_only_where_they_would_break_the_csv(org: Caller) -> None:
    job = org.load('"a,b","c""d",Name\n1,2,3\n')
    assert job["errorMessage"] == "InvalidBatch : Field name not found : a,b"
    assert org.result(job, "failedResults") == '"sf__Id","sf__Error","a,b","c""d",Name\n'


@seen("clients in use write unprocessedrecords and unprocessedRecords (simple-salesforce, salesforcer)")
@assumed("that the other two take any case as well")
def test_segments_are_found_in_any_case(org: Caller) -> None:
    job = org.load("Name\nA\n")
    for segment in ("successfulresults", "FAILEDRESULTS", "unprocessedRecords", "successfulResults/"):
        assert org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code == 200


@doc("Bulk API 2.0 guide, Get Job Successful Record Results: the order is not guaranteed")
@assumed("which order: one of chance within each chunk of 200")
def test_results_come_in_another_order_than_the_upload(org: Caller) -> None:
    names = [f"{number:03}" for number in range(400)]
    job = org.load("Name\n" + "\n".join(names) + "\n")
    result = [row["Name"] for row in org.succeeded(job)]
    assert result != names
    assert sorted(result[:200]) == names[:200]
    assert sorted(result[200:]) == names[200:]


@seen("a live test with half of 10,000 rows bad (salesforcecli/plugin-data)")
def test_one_bad_row_in_ten_leaves_the_job_complete(org: Caller) -> None:
    job = org.load("Name,Site\n" + "".join(f"{'' if n % 10 == 0 else n},one in ten\n" for n in range(1000)))
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1000, 100)
    assert (len(org.succeeded(job)), len(org.errors(job))) == (900, 100)
    assert org.count("Site = 'one in ten'") == 900


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
