"""What the commands print."""

import pytest
import typer

from salesforce_bulk_ingest.cli.console import USAGE_ERROR, complain, fail, show_facts


def test_facts_stand_in_two_columns_and_exactly_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    long = "https://acme.my.salesforce.com/" + "x" * 200
    show_facts([("org", "[bold]"), ("REST port", long)])
    assert capsys.readouterr() == (f"org        [bold]\nREST port  {long}\n", "")


def test_a_complaint_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first [red]\n  second")
    assert capsys.readouterr() == ("", "salesforce-bulk-ingest: first [red] second\n")


def test_a_failure_is_a_complaint_and_the_exit_code_of_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail("no such thing")
    assert ended.value.exit_code == USAGE_ERROR == 2
    assert capsys.readouterr() == ("", "salesforce-bulk-ingest: no such thing\n")
