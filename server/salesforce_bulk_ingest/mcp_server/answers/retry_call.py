"""The call that sends failed rows again: those that can succeed now, with gaps for what corrects them."""

import json
from collections.abc import Iterable, Mapping, Sequence

from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    CORRECTED_ROWS,
    THESE_ROWS,
    cell_gap,
    constant_gap,
    new_job_call,
    rows_of,
    status_call,
    wait_call,
)
from salesforce_bulk_ingest.mcp_server.answers.operation_words import loads, never_whole
from salesforce_bulk_ingest.results.corrections import Correction
from salesforce_bulk_ingest.results.error_groups import ErrorGroup
from salesforce_bulk_ingest.results.pages import Page, RetriedInJob
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import DELETES

LONGEST_GAPS = 1_500
"""The maximum number of characters of the gaps for single cells; where these are longer, each argument is one gap."""

MOST_CODES_NAMED = 3


def failed_rows_call(job: Job, page: Page) -> str:
    """Return the call that sends failed rows of a page's causes again, and words about it."""
    correction = Correction.of(page.error_groups, are_rows_changed=job.operation not in DELETES)
    if page.path is None:  # no file of this machine has the rows to send again
        if all(group.is_retryable for group in page.error_groups):
            rows = rows_shown(page, THESE_ROWS)
            return f"{new_job_call(job, rows)} {loads(job, 'these rows')} again, unchanged. {never_whole(job)}"
        rows = rows_shown(page, CORRECTED_ROWS)
        return f"{new_job_call(job, rows)} {loads(job, 'these rows')}, corrected by their causes. {never_whole(job)}"
    if not correction.sent:
        rows = rows_shown(page, CORRECTED_ROWS)
        return (
            f"{new_job_call(job, rows)} {loads(job, 'these rows')}, once a person has corrected them, or the org, by their "
            f"causes: no argument beside rowsOf does that. {never_whole(job)}"
        )
    where = _where(correction, page.request.errors)
    chosen: dict[str, object] = {"where": where} if where else {"which": ["failed"]}
    data = {**rows_of(job.id, **chosen, **not_yet_sent(page.retried)), **gaps_of(correction)}
    rows = counted(sum(group.count for group in correction.sent), "row")
    sends = f"sends {rows} again" if page.retried is None else f"sends those of {rows} again that were not sent yet"
    how = "as they were sent" if correction.are_sent_unchanged else "with the gaps filled"
    return f"{new_job_call(job, data)} {sends}, {how}.{_leave_out(correction)}{_left(correction)} {never_whole(job)}"


def not_yet_sent(retried: RetriedInJob | None) -> dict[str, object]:
    """Return what leaves rows out that went again before, among the members of `rowsOf`."""
    return {} if retried is None else {"skipSent": True}


def retried_call(retried: RetriedInJob) -> str:
    """Return the call that shows what became of rows of which all went again, and words about it."""
    shows = status_call(retried.job_id) if retried.is_ended else wait_call(retried.job_id)
    return (
        f"{shows} shows what became of these rows: all of them went again, the last into this job. What failed there goes "
        "again from there."
    )


def retried_sentence(retried: RetriedInJob | None) -> str:
    """Return the sentence about rows that went again, after a space; empty where none did, or that is not known."""
    if retried is None:
        return ""
    rows = f"{retried.rows:,} of {counted(retried.of, 'row')}"
    return f" Sent again: {rows}, the last into job {retried.job_id}."


def rows_shown(page: Page, gap: str) -> str:
    """Return the gap for rows of the page, or one for the same rows of their source where the page hides cells."""
    return f"{gap[:-1]}, taken from their source>" if page.hidden_columns else gap


def _where(correction: Correction, errors: ErrorFilter) -> dict[str, list[str]]:
    """Return what chooses the rows that are sent among those of the page's own choice."""
    codes = sorted({group.code for group in correction.sent}) if correction.left else errors.codes
    where = {"statusCode": list(codes), "field": list(errors.fields)}
    return {name: texts for name, texts in where.items() if texts}


def gaps_of(correction: Correction, reasons: str = "causes") -> dict[str, object]:
    """Return the arguments beside the rows, each a gap or with gaps, by what the answer calls the reasons for them."""
    values = {name: _values(name, cells) for name, cells in correction.values.items()}
    arguments: dict[str, Mapping[str, object]] = {
        "values": values,
        "set": {name: constant_gap(name) for name in correction.constants},
        "formats": {name: f"<form of {name}, such as DD.MM.YYYY or 1.234,5>" for name in correction.formats},
        "columns": {name: f"<another field for {name}, or null>" for name in correction.columns},
    }
    if len(json.dumps(arguments)) > LONGEST_GAPS:
        return {name: f"<{name} by the {reasons}>" for name, gaps in arguments.items() if gaps}
    return {name: gaps for name, gaps in arguments.items() if gaps}


def _values(name: str, cells: Sequence[str]) -> object:
    if not cells:
        return f"<{name}: old to new cells>"
    return {cell: cell_gap(name, cell) for cell in cells}


def _leave_out(correction: Correction) -> str:
    if correction.are_sent_unchanged:
        return ""
    return " Ask the user for what you don't know; leaveOut leaves such rows out."


def _left(correction: Correction) -> str:
    """Return the sentence about the rows that are not sent; empty where there are none."""
    if not correction.left:
        return ""
    rows = sum(group.count for group in correction.left)
    return (
        f" Not sent: {counted(rows, 'row')} ({_codes(correction.left)}), which a person has to correct in the source or "
        "the org."
    )


def _codes(groups: Iterable[ErrorGroup]) -> str:
    codes = list(dict.fromkeys(as_name(group.code) for group in groups))
    more = f" and {len(codes) - MOST_CODES_NAMED} more" if len(codes) > MOST_CODES_NAMED else ""
    return f"{', '.join(codes[:MOST_CODES_NAMED])}{more}"
