"""All checks of one upload, in the order in which a pass over its rows meets them."""

from contextlib import ExitStack
from typing import Self

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.header import UTF_8_BOM
from salesforce_bulk_ingest.loading.mapped_source import MappedBlock, MappedSource
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.fields import FieldChecks
from salesforce_bulk_ingest.validation.file import (
    FileChecks,
    OutgoingChecks,
    check_names,
    longest_row,
)
from salesforce_bulk_ingest.validation.keys import KeyChecks, KeyColumn, key_column


class PreflightChecks:
    """The checks; a context, since they may keep a temporary file.

    Args:
        output: what is checked.
        destination: what the job takes.
        findings: where what is wrong goes.
    """

    def __init__(self, output: MappedSource, destination: Destination, findings: Findings) -> None:
        self._output = output
        self._destination = destination
        self._findings = findings
        head, names = output.head, output.names
        self._file = FileChecks(len(head.names), head.dialect, findings, rewritten=output.shaped is not None)
        self._sent = OutgoingChecks(names, findings)
        self._fields = _field_checks(output, destination, findings)
        key = self._key_column()
        self._keys = None if key is None else KeyChecks(key, names[key.place], findings)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        if self._keys is not None:
            self._resources.enter_context(self._keys)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def check_header(self) -> None:
        """What stands before the rows."""
        marks = len(self._output.head.bom) // len(UTF_8_BOM)
        if marks:
            several = f"{marks} byte order marks, which are" if marks > 1 else "a byte order mark, which is"
            self._findings.add("bom", "warning", f"It begins with {several} left out.",
                               "Nothing is to be done; sent, it would be a part of the first name.", line=1)  # fmt: skip
        self._check_dialect()
        self._file.check_header(self._output.head.record)
        self._sent.check_header(self._output.header)
        if self._fields is None:
            check_names(self._output.names, self._findings)
        else:
            self._fields.check_header()

    def check(self, piece: MappedBlock) -> None:
        """Rows of one block."""
        self._file.check(piece.text, piece.given, piece.place.line)
        self._sent.check(piece.sent, longest_row(piece.data, len(piece.sent)))
        if self._fields is not None:
            self._fields.check(piece.sent)
        if self._keys is not None:
            self._keys.check(piece.sent)

    def finish(self, rows: int) -> None:
        """After the last row, of so many."""
        if self._fields is not None:
            self._fields.finish()
        if self._keys is not None:
            self._keys.finish()
        if not rows:
            self._findings.add("no rows", "error", "There is a header and no row.", "Add a row for each record.")

    def _key_column(self) -> KeyColumn | None:
        fields = self._fields
        if fields is None:
            return key_column(self._output.names, self._destination.operation, self._destination.external_id_field)
        return next((KeyColumn(place, fields.key_form, fields.needs_keys) for place in fields.key_places), None)

    def _check_dialect(self) -> None:
        given, job = self._output.head.dialect, self._output.dialect
        if self._output.shaped is not None:
            return
        for kind, name, found, wanted in (
            ("delimiter", "columnDelimiter", given.delimiter, job.delimiter),
            ("line ending", "lineEnding", given.line_ending, job.line_ending),
        ):
            if found != wanted:
                what = f"It is written with {name} {found}, and the job's is {wanted}: the job fails."
                do = f"Make a job with {name} {found}, or ask for a shape, such as only: rows are then written anew."
                self._findings.add(kind, "error", what, do, line=1)


def _field_checks(output: MappedSource, destination: Destination, findings: Findings) -> FieldChecks | None:
    if destination.describe is None or destination.operation is None:
        return None
    return FieldChecks(
        destination.describe,
        destination.operation,
        destination.external_id_field,
        output.names,
        findings,
        destination.parents,
    )
