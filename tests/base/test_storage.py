"""Errors of files in words."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.base.storage import cause_of, storage_failures

ERRNOS = (
    "ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE", "ENOMEM", "EIO", "ENOTDIR", "EEXIST", "EISDIR",
    "ELOOP", "ENAMETOOLONG", "ENOENT", "ESTALE",
)  # fmt: skip


@pytest.mark.parametrize("name", ERRNOS)
def test_each_limit_of_a_machine_is_told_with_what_mends_it_and_without_a_number(name: str) -> None:
    number = getattr(errno, name)
    with pytest.raises(StorageFailure) as raised, storage_failures("Rows can't be kept", Path("/spool")):
        raise OSError(number, os.strerror(number), "/spool/file")
    told = str(raised.value)
    assert told.startswith("Rows can't be kept (/spool): ") and told.endswith(".")
    assert "Errno" not in told and os.strerror(number) not in told
    assert (raised.value.status, raised.value.code) == (503, "SERVER_UNAVAILABLE")


def test_any_other_error_is_told_in_the_words_of_the_system() -> None:
    cause = cause_of(OSError(errno.ESPIPE, "Illegal seek"))
    assert (cause.reason, cause.remedy) == ("Illegal seek", "The server's log has the details.")


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError()])
def test_an_error_of_the_system_about_no_file_stays_what_it_is(error: OSError) -> None:
    with pytest.raises(type(error)), storage_failures("Rows can't be kept"):
        raise error


def test_what_sqlite_does_not_tell_of_a_file_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database" * 100)
    told = {}
    for name in ("folder", "text", "none/file", "x" * 300):
        path = tmp_path / name
        with pytest.raises(sqlite3.Error) as raised, closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE t (c)")
        told[name[:9]] = cause_of(raised.value, path).reason
    assert told == snapshot(
        {
            "folder": "a folder is in the place of a file",
            "text": "it is no database",
            "none/file": "it was removed meanwhile",
            "xxxxxxxxx": "the path is too long",
        }
    )


def test_another_process_that_holds_a_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path, timeout=0)) as other:
        one.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.Error) as raised:
            other.execute("CREATE TABLE t (c)")
    assert cause_of(raised.value, path).reason == "another process holds it"
