"""What the commands print."""

import pytest

from salesforce_bulk_ingest.cli.console import complain, show_facts


def test_facts_stand_in_two_columns_and_exactly_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    long = "https://acme.my.salesforce.com/" + "x" * 200
    show_facts([("org", "[bold]"), ("REST port", long)])
    assert capsys.readouterr() == (f"org        [bold]\nREST port  {long}\n", "")


def test_a_complaint_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first [red]\n  second")
    assert capsys.readouterr() == ("", "salesforce-bulk-ingest: first [red] second\n")
