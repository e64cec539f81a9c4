"""The rows of a job, page by page."""

import re

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.ui.pages import look


@own
def test_a_job_of_a_version_that_names_no_failed_records_shows_why_rows_failed(org: Caller) -> None:
    job = org.until(org.fill(org.create_in("52.0"), "Name,Site\n,no name\n"))
    words = look(org, f"/jobs/{job['id']}").words
    assert "Code Rows For example REQUIRED_FIELD_MISSING 1 REQUIRED_FIELD_MISSING:Required fields are missing" in words


@own
def test_all_rows_of_a_job_are_found_by_going_on(org: Caller) -> None:
    names = {f'{number}, "the\n{number}th"' for number in range(70)}
    quoted = [name.replace('"', '""') for name in names]
    job = org.load("Name;Site\n" + "".join(f'"{name}";x\n' for name in quoted), columnDelimiter="SEMICOLON")
    found: list[str] = []
    path: str | None = f"/jobs/{job['id']}?rows=successful"
    while path:
        page = look(org, path)
        found += re.findall(r'\d+, "the↵\d+th"', page.words)
        path = page.links.get("Next rows")
    assert len(found) == len(names)
    assert {name.replace("↵", "\n") for name in found} == names


@own
def test_a_file_that_is_not_csv_is_shown_as_far_as_it_can_be_read(org: Caller) -> None:
    job = org.load('Name,Site\nA,B\n"' + "endless " * 20_000)
    words = look(org, f"/jobs/{job['id']}").words
    assert "1 A B" in words
    assert "What follows can't be read as CSV." in words


@own
def test_a_long_cell_is_cut_in_the_table_and_whole_on_the_page_of_its_row(org: Caller) -> None:
    site = "long " * 1000 + "THE END"
    job = org.load(f"Name,Site\nA,{site}\n")
    table = look(org, f"/jobs/{job['id']}")
    assert "THE END" not in table.words
    assert f"Failed row 1 sf__Id sf__Error STRING_TOO_LONG:Account Site: data value too large: {site}" in (
        look(org, table.links["…"]).words
    )


@own
@pytest.mark.parametrize("end", ["?rows=all", "?from=x", "/failed/0-999999999999", "/all/0-0", "/failed/x"])
def test_rows_that_are_not_there_have_a_page_that_says_so(org: Caller, end: str) -> None:
    look(org, f"/jobs/{org.create()}{end}", 404)
