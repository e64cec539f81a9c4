"""The check of a delimiter that is only just the likelier one: no job says which it is, and the header has two."""

from itertools import islice

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_rows
from salesforce_bulk_ingest.csvio.dialect import delimiter_counts
from salesforce_bulk_ingest.csvio.header import Header
from salesforce_bulk_ingest.salesforce.models import DELIMITERS, Delimiter

ROWS_COMPARED = 50
CHARACTERS_COMPARED = 100_000
NEAR = 2
"""A delimiter is likelier by its count alone where it stands in the header more than this many times as often."""


def check_delimiter(header: Header, text: str, rows: ParsedBlock, findings: Findings) -> None:
    """Warn where the first rows do not show that the delimiter of a source is the likelier of the two most in its header.

    Args:
        header: the header of the source, whose delimiter no job has settled.
        text: the text of the first block.
        rows: the rows of the first block.
        findings: collects the warning.
    """
    counts = delimiter_counts(header.record)
    taken = header.dialect.delimiter
    other = max((name for name in counts if name != taken), key=lambda name: counts[name])
    if header.lines_before.has_sep or not counts[other]:
        return
    fits = all(len(row) == len(header.names) for row in islice(rows.rows, ROWS_COMPARED))
    other_fits = _fits(text, other, counts[other] + 1)
    is_near = counts[taken] <= NEAR * counts[other]
    if (fits < other_fits) or (fits == other_fits and is_near):
        what = f"Its delimiter is taken to be the {taken.lower()}: the header has {_times(counts, taken, other)}."
        if fits < other_fits:
            what += f" The first rows have as many cells as the header only with the {other.lower()}."
        do = f"If that is wrong, make the job with columnDelimiter {other}; if not, with columnDelimiter {taken}."
        findings.add("doubtful delimiter", "warning", what, do, line=header.line)


def _fits(text: str, delimiter: Delimiter, width: int) -> bool:
    """Return whether the first rows are as wide as the header with this delimiter."""
    whole_lines = text[: text.rfind("\n", 0, CHARACTERS_COMPARED) + 1] or text
    rows = parse_rows(whole_lines[:CHARACTERS_COMPARED], DELIMITERS[delimiter])[:ROWS_COMPARED]
    return all(len(row) == width for row in rows)


def _times(counts: dict[Delimiter, int], *delimiters: Delimiter) -> str:
    return " and ".join(f"{counts[name]:,} {name.lower()}{'s' if counts[name] > 1 else ''}" for name in delimiters)
