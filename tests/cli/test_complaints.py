"""Which errors a user can cause, and what is said about them; the tests of the commands read the sentences."""

import typer

from salesforce_bulk_ingest.cli.complaints import complaint_about
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings_sources import BadSetting
from tests.cli.conftest import RunHere


def test_a_mistake_of_the_user_is_told_also_from_within_groups() -> None:
    groups = ExceptionGroup("of tasks", [ExceptionGroup("of tasks", [CantStart("it is broken.")])])
    assert [complaint_about(error) for error in (BadSetting("a."), CantStart("b."), groups)] == [
        "a.",
        "b.",
        "it is broken.",
    ]


def test_a_wrong_option_is_told_with_the_command_that_shows_the_right_ones() -> None:
    assert complaint_about(typer.BadParameter("no number")) == (
        "Invalid value: no number. See `salesforce-bulk-ingest --help`."
    )


def test_an_option_without_its_value_is_told_with_its_command(run_here: RunHere) -> None:
    """The parser of a command line does not know whose options it reads."""
    told = {
        "emulator --port": "emulator --help",
        "serve --mcp-port": "serve --help",
        "serve --emulator=yes": "serve --help",
        "token add --role": "token add --help",
        "--version=1": "--help",
    }
    for typed, shown in told.items():
        done = run_here(*typed.split())
        assert (done.returncode, done.stderr.endswith(f"See `salesforce-bulk-ingest {shown}`.\n")) == (2, True), done


def test_other_errors_and_several_at_once_are_no_mistake_of_the_user() -> None:
    several = ExceptionGroup("of tasks", [CantStart("a"), OSError("b")])
    assert [complaint_about(error) for error in (OSError(), KeyboardInterrupt(), several)] == [None, None, None]
