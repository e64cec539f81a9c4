"""What the rows of a job are, in answers: how many, of which source, which part of it, and the call for the next part."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.cache.load_parts import names_jobs
from salesforce_bulk_ingest.mcp_server.answers.answer import PartListedAsObject
from salesforce_bulk_ingest.mcp_server.answers.next_call import SAME_ROWS, new_job_call, status_call
from salesforce_bulk_ingest.mcp_server.answers.operation_words import loaded
from salesforce_bulk_ingest.operations.upload_once import JobLoad
from salesforce_bulk_ingest.salesforce.job_ids import shown_job_id
from salesforce_bulk_ingest.salesforce.models import Job

NUMBERS_SHOWN = 10
"""The most parts that a sentence names."""


class JobRowsAnswer(PartListedAsObject):
    """The rows of a job."""

    source: str | None = None
    rows: int | None = None
    part: int | None = None
    of: int | None = None
    all_rows: int | None = None
    loaded_in_all: int | None = None
    failed_in_all: int | None = None
    parts_running: tuple[int, ...] | None = None
    parts_unknown: tuple[int, ...] | None = None

    @classmethod
    def of_load(cls, job: Job, load: JobLoad | None) -> Self | None:
        """Return what the rows are; None where nothing is known that the summary and the counters of the job do not say."""
        if load is None or (job.is_terminal and (load.part is None or load.part.of == 1)):
            return None
        part = load.part
        if part is None:
            return cls(rows=load.rows)
        source = part.origin.source or None
        if part.of == 1:
            return cls(source=source, rows=load.rows)
        answer = cls(source=source, rows=load.rows, part=part.number, of=part.of, all_rows=part.rows)
        parts = load.all_parts
        if parts is None:
            return answer
        return answer.model_copy(
            update={
                "loaded_in_all": parts.loaded,
                "failed_in_all": parts.failed,
                "parts_running": parts.running or None,
                "parts_unknown": parts.unknown or None,
            }
        )


def rows_of_job(job: Job, load: JobLoad | None) -> str:
    """Return a sentence about the rows of a job, after a space; empty where its counters say as much."""
    if load is None:
        return ""
    part = load.part
    source = f" from {_source(part.origin.source)}" if part is not None and part.origin.source else ""
    whole = f", part {part.number} of {part.of} ({part.rows:,} rows in all)" if part is not None and part.of > 1 else ""
    rows = "Rows" if load.rows is None or (job.is_terminal and not whole) else f"It has {counted(load.rows, 'row')}"
    return "" if rows == "Rows" and not source and not whole else f" {rows}{source}{whole}.{_all_parts(job, load)}"


def _all_parts(job: Job, load: JobLoad) -> str:
    """Return a sentence about the rows of all parts, after a space; empty where they were not looked up."""
    parts, part = load.all_parts, load.part
    if parts is None or part is None:
        return ""
    count = part.of - len(parts.running) - len(parts.unknown)
    of = "all" if count == part.of else f"{count} of the"
    failed = f"{parts.failed:,} failed (rows sent again count in their own jobs)" if parts.failed else "none failed"
    others = part.rows - parts.loaded - parts.failed if count == part.of else 0
    neither = f", {others:,} neither" if others > 0 else ""
    left = [
        f"; {_numbered(numbers)} {words}"
        for numbers, words in ((parts.running, "not ended yet"), (parts.unknown, "not known here"))
        if numbers
    ]
    return f" In {of} {part.of} parts: {parts.loaded:,} {loaded(job)}, {failed}{neither}{''.join(left)}."


def _numbered(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - NUMBERS_SHOWN} more" if len(numbers) > NUMBERS_SHOWN else ""
    return f"part{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers[:NUMBERS_SHOWN]))}{more}"


def _source(name: str) -> str:
    """Return the name of a source in a sentence: without quotes where it is in words of ours."""
    return name if names_jobs(name) else as_name(name)


def next_part(job: Job, load: JobLoad | None) -> str:
    """Return what takes the next part of the rows, or has taken it; empty where there is none, or this is not known.

    A part that was skipped comes first.
    """
    part = None if load is None else load.part
    if load is None or part is None:
        return ""
    if load.skipped_part is not None:
        skipped = part_call(job, part.origin.arguments, load.skipped_part, part.sha256)
        return (
            f"{skipped} takes part {load.skipped_part} of {part.of}, unless it went in: no job with it is known here."
        )
    if part.number >= part.of:
        return ""
    number = f"part {part.number + 1} of {part.of}"
    if load.next_job is not None:
        return f"{status_call(shown_job_id(load.next_job))} tells of the job that got {number}."
    return f"{part_call(job, part.origin.arguments, part.number + 1, part.sha256)} takes {number}, for the next job."


def part_call(job: Job, arguments: Mapping[str, Any], part: int, sha256: str) -> str:
    """Return the call that loads a part of the rows in a new job.

    Args:
        job: the job of another part.
        arguments: the arguments that give the same rows to a new job; those that are missing are gaps.
        part: the number of the part.
        sha256: the SHA-256 of the rows of all parts.
    """
    given = dict(arguments)
    # Rows that were uploaded to a job have its form, on which their SHA-256 depends.
    form = given.pop("body", {"columnDelimiter": job.column_delimiter, "lineEnding": job.line_ending})
    rows = given.pop("data", SAME_ROWS)
    return new_job_call(job, rows, form=form, part=part, sha256=sha256, **given)
