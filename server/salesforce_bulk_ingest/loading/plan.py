"""One pass over a source before a byte goes out: what it is, what is wrong with it, and how it is cut."""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import BinaryIO, Self

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged, TooLarge
from salesforce_bulk_ingest.base.findings import Finding, Findings, Unreadable
from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import Header, read_header
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, SentChunk
from salesforce_bulk_ingest.loading.mapping import ColumnMapping, apply_mapping
from salesforce_bulk_ingest.loading.parts import Part, PartCutter, RowPosition
from salesforce_bulk_ingest.loading.sources import RowSource, opened
from salesforce_bulk_ingest.validation.columns import UnknownColumn, columns_of
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.field_proposals import fillable, propose
from salesforce_bulk_ingest.validation.file import endless
from salesforce_bulk_ingest.validation.preflight import PreflightChecks

MOST_SOURCE_BYTES = 100_000_000_000
"""More than an org takes in a day; a .gz that unpacks to more was made to."""

NO_PROPOSAL: Mapping[str, str | None] = MappingProxyType({})

Progress = Callable[[int], None]
"""Told how many bytes of the source are read; what it raises ends the pass."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go out.

    Attributes:
        rows: records, the header not counted.
        size: bytes with one header.
        sha256: of those.
        parts: to upload one by one; none where the source can't be read.
        findings: errors first.
        proposal: source header to field, for `columns`; None leaves a column out.
        fields: that columns may be named for, where some are unknown and not in the proposal.
        header: the columns that go out.
        dialect: that they go out in; for the job, where it is not made yet.
        output: makes the bytes.
        version: of the source that was read.
    """

    rows: int
    size: int
    sha256: str
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    proposal: Mapping[str, str | None]
    header: tuple[str, ...]
    dialect: Dialect
    output: MappedSource = field(repr=False)
    version: object = field(default=None, repr=False)
    fields: tuple[str, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether the rows must not go out as they are."""
        return any(finding.level == "error" for finding in self.findings)

    def with_notes(self, notes: Sequence[Finding]) -> Self:
        """The same with more to know about the rows."""
        return replace(self, findings=(*self.findings, *notes))

    def rows_of(self, part: int | None) -> range:
        """Which of the rows, from 0, are in a part; None is all of them."""
        if part is None:
            return range(self.rows)
        start = sum(before.rows for before in self.parts[: part - 1])
        return range(start, start + self.parts[part - 1].rows)


def make_plan(
    source: RowSource,
    shape: ColumnMapping,
    destination: Destination,
    *,
    preflight: bool = True,
    progress: Progress = lambda read_bytes: None,
) -> Plan:
    """Read all of a source, and nothing but that.

    Args:
        source: of the rows.
        shape: what is changed on the way.
        destination: the job.
        preflight: without it, rows without a shape go out as they are, whatever they are.
        progress: told how far it is.

    Raises:
        InvalidArgument: the source can't be opened, the shape does not fit it, or, without a preflight, rows can't be
            shaped or cut.
        SourceChanged: it became another one meanwhile: the last rows read may be half written.
    """
    version = source.version()
    made = _plan(source, shape, destination, preflight=preflight, progress=progress)
    if source.version() != version:
        raise SourceChanged("The rows were changed while they were checked, so they may be half written.")
    return replace(made, version=version)


def _plan(
    source: RowSource, shape: ColumnMapping, destination: Destination, *, preflight: bool, progress: Progress
) -> Plan:
    findings = Findings()
    with opened(source, destination.dialect()) as file:
        try:
            output = _output(file, source, shape, destination, as_it_is=not preflight and not shape)
            made = _Pass(output, destination, findings, progress).run(file, preflight=preflight)
            made = replace(made, proposal=_unsettled(made, shape))
            return replace(made, fields=_fields(made, destination)) if preflight else made
        except Unreadable as error:
            if not preflight and shape:
                raise InvalidArgument(f"{error} {error.do}") from None
            findings.add("unreadable", "error", error.what, error.do, line=error.line)
    unread = MappedSource(source, Header(b"", b"", (), destination.dialect()), None, destination.dialect())
    if preflight:
        return Plan(0, 0, "", (), findings.sorted(), NO_PROPOSAL, (), unread.dialect, unread)
    return _uncut(unread, destination, progress)


def header_of(source: RowSource, shape: ColumnMapping, destination: Destination) -> Sequence[str]:
    """The columns that would go out; none where the source can't be read, which the plan then says.

    Raises:
        InvalidArgument: the source can't be opened, or the shape does not fit it.
    """
    with opened(source, destination.dialect()) as file:
        try:
            return _output(file, source, shape, destination, as_it_is=False).names
        except Unreadable:
            return ()


def _unsettled(made: Plan, shape: ColumnMapping) -> Mapping[str, str | None]:
    """What is proposed for columns that go out as they came."""
    return {name: field for name, field in made.proposal.items() if name in made.header and name not in shape.columns}


def _fields(made: Plan, destination: Destination) -> tuple[str, ...]:
    """What there is to choose from for columns that nobody could guess the meaning of."""
    describe, operation = destination.describe, destination.operation
    if describe is None or operation is None:
        return ()
    unknown = (column.header for column in columns_of(made.header, describe, {}) if isinstance(column, UnknownColumn))
    if all(name in made.proposal for name in unknown):
        return ()
    header = [*made.header, *(name for name in made.proposal.values() if name)]
    return fillable(describe, operation, header)


def _output(
    file: BinaryIO, source: RowSource, shape: ColumnMapping, destination: Destination, *, as_it_is: bool
) -> MappedSource:
    head = read_header(file, destination.delimiter, destination.line_ending)
    if as_it_is:
        head = replace(head, bom=b"", record=head.bom + head.record)
    shaped = apply_mapping(shape, head.names) if shape else None
    return MappedSource(source, head, shaped, destination.dialect(head.dialect))


class _Pass:
    """One pass over the rows of a source."""

    def __init__(self, output: MappedSource, destination: Destination, findings: Findings, progress: Progress) -> None:
        self._output = output
        self._destination = destination
        self._findings = findings
        self._progress = progress
        self._cutter = PartCutter(output.header, destination.limit, output.first_row)
        self._rows = 0

    def run(self, file: BinaryIO, *, preflight: bool) -> Plan:
        """The plan, from a source that stands at its first row.

        Raises:
            Unreadable: a record has no end.
            InvalidArgument: without a preflight, a row is too long.
        """
        with ExitStack() as resources:
            checks = None
            if preflight:
                checks = resources.enter_context(self._checks())
                checks.check_header(self._output.header)
            try:
                self._read_rows(file, checks)
            except EndlessRecord as error:
                raise endless(error, self._output.head.dialect) from None
            parts = self._cutter.finish()
            if checks is not None:
                checks.finish(self._rows)
        return self._plan(parts, self._proposal() if preflight else NO_PROPOSAL)

    def _checks(self) -> PreflightChecks:
        output = self._output
        rewritten = output.shaped is not None
        return PreflightChecks(output.head, output.names, self._destination, self._findings, rewritten=rewritten)

    def _read_rows(self, file: BinaryIO, checks: PreflightChecks | None) -> None:
        for piece in self._output.pieces(file):
            if checks is not None:
                checks.check_source(piece.text, piece.given, piece.place.line)
                checks.check_outgoing(piece.sent, piece.data)
            self._rows += len(piece.sent)
            for row in self._cutter.add(piece.data, len(piece.sent), piece.place):
                self._refuse_long(piece.sent.line_of(row), preflight=checks is not None)
            self._progress(_position(file))

    def _refuse_long(self, line: int, *, preflight: bool) -> None:
        what, do = (
            f"A row and the header are more than the {self._destination.limit:,} bytes of an upload.",
            "Shorten it.",
        )
        if not preflight:
            raise InvalidArgument(f"Line {line}: {what} {do}")
        self._findings.add("row size", "error", what, do, line=line)

    def _proposal(self) -> Mapping[str, str | None]:
        destination = self._destination
        if destination.describe is None or destination.operation is None:
            return NO_PROPOSAL
        return propose(destination.describe, destination.operation, self._output.head.names)

    def _plan(self, parts: tuple[Part, ...], proposal: Mapping[str, str | None]) -> Plan:
        output, cutter = self._output, self._cutter
        return Plan(
            rows=self._rows,
            size=cutter.size,
            sha256=cutter.sha256,
            parts=parts,
            findings=self._findings.sorted(),
            proposal=proposal,
            header=tuple(output.names),
            dialect=output.dialect,
            output=output,
        )


def _uncut(output: MappedSource, destination: Destination, progress: Progress) -> Plan:
    """The plan for bytes that are no rows to us: they go out in one piece or not at all."""
    digest, size, lines = hashlib.sha256(), 0, 0
    for sent in output.rows_from(RowPosition()):
        chunk = sent.data
        digest.update(chunk)
        size += len(chunk)
        lines += chunk.count(b"\n")
        progress(size)
        if size > destination.limit:
            raise InvalidArgument(
                f"It is more than the {destination.limit:,} bytes of an upload, and can't be cut, since it is no CSV "
                "that this server can read: preflight says why."
            )
    rows, sha256 = max(lines - 1, 0), digest.hexdigest()
    part = Part(1, RowPosition(), rows, size, sha256)
    return Plan(rows, size, sha256, (part,), (), NO_PROPOSAL, (), output.dialect, output)


def _position(file: BinaryIO) -> int:
    position = file.tell()
    if position > MOST_SOURCE_BYTES:
        raise TooLarge(f"The file has more than {MOST_SOURCE_BYTES:,} bytes: split it.")
    return position


@dataclass(frozen=True, slots=True)
class PartContent:
    """The very bytes of one part, read anew from the source each time.

    Attributes:
        size: bytes on the wire.
        sha256: of those.
        rows: that go out.
        output: makes the bytes.
    """

    size: int
    sha256: str
    rows: int
    output: MappedSource
    _start: RowPosition
    _version: object

    def __iter__(self) -> Generator[bytes, None, None]:
        return self.read(lambda sent: None)

    def read(self, keep: Callable[[SentChunk], None]) -> Generator[bytes, None, None]:
        """Chunks of at most 256 KiB.

        Args:
            keep: gets what they are made of, the last of it with rows of the next part.

        The last chunk comes only after all of them are known to be the bytes that were planned, and the source to be the
        one that was: an upload of anything else breaks off, and is never ended as if it were whole.

        Raises:
            SourceChanged: the source has other rows by now.
        """
        digest, left, held = hashlib.sha256(), self.size, b""
        for chunk in self._bytes(keep):
            chunk = chunk[:left]
            digest.update(chunk)
            left -= len(chunk)
            if held:
                yield held
            held = chunk
            if not left:
                break
        if left or digest.hexdigest() != self.sha256 or self._is_of_another():
            raise SourceChanged("The rows have changed since they were checked, so the upload was broken off.")
        yield held

    def _is_of_another(self) -> bool:
        """Rows may have been added after those that were planned."""
        try:
            return self.output.source.version() != self._version
        except InvalidArgument:
            return True

    def _bytes(self, keep: Callable[[SentChunk], None]) -> Generator[bytes, None, None]:
        if self.output.header:
            yield self.output.header
        try:
            for sent in self.output.rows_from(self._start):
                keep(sent)
                for start in range(0, len(sent.data), BLOCK_BYTES):
                    yield sent.data[start : start + BLOCK_BYTES]
        except (EndlessRecord, InvalidArgument) as error:
            raise SourceChanged(f"The rows can't be read any more: {error}") from None


def part_content(plan: Plan, number: int) -> PartContent:
    """What goes out as the n-th part.

    Args:
        plan: made of the source.
        number: of the part, from 1.

    Raises:
        InvalidArgument: there is no such part.
    """
    if not 1 <= number <= len(plan.parts):
        raise InvalidArgument(f"There is no part {number}: there are {len(plan.parts)}.")
    part = plan.parts[number - 1]
    return PartContent(part.size, part.sha256, part.rows, plan.output, part.start, plan.version)
