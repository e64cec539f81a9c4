"""Errors of the machine's limits, found behind others."""

import errno
import os
import sqlite3

import pytest

from salesforce_bulk_ingest.base.shortage import shortage

FULL_TABLE = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        FULL_TABLE,
        raised_from(RuntimeError("can't connect"), FULL_TABLE),
        raised_from(RuntimeError("can't connect"), ExceptionGroup("two addresses", [OSError(), FULL_TABLE])),
    ],
    ids=["bare", "cause", "group"],
)
def test_a_shortage_is_found_behind_other_errors(error: Exception) -> None:
    assert shortage(error) is FULL_TABLE


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "x"), sqlite3.OperationalError("unable to open")])
def test_other_errors_are_no_shortage(error: Exception) -> None:
    assert shortage(error) is None
