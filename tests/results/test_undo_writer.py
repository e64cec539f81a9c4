"""Rows that undo jobs go into one file, and what is left out of them is said."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoRowLeft
from salesforce_bulk_ingest.cache.file_cache import CachedFile, FileCache
from salesforce_bulk_ingest.cache.retried_rows import SentRows
from salesforce_bulk_ingest.loading.row_filter import LinesOut
from salesforce_bulk_ingest.results.retry_file import RetryFile, RetryOrigin
from salesforce_bulk_ingest.results.retry_request import DELETED, RetryRequest
from salesforce_bulk_ingest.results.undo_writer import JobToUndo, jobs_in_words, left_out, read_image, write_undo
from salesforce_bulk_ingest.validation.destination import Destination

FIRST, SECOND, OTHER = "750000000000001AAA", "750000000000002AAA", "750000000000003AAA"


def undo(job_id: str, *rows: tuple[int, Sequence[str]], changed: Sequence[str] = ()) -> JobToUndo:
    return JobToUndo(job_id, DELETED, "a" * 64, rows, lambda: list(left_out(changed, "that someone changed", "Look.")))


def written(folder: Path, *undos: JobToUndo, skipped: Sequence[SentRows] = (), left_out: str = "") -> RetryFile:
    with FileCache(folder, most_bytes=1_000_000, most_seconds=60).new_file("undo/rows.csv") as file:
        request = RetryRequest((), ("before",), skipped=tuple(skipped), left_out=LinesOut.parse(left_out))
        return write_undo(file, undos, ("Id", "Name"), request, Destination(), lambda rows, jobs: f"{rows} of {jobs}.")


def test_the_rows_of_several_jobs_stand_under_one_header(tmp_path: Path) -> None:
    made = written(tmp_path, undo(SECOND, (3, ["1", "a"])), undo(FIRST, (0, ["2", "b,c"]), (4, ["3", ""])))
    assert made.path.read_text() == 'Id,Name\n1,a\n2,"b,c"\n3,\n'
    assert made.origins == (
        RetryOrigin(SECOND, DELETED, "a" * 64, array("Q", [3])),
        RetryOrigin(FIRST, DELETED, "a" * 64, array("Q", [0, 4])),
    )
    assert [note.what for note in made.effects([0, 1, 2])] == [f"3 records of jobs {SECOND}, {FIRST}."]
    assert [note.what for note in made.effects([1])] == [f"1 record of jobs {SECOND}, {FIRST}."]
    assert (made.notes, list(made.effects([]))) == ((), [])


def test_rows_that_the_undo_of_the_same_job_sent_before_are_skipped(tmp_path: Path) -> None:
    skipped = [SentRows(FIRST[:15], kind, "a" * 64, OTHER[:15], b"\x01") for kind in (DELETED, "failedResults")]
    undos = undo(FIRST, (0, ["1", "a"])), undo(SECOND, (0, ["2", "b"]))
    made = written(tmp_path, *undos, skipped=skipped)
    assert made.path.read_text() == "Id,Name\n2,b\n"
    assert made.notes[0].what == f"Skipped 1 row of job {FIRST} that went into job {OTHER[:15]} before."
    with pytest.raises(NoRowLeft, match="Skipped 1 row of job"):
        written(tmp_path, undos[0], skipped=skipped[:1])
    assert written(tmp_path, undos[0], skipped=skipped[1:]).path.read_text() == "Id,Name\n1,a\n"


def test_rows_are_left_out_by_the_lines_of_their_jobs(tmp_path: Path) -> None:
    rows = [(number, [str(number), ""]) for number in range(4)]
    made = written(tmp_path, replace(undo(FIRST, *rows), lines=[2, 3, 0]), left_out="3-9")
    assert made.path.read_text() == "Id,Name\n0,\n"
    assert [note.what for note in made.notes] == [
        f"Left out: 1 row of job {FIRST}, by the lines of its source.",
        f"Left out: 2 rows of job {FIRST} of which the line in its source is not certain.",
    ]


def test_where_no_row_is_left_what_was_left_out_is_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as refused:
        written(tmp_path, undo(FIRST, changed=["a", "b", "c", "d"]))
    assert str(refused.value) == (
        "There is nothing to undo. Left out: 4 records that someone changed: a, b, c and 1 more."
    )


def test_an_image_is_read_without_its_header_and_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "before.csv"
    path.write_bytes('Id,Name\n1,"two\r\nlines, Ærø"\n'.encode())
    assert list(read_image(CachedFile(path, b""))) == [["1", "two\r\nlines, Ærø"]]


def test_of_many_jobs_the_first_are_named() -> None:
    assert [jobs_in_words(["A"] * count) for count in (1, 2, 5)] == ["job A", "jobs A, A", "jobs A, A, A and 2 more"]
