"""What the commands print."""

import io

import pytest
from rich.console import Console

from salesforce_bulk_ingest.cli.console import complain, say, show_facts


def test_facts_stand_in_two_columns_and_exactly_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    long = "https://acme.my.salesforce.com/" + "x" * 200
    show_facts([("org", "[bold]"), ("REST port", long)])
    assert capsys.readouterr() == (f"org        [bold]\nREST port  {long}\n", "")


def test_a_terminal_gets_lines_that_are_broken_between_words_and_go_on_as_far_in() -> None:
    for width, expected in (
        (31, ["  a word, https://acme.example/", "  a/longer/path/than/a/screen/is", "  wide and more"]),
        (16, ["  a word,", "  https://acme.example/", "  a/longer/path/than/a/screen/is", "  wide and more"]),
        (99, ["  a word, https://acme.example/ a/longer/path/than/a/screen/is wide and more"]),
    ):
        printed = io.StringIO()
        terminal = Console(file=printed, force_terminal=True, width=width, color_system=None)
        say("  a word, https://acme.example/ a/longer/path/than/a/screen/is wide and more", terminal)
        assert printed.getvalue().splitlines() == expected


def test_elsewhere_lines_stay_whole_whatever_columns_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    say("one long line [bold]\n\nanother one")
    assert capsys.readouterr() == ("one long line [bold]\n\nanother one\n", "")


def test_a_complaint_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first [red]\n  second")
    assert capsys.readouterr() == ("", "salesforce-bulk-ingest: first [red] second\n")
