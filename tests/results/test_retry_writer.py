"""Rows are retried as they were uploaded, or as Salesforce gave them back with a warning; ambiguous ones are left out."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoMatchingRows
from salesforce_bulk_ingest.cache.job_files import retry_name
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import LinesOut
from salesforce_bulk_ingest.results.missing_rows import ReturnedUpload
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import RetryRequest, Which
from salesforce_bulk_ingest.results.retry_writer import ROWS_AT_ONCE, JobResult, created_records, write_retry_file
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.validation.destination import Destination
from tests.cache.making import ORG, archived, content_of, job_files
from tests.results.making import result_file, source_ordered

JOB_ID = "750000000000001AAA"
HEADER = "sf__Id,sf__Error,Name,Number__c"
ROWS = [["", "A:a:--", "Acme", "1.5E8"], ["", "B:b:--", "Bond", ""]]


def retried(
    folder: Path,
    *results: JobResult | ReturnedUpload,
    where: ErrorFilter | None = None,
    which: Which = "failed",
    destination: Destination | None = None,
    left_out: str = "",
) -> RetryFile:
    lines = LinesOut.parse(left_out)
    request = RetryRequest((JOB_ID,), (which,), where or ErrorFilter(), left_out=lines)
    with job_files(folder).files.new_file(retry_name(ORG, "test")) as file:
        return write_retry_file(request, results, destination or Destination(), file)


def as_uploaded(folder: Path, source: bytes, result: ResultFile, mapping: ColumnMapping | None = None) -> JobResult:
    upload = archived(folder, content_of(source, mapping))
    return JobResult(JOB_ID, result, upload, source_ordered(folder, result, upload))


def test_rows_that_are_not_archived_go_as_salesforce_gave_them_back_with_a_warning(tmp_path: Path) -> None:
    made = retried(tmp_path, JobResult(JOB_ID, result_file(tmp_path, HEADER, ROWS)))
    assert made.path.read_bytes() == b"Name,Number__c\nAcme,1.5E8\nBond,\n"
    assert [list(origin.row_numbers) for origin in made.origins] == [[0, 1]]
    assert [(note.what, note.do, note.count) for note in made.notes] == snapshot(
        [
            (
                "What was sent to job 750000000000001AAA is not kept here (it did not go through these tools, or is gone), so its rows go out as Salesforce gave them back: it writes numbers and times anew, and may leave cells blank.",
                'Compare with the source before they go: numbers or times in "Number__c".',
                2,
            )
        ]
    )


def test_unprocessed_rows_need_no_warning_and_ids_of_created_records_are_named(tmp_path: Path) -> None:
    unprocessed = result_file(tmp_path, "Name", [["Acme"]], "unprocessedrecords")
    made = retried(tmp_path, JobResult(JOB_ID, unprocessed), which="unprocessed")
    assert (made.path.read_bytes(), made.notes) == (b"Name\nAcme\n", ())
    rows = [["001A", "true", "Acme"], ["001B", "false", "Bond"]]
    successful = result_file(tmp_path, "sf__Id,sf__Created,Name", rows, "successfulResults")
    created = JobResult(JOB_ID, successful)
    made = retried(tmp_path, created, which="created")
    assert (made.path.read_bytes(), made.notes) == (b"Id\n001A\n", ())
    what = f'The rows are the ids of a record that job {JOB_ID} created: "Acme" (001A).'
    assert [note.what for note in created_records({JOB_ID: created}, made, [0])] == [what]


def test_created_records_are_named_and_counted_without_those_that_are_left_out(tmp_path: Path) -> None:
    rows = [[f"001{n}", "true" if n else "false", f"Name {n}"] for n in range(7)]
    successful = result_file(tmp_path, "sf__Id,sf__Created,Name", rows, "successfulResults")
    created = JobResult(JOB_ID, successful)
    made = retried(tmp_path, created, which="created")
    [found] = created_records({JOB_ID: created}, made, [0, 2, 4, 5])
    assert found.what == (
        f"The rows are the ids of 4 records that job {JOB_ID} created: "
        '"Name 1" (0011), "Name 3" (0013), "Name 5" (0015) and 1 more.'
    )
    assert created_records({JOB_ID: created}, made, []) == []


def test_rows_of_each_result_are_left_out_by_their_lines(tmp_path: Path) -> None:
    names = [[f"Name {line}"] for line in range(2, 6)]
    unprocessed = result_file(tmp_path, "Name", names, "unprocessedrecords")
    made = retried(tmp_path, JobResult(JOB_ID, unprocessed, lines=[2, 3, 0, 5]), which="unprocessed", left_out="3")
    assert made.path.read_bytes() == b"Name\nName 2\nName 5\n"
    assert [note.what for note in made.notes] == [
        f"Left out: 1 row of job {JOB_ID}, by the lines of its source.",
        f"Left out: 1 row of job {JOB_ID} of which the line in its source is not certain.",
    ]
    made = retried(
        tmp_path, JobResult(JOB_ID, unprocessed, lines=[2, 3, 0, 0]), which="unprocessed", left_out="all but 2"
    )
    assert [note.what for note in made.notes] == [
        f"Left out: 1 row of job {JOB_ID}, by the lines of its source.",
        f"Left out: 2 rows of job {JOB_ID} of which the line in its source is not certain.",
    ]
    upload = archived(tmp_path, content_of(b'Name\n"Two\nlines"\nName 4\nName 5\n'))
    failed = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "A:a:--", "Name 4"]])
    missing = ReturnedUpload(JOB_ID, upload, (failed,), None, needs_lines=True)
    made = retried(tmp_path, missing, which="missing", left_out="5-")
    assert made.path.read_bytes() == b'Name\n"Two\nlines"\n'
    assert [note.what for note in made.notes] == [f"Left out: 1 row of job {JOB_ID}, by the lines of its source."]


def test_archived_rows_go_as_they_were_uploaded(tmp_path: Path) -> None:
    mapping = ColumnMapping(columns={"Kunde": "Name", "intern": None}, values={"Number__c": {"many": "150000000.0"}})
    source = b"Kunde,intern,Number__c\nOther,x,1\nBond,y,\nAcme,z,many\n"
    made = retried(tmp_path, as_uploaded(tmp_path, source, result_file(tmp_path, HEADER, ROWS), mapping))
    assert made.path.read_bytes() == b"Name,Number__c\nBond,\nAcme,150000000.0\n"
    assert ([list(origin.row_numbers) for origin in made.origins], made.notes) == ([[1, 0]], ())


def test_only_rows_with_the_error_go(tmp_path: Path) -> None:
    source, result = b"Name,Number__c\nAcme,150000000\nBond,\n", result_file(tmp_path, HEADER, ROWS)
    for job in (JobResult(JOB_ID, result), as_uploaded(tmp_path, source, result)):
        made = retried(tmp_path, job, where=ErrorFilter(("B",)))
        assert made.path.read_bytes() == b"Name,Number__c\nBond,\n"
        assert [list(origin.row_numbers) for origin in made.origins] == [[1]]
        with pytest.raises(NoMatchingRows, match="No failed row of these jobs matches where"):
            retried(tmp_path, job, where=ErrorFilter(("C",)))


def test_rows_like_none_that_was_uploaded_go_with_a_warning(tmp_path: Path) -> None:
    source = b"number__c,Name\n150000000,Acme\n"
    made = retried(tmp_path, as_uploaded(tmp_path, source, result_file(tmp_path, HEADER, ROWS)))
    assert made.path.read_bytes() == b"number__c,Name\n150000000,Acme\n,Bond\n"
    assert [note.what for note in made.notes] == snapshot(
        [
            "As Salesforce gave them back go 1 of the failed rows of job 750000000000001AAA, since they are like none that was sent."
        ]
    )


def test_ambiguous_rows_are_left_out_and_their_lines_are_named(tmp_path: Path) -> None:
    source = b"Name,Site\nAcme,x\nAcme,y\nAcme,z\nBond,x\n"
    rows = [["", "A:a:--", "Acme", ""], ["", "B:b:--", "Bond", ""]]
    result = result_file(tmp_path, "sf__Id,sf__Error,Name,Site", rows)
    made = retried(tmp_path, as_uploaded(tmp_path, source, result))
    assert made.path.read_bytes() == b"Name,Site\nBond,x\n"
    assert [(note.what, note.lines, note.count) for note in made.notes] == snapshot(
        [
            (
                "Left out of job 750000000000001AAA: 1 of its failed rows, which may be any of several rows that were sent and that differ only where Salesforce gives nothing back or writes anew.",
                (2, 3, 4),
                1,
            )
        ]
    )
    with pytest.raises(InvalidArgument) as raised:
        retried(tmp_path, as_uploaded(tmp_path, source, result), where=ErrorFilter(("A",)))
    assert str(raised.value).startswith("No row is left to send again. Left out of job") and "Lines 2, 3, 4:" in str(
        raised.value
    )


def test_rows_with_unsure_outcomes_go_only_where_every_row_does(tmp_path: Path) -> None:
    source = b"Name,Site\nAcme,x\nAcme,y\n"
    rows = [["", "A:a:--", "Acme", ""], ["", "B:b:--", "Acme", ""]]
    job = as_uploaded(tmp_path, source, result_file(tmp_path, "sf__Id,sf__Error,Name,Site", rows))
    made = retried(tmp_path, job)
    assert (made.path.read_bytes(), made.notes) == (source, ())
    with pytest.raises(InvalidArgument, match="Left out of job 750000000000001AAA: 1 of its failed rows"):
        retried(tmp_path, job, where=ErrorFilter(("A",)))


def test_rows_of_several_results_go_under_one_header_which_has_to_be_the_same(tmp_path: Path) -> None:
    first = JobResult(JOB_ID, result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "A:a:--", "Acme"]]))
    second = JobResult("750000000000002AAA", result_file(tmp_path, "Name", [["Bond"]], "unprocessedrecords"))
    made = retried(tmp_path, first, second)
    assert made.path.read_bytes() == b"Name\nAcme\nBond\n"
    assert [origin.from_job for origin in made.origins] == [first.job_id, second.job_id]
    other = JobResult(
        "750000000000003AAA",
        result_file(tmp_path, "sf__Id,sf__Created,Name", [["001", "true", "C"]], "successfulResults"),
    )
    with pytest.raises(InvalidArgument, match="have other columns than those of 750000000000001AAA"):
        retried(tmp_path, first, other)


def test_jobs_without_such_rows_are_named_by_the_kind_of_rows(tmp_path: Path) -> None:
    empty = JobResult(JOB_ID, result_file(tmp_path, "sf__Id,sf__Error,Name", []))
    with pytest.raises(InvalidArgument, match="These jobs have no failed rows, so there is nothing to send again"):
        retried(tmp_path, empty)


def test_the_file_is_written_as_the_destination_says(tmp_path: Path) -> None:
    job = JobResult(JOB_ID, result_file(tmp_path, HEADER, ROWS))
    made = retried(tmp_path, job, destination=Destination(delimiter="PIPE", line_ending="CRLF"))
    assert made.path.read_bytes() == b"Name|Number__c\r\nAcme|1.5E8\r\nBond|\r\n"


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    names = [f"Row {number:05}" for number in range(2 * ROWS_AT_ONCE + 3)]
    rows = [["", "A:a:--", name] for name in reversed(names)]
    source = "Name\n" + "".join(f"{name}\n" for name in names)
    made = retried(
        tmp_path, as_uploaded(tmp_path, source.encode(), result_file(tmp_path, "sf__Id,sf__Error,Name", rows))
    )
    assert made.path.read_text() == source
    assert [list(origin.row_numbers) for origin in made.origins] == [list(range(len(names) - 1, -1, -1))]
