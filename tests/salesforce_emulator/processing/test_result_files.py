"""The result files, byte by byte."""

import re
from collections.abc import Iterator

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import Assumptions
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org


@pytest.fixture(scope="module")
def org_of_53(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org whose failedResults have the column sf__Id from API 53.0 on."""
    with an_org(tmp_path_factory.mktemp("org"), assumptions=Assumptions(failed_ids="from-53")) as caller:
        yield caller


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


@seen(
    "a public live test at API 50.0 (jsforce), which finds a blank sf__Id; the documentation promises it from 53.0 on"
)
def test_failed_results_name_records_in_jobs_of_every_version(org: Caller) -> None:
    job = org.until(org.fill(org.create_in("50.0"), "Name,Phone\n,2\n"))
    error = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert org.rows(job, "failedResults") == [{"sf__Id": "", "sf__Error": error, "Name": "", "Phone": "2"}]


@doc("Bulk API 2.0 guide, Get Job Failed Record Results: sf__Id from API 53.0 on")
@assumed("a public live test (jsforce) finds it at 50.0, too", switch="failed_ids")
@pytest.mark.parametrize(
    ("version", "failed"), [("52.0", '"sf__Error",Name,Phone\n'), ("53.0", '"sf__Id","sf__Error",Name,Phone\n')]
)
def test_failed_results_can_name_records_in_jobs_from_53_0_on(org_of_53: Caller, version: str, failed: str) -> None:
    org = org_of_53
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
