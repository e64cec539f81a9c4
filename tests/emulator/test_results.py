"""The three result files, byte by byte."""

import re

from inline_snapshot import snapshot

from tests.emulator.caller import INGEST, Caller


def without_ids(text: str) -> str:
    return re.sub(r"001Em\w{13}", "<id>", text)


def test_results_are_quoted_as_salesforce_quotes_them(org: Caller) -> None:
    """Bulk API 2.0 guide, quick start, step 3: names bare, values quoted, numbers typed again."""
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


def test_results_use_the_jobs_delimiter_and_line_ending(org: Caller) -> None:
    job = org.load("Name|Phone\r\nA|1\r\n", columnDelimiter="PIPE", lineEnding="CRLF")
    assert without_ids(org.result(job, "successfulResults")) == snapshot("""\
"sf__Id"|"sf__Created"|Name|Phone\r
"<id>"|"true"|"A"|"1"\r
""")


def test_names_are_quoted_only_where_they_would_break_the_csv(org: Caller) -> None:
    job = org.load('"a,b","c""d",Name\n1,2,3\n')
    assert job["errorMessage"] == "InvalidBatch : Field name not found : a,b"
    assert org.result(job, "failedResults") == '"sf__Id","sf__Error","a,b","c""d",Name\n'


def test_segments_are_found_in_any_case(org: Caller) -> None:
    job = org.load("Name\nA\n")
    for segment in ("successfulresults", "FAILEDRESULTS", "unprocessedRecords", "successfulResults/"):
        assert org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code == 200


def test_results_come_in_another_order_than_the_upload(org: Caller) -> None:
    """Documented: the order is not guaranteed; here it is shuffled within each chunk of 200."""
    names = [f"{number:03}" for number in range(400)]
    job = org.load("Name\n" + "\n".join(names) + "\n")
    result = [row["Name"] for row in org.succeeded(job)]
    assert result != names
    assert sorted(result[:200]) == names[:200]
    assert sorted(result[200:]) == names[200:]


def test_one_bad_row_in_ten_leaves_the_job_complete(org: Caller) -> None:
    job = org.load("Name,Site\n" + "".join(f"{'' if n % 10 == 0 else n},one in ten\n" for n in range(1000)))
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1000, 100)
    assert (len(org.succeeded(job)), len(org.errors(job))) == (900, 100)
    assert org.count("Site = 'one in ten'") == 900
