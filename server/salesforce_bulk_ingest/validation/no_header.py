"""The check of a source without a header, whose first row would be lost as names of columns, without a failed row."""

import re
from collections.abc import Mapping, Sequence, Set
from itertools import islice

from salesforce_bulk_ingest.base.findings import FindingKind, Findings
from salesforce_bulk_ingest.base.text import counted
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.header import Header
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.field_proposals import FieldProposals
from salesforce_bulk_ingest.validation.record_ids import is_likely_id

ROWS_COMPARED = 50

ABOUT_NAMES: Set[FindingKind] = {
    "unknown column", "unnamed", "unnamed and blank", "doubled", "doubled lookup", "read-only", "required", "external id",
    "no key", "only id",
}  # fmt: skip
"""The kinds of findings about names of columns, which say nothing where the names are cells of a row."""

_FORMS: Mapping[str, re.Pattern[str]] = {
    "an email address": re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+"),
    "a web address": re.compile(r"(?i)(?:https?://|www\.)\S+"),
    "a date": re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)"),
    "a number of seven digits or more": re.compile(r"(?=(?:\D*\d){7})[+(]{0,2}\d[\d\s()./-]*"),
}
"""Forms that cells have, and names of columns have not. Shorter numbers are left out: columns are named for years, too."""

_CODE = re.compile(r"(?P<prefix>[^\W\d_]+[-_ ]?)\d{3,}")


def lacks_header(header: Header, rows: ParsedBlock, destination: Destination, findings: Findings) -> bool:
    """Return whether the header is likely to be a row, which is added to the findings.

    It is where more of its names have the form of the cells below them than stand for fields.

    Args:
        header: the header of the source.
        rows: the first rows of the source.
        destination: the job.
        findings: collects the error.
    """
    first = list(islice(rows.rows, ROWS_COMPARED))
    names = [name.strip() for name in header.names]
    forms = [form for index, name in enumerate(names) if (form := _form_of(name)) and _have_form(form, index, first)]
    if not forms or len(forms) <= _fields_named(header.names, destination):
        return False
    what = (
        f"Line {header.line} looks like a row and not like a header: {counted(len(forms), 'cell')} of it "
        f"{'has' if len(forms) == 1 else 'have'} the form of those below, such as {_named(forms[0])}. "
        "As a header, that row would be lost."
    )
    do = "Put a header above it: a line with a name for each column, that of its field where it has one."
    findings.add("no header", "error", what, do, line=header.line)
    return True


def _form_of(text: str) -> str | None:
    """Return the form of a cell that a name of a column hardly ever has; None if it has none.

    The form of a code is its letters, such as "CRM-" of CRM-10001.
    """
    if is_likely_id(text):
        return "a record id"
    if code := _CODE.fullmatch(text):
        return code["prefix"]
    return next((form for form, pattern in _FORMS.items() if pattern.fullmatch(text)), None)


def _named(form: str) -> str:
    return form if form in _FORMS or form == "a record id" else "a code of letters and digits"


def _have_form(form: str, index: int, rows: Sequence[Sequence[str]]) -> bool:
    """Return whether most of the filled cells of a column have a form."""
    cells = [cell for row in rows if index < len(row) and (cell := row[index].strip())]
    return 2 * sum(_form_of(cell) == form for cell in cells) > len(cells)


def _fields_named(names: Sequence[str], destination: Destination) -> int:
    """Return how many names of columns are, or mean, fields of the object, whatever they are mapped to."""
    if destination.describe is None:
        return 0
    proposals = FieldProposals(destination, names)
    return len(names) - len(proposals.unknown(proposals.fields()))
