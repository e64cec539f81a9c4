"""The format of the log."""

import logging

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.cli.log_format import LogFormatter

HOSTILE = "x\nERROR forged: \x1b]0;title\x07\u202e"


def lines_of(message: str, *args: object, error: Exception | None = None) -> list[str]:
    """The lines of a warning in the log, without the places in this file."""
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("a.module", logging.WARNING, __file__, 1, message, args, exc_info)
    return [line for line in LogFormatter().format(record).split("\n") if __file__ not in line]


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error, as it is after it was raised."""
    with pytest.raises(type(error)):
        raise error from cause
    return error


def test_a_record_is_one_line_whatever_others_put_into_it() -> None:
    assert lines_of("no answer: %s", HOSTILE) == snapshot(
        ["WARNING a.module: no answer: x\\nERROR forged: \\u001b]0;title\\u0007\\u202e"]
    )


def test_a_traceback_tells_what_led_to_what_and_quotes_no_row() -> None:
    cause = raised(ValueError("the row Ann,secret"))
    parts = [raised(KeyError(HOSTILE), cause), raised(OSError(24, "Too many open files"))]
    assert lines_of("broke", error=raised(ExceptionGroup(HOSTILE, parts))) == snapshot(
        ["WARNING a.module: broke", "  ExceptionGroup", "  ValueError", "  KeyError", "  OSError: Too many open files"]
    )


def test_a_traceback_names_the_places() -> None:
    error = raised(ValueError("secret"))
    record = logging.LogRecord(
        "a.module", logging.ERROR, __file__, 1, "broke", (), (ValueError, error, error.__traceback__)
    )
    [_, _, place] = LogFormatter().format(record).split("\n")
    assert place.startswith(f"    {__file__}:") and place.endswith(" in raised")


def test_an_error_that_was_suppressed_is_left_out() -> None:
    error = raised(KeyError(HOSTILE))
    error.__context__, error.__suppress_context__ = ValueError(HOSTILE), True
    assert lines_of("broke", error=error) == ["WARNING a.module: broke", "  KeyError"]
