"""The plan of an upload, made before a byte goes out: what the rows are, what is wrong with them, how they are cut."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.base.findings import Finding, Findings, Unreadable
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapped_source import MappedSource
from salesforce_bulk_ingest.loading.parts import Part, RowPosition
from salesforce_bulk_ingest.loading.row_pass import Progress, RowPass
from salesforce_bulk_ingest.loading.upload_source import UploadSource, unread
from salesforce_bulk_ingest.validation.columns import UnknownColumn, columns_of
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.field_proposals import fillable, propose
from salesforce_bulk_ingest.validation.preflight import PreflightChecks


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go out.

    Attributes:
        rows: the number of records after the header.
        size: the number of bytes of all rows with one header.
        sha256: SHA-256 of all rows with one header.
        parts: the parts to upload one by one; none if the source can't be read.
        findings: what is wrong with the rows; errors come first.
        header: the names of the columns that go out.
        dialect: the dialect of what goes out, and of the job if it is not made yet.
        mapped_source: the source that the bytes are made of.
        version: the version of the source that was read.
        proposal: name in the source to the field that it is likely to mean; None leaves the column out.
        fields: the fields that columns may be named for, if a column is unknown and nothing is proposed for it.
    """

    rows: int
    size: int
    sha256: str
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    header: tuple[str, ...]
    dialect: Dialect
    mapped_source: MappedSource = field(repr=False)
    version: object = field(repr=False)
    proposal: Mapping[str, str | None] = field(default_factory=dict)
    fields: tuple[str, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether the rows must not go out as they are."""
        return any(finding.level == "error" for finding in self.findings)

    def with_notes(self, notes: Sequence[Finding]) -> Self:
        """Return the same plan with more findings."""
        return replace(self, findings=(*self.findings, *notes))

    def rows_of(self, part: int | None) -> range:
        """The indexes of the rows of a part among all rows.

        Args:
            part: the number of the part, from 1; None is all rows.
        """
        if part is None:
            return range(self.rows)
        start = sum(before.rows for before in self.parts[: part - 1])
        return range(start, start + self.parts[part - 1].rows)


def make_plan(
    upload: UploadSource,
    destination: Destination,
    *,
    preflight: bool = True,
    progress: Progress = lambda read_bytes: None,
) -> Plan:
    """Read all rows of a source, and plan their upload.

    Args:
        upload: the source, see `open_upload_source`; its rows are read to their end.
        destination: the job.
        preflight: whether the rows are checked. Without it, rows that are not mapped go out as they are, whatever they
            are.
        progress: called with the number of bytes that are read.

    Raises:
        InvalidArgument: the source can't be read; or, without a preflight, rows can't be mapped or cut.
        SourceChanged: the source was changed since it was opened: the last rows that were read may be half written.
    """
    plan = _checked(upload, destination, progress) if preflight else _unchecked(upload, destination, progress)
    if upload.mapped_source.source.version() != upload.version:
        raise SourceChanged("The rows were changed while they were checked, so they may be half written.")
    return plan


def _checked(upload: UploadSource, destination: Destination, progress: Progress) -> Plan:
    source, findings = upload.mapped_source, Findings()
    try:
        if upload.unreadable is not None:
            raise upload.unreadable
        rows, is_mapped = RowPass(upload.file, source, destination.limit, progress), source.mapping is not None
        with PreflightChecks(source.header, source.output_names, destination, findings, rewritten=is_mapped) as checks:
            rows.read_checked(checks, findings)
    except Unreadable as error:
        findings.add("unreadable", "error", error.what, error.do, line=error.line)
        empty = unread(source.source, destination)
        return Plan(0, 0, "", (), findings.sorted(), (), empty.dialect, empty, upload.version)
    proposal = _proposal(upload, destination)
    fields = _choosable_fields(source.output_names, proposal, destination)
    return replace(_plan_of(rows, upload, source), findings=findings.sorted(), proposal=proposal, fields=fields)


def _unchecked(upload: UploadSource, destination: Destination, progress: Progress) -> Plan:
    source = upload.mapped_source
    try:
        if upload.unreadable is not None:
            raise upload.unreadable
        if source.mapping is None:
            source = _with_byte_order_mark(source)
        rows = RowPass(upload.file, source, destination.limit, progress)
        rows.read()
    except Unreadable as error:
        if upload.requested_mapping:
            raise InvalidArgument(f"{error} {error.do}") from None
        return _uncut(upload, destination, progress)
    return _plan_of(rows, upload, source)


def _plan_of(rows: RowPass, upload: UploadSource, source: MappedSource) -> Plan:
    parts = rows.cutter.finish()
    return Plan(
        rows=rows.rows,
        size=rows.cutter.size,
        sha256=rows.cutter.sha256,
        parts=parts,
        findings=(),
        header=tuple(source.output_names),
        dialect=source.dialect,
        mapped_source=source,
        version=upload.version,
    )


def _uncut(upload: UploadSource, destination: Destination, progress: Progress) -> Plan:
    """The plan of bytes that are no CSV to us: they go out as one part, or not at all."""
    source = unread(upload.mapped_source.source, destination)
    digest, size, lines = hashlib.sha256(), 0, 0
    for chunk in source.output_from(RowPosition()):
        digest.update(chunk.data)
        size += len(chunk.data)
        lines += chunk.data.count(b"\n")
        progress(size)
        if size > destination.limit:
            raise InvalidArgument(
                f"It is more than the {destination.limit:,} bytes of an upload, and can't be cut, since it is no CSV "
                "that this server can read: preflight says why."
            )
    rows, sha256 = max(lines - 1, 0), digest.hexdigest()
    part = Part(1, RowPosition(), rows, size, sha256)
    return Plan(rows, size, sha256, (part,), (), (), source.dialect, source, upload.version)


def _with_byte_order_mark(source: MappedSource) -> MappedSource:
    """The same source, with what stands before its header sent as a part of the header."""
    header = source.header
    return replace(source, header=replace(header, bom=b"", record=header.bom + header.record))


def _proposal(upload: UploadSource, destination: Destination) -> Mapping[str, str | None]:
    """The fields that are proposed for columns that go out under the name that they have in the source."""
    if destination.describe is None or destination.operation is None:
        return {}
    source = upload.mapped_source
    proposal = propose(destination.describe, destination.operation, source.header.names)
    open_names = set(source.output_names) - set(upload.requested_mapping.columns)
    return {name: meant for name, meant in proposal.items() if name in open_names}


def _choosable_fields(
    header: Sequence[str], proposal: Mapping[str, str | None], destination: Destination
) -> tuple[str, ...]:
    """The fields to choose from, if nothing is proposed for one of the unknown columns."""
    describe, operation = destination.describe, destination.operation
    if describe is None or operation is None:
        return ()
    unknown = (column.name for column in columns_of(header, describe, {}) if isinstance(column, UnknownColumn))
    if all(name in proposal for name in unknown):
        return ()
    return fillable(describe, operation, [*header, *(name for name in proposal.values() if name)])
