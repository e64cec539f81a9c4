"""The mark of the ledger in the folder of cached files."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.ledger_mark import LedgerMark, LedgerMarkFile
from tests.cache.making import FAILED, job_files

MARK = LedgerMark("a1b2", 7)


def test_a_mark_is_read_as_it_was_written_and_replaced_by_the_next(tmp_path: Path) -> None:
    for mark in (MARK, LedgerMark("a1b2", 8)):
        LedgerMarkFile(tmp_path / "spool").write(mark)
        assert LedgerMarkFile(tmp_path / "spool").read() == mark
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["ledger"]


@pytest.mark.parametrize("text", ["", "a1b2", "a1b2 x", "a1b2 1 2", "\xff"])
def test_a_mark_that_can_not_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger").write_bytes(text.encode("latin-1"))
    assert LedgerMarkFile(tmp_path).read() is None


def test_a_folder_that_can_not_be_used_is_logged_and_has_no_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("a file")
    LedgerMarkFile(tmp_path / "spool").write(MARK)
    assert "can't be marked" in caplog.text
    assert LedgerMarkFile(tmp_path / "spool").read() is None


def test_nothing_is_marked_where_nothing_is_cached() -> None:
    LedgerMarkFile(None).write(MARK)
    assert LedgerMarkFile(None).read() is None
    assert not LedgerMarkFile(None).has_cached_files()


def test_the_mark_is_no_cached_file_and_outlives_them(tmp_path: Path) -> None:
    files, mark_file = job_files(tmp_path, most_bytes=1), LedgerMarkFile(tmp_path / "spool")
    mark_file.write(MARK)
    assert not mark_file.has_cached_files()
    for _ in range(2):  # the second has no room beside the first
        with files.files.new_file(FAILED.name) as file:
            file.finish(b"")
    assert mark_file.has_cached_files()
    assert mark_file.read() == MARK
