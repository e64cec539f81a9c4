"""The plan of an upload, made before any byte is sent: the number of rows, the findings of the checks, the parts."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Self

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged, StorageFailure
from salesforce_bulk_ingest.base.findings import Finding, FindingKind, Findings, Unreadable, errors_first
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.encodings import UTF_8
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, RowPosition, UploadSource, unread
from salesforce_bulk_ingest.loading.parts import Part, PartContent
from salesforce_bulk_ingest.loading.row_filter import KEEPS_ALL, NONE_LEFT_OUT, LeftOut
from salesforce_bulk_ingest.loading.row_pass import Progress, RowPass, not_rows_of
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.loading.row_sketch import RowSketch
from salesforce_bulk_ingest.loading.sources import encoding_of
from salesforce_bulk_ingest.validation.column_profiles import (
    ProfiledColumn,
    RowsProfile,
    Scope,
    columns_without_describe,
)
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.named_rows import names_of, with_rows
from salesforce_bulk_ingest.validation.not_rows import LEAVE_OUT, REASONS, Kind
from salesforce_bulk_ingest.validation.preflight import PreflightChecks

logger = logging.getLogger(__name__)

MOST_NAMED = 20
"""The most findings whose rows are named."""


@dataclass(frozen=True, slots=True)
class LikelyEncoding:
    """The encoding that a source is likely to be in, which is not the one that it was read in.

    Attributes:
        name: the name of the encoding.
        findings: what the source was found to be in the encoding that it was read in.
        is_only_one: whether no other encoding is as likely.
    """

    name: str
    findings: tuple[Finding, ...]
    is_only_one: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one upload.

    Attributes:
        rows: the number of records after the header, without those that are left out.
        size: the number of bytes of all rows together with one header.
        sha256: SHA-256 of all rows together with one header.
        parts: the parts, to be uploaded one by one; empty if the source can't be read.
        findings: the findings of the checks; errors come first.
        header: the names of the uploaded columns.
        dialect: the dialect of the uploaded rows, and of the job if the job does not exist yet.
        mapped_source: the source with its mapping, from which the bytes of the parts are made.
        version: the version of the source that was read.
        proposal: addresses of columns in the source to the fields that these are likely to mean; None leaves a column out.
        unsettled: addresses of columns in the source that need a field, or have to be left out, and have no proposal.
        fields: the fields to choose from for these columns.
        encoding: the encoding that the source is likely to be in, if it is not the one that it was read in.
        formats: names of fields to the formats that their cells are likely to be written in.
        left_out: which rows of the source are left out.
        not_rows: the kinds of what is no row and has to be decided on; each has a finding, an error.
        title_lines: the lines before the likely header, where the first line is likely to be a title; else None.
        columns: the uploaded columns, as far as their meaning is known; empty if the source can't be read.
        first_rows: the first rows as they are uploaded, all of a few, with masks in place of hidden cells.
        scope: what the rows were checked for; None for rows that were not checked.
        profile: what is in the columns; None if that was not asked for, or the source can't be read.
        is_profiled: whether that was asked for.
        blocks_at: the positions of the blocks of the source.
        sample: an even sample of the rows, to be compared with the org; None if there is none, as of rows with errors.
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
    unsettled: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    encoding: LikelyEncoding | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    left_out: LeftOut = NONE_LEFT_OUT
    not_rows: frozenset[Kind] = frozenset()
    title_lines: str | None = None
    columns: tuple[ProfiledColumn, ...] = ()
    first_rows: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    scope: Scope | None = None
    profile: RowsProfile | None = None
    is_profiled: bool = False
    blocks_at: tuple[RowPosition, ...] = field(default=(), repr=False)
    sample: RowSample | None = field(default=None, repr=False)

    @property
    def has_errors(self) -> bool:
        """Whether a finding is an error, so that the rows must not be uploaded as they are."""
        return any(finding.level == "error" for finding in self.findings)

    def with_notes(self, notes: Sequence[Finding]) -> Self:
        """Return a copy of the plan with more findings."""
        return replace(self, findings=(*self.findings, *notes))

    def with_first_notes(self, notes: Sequence[Finding]) -> Self:
        """Return a copy of the plan with more findings, of which each stands before others of its level."""
        return replace(self, findings=errors_first((*notes, *self.findings)))

    def with_named_rows(self, lines: int, check_cancelled: Callable[[], None] = lambda: None) -> Self:
        """Return a copy of the plan that names the rows which are left out, and those of its first findings.

        They are read again. A plan of a source that can't be read, is gone or has changed is returned as it is: the answer
        may have to tell of a job that was made.

        Args:
            lines: the maximum number of lines of each finding, and of each way in which rows are left out.
            check_cancelled: called for each block that is read; what it raises ends the work.
        """
        first = self.findings[:MOST_NAMED]
        told = [line for finding in first for line in finding.lines[:lines]]
        told += self.left_out.first_lines(lines)
        whole = replace(self.mapped_source, row_filter=KEEPS_ALL)
        try:
            if not told or not self.columns or whole.source.version() != self.version:
                return self
            rows = whole.rows_on(told, self.blocks_at, check_cancelled)
        except (EndlessRecord, InvalidArgument, SourceChanged, StorageFailure) as error:
            logger.warning("the rows of findings can't be named: %s", error)
            return self
        named = with_rows(first, lines, rows, self.header, self.columns)
        left_out = self.left_out.named(names_of(rows, self.columns), lines)
        return replace(self, findings=(*named, *self.findings[MOST_NAMED:]), left_out=left_out)

    def read_in(self, encoding: LikelyEncoding, version: object) -> Self:
        """Return the plan of a source that was read in its likely encoding unasked: its rows must not be uploaded so.

        Args:
            encoding: the encoding.
            version: the version of the source as it is read unless another encoding is asked for.
        """
        findings = (*encoding.findings, *self.findings)
        return replace(self, encoding=encoding, findings=findings, version=version, sample=None)

    def rows_of(self, part: int | None) -> range:
        """Return the indexes of a part's rows among all rows.

        Args:
            part: the number of the part, from 1; None for all rows. A part that does not exist has no rows.
        """
        if part is None:
            return range(self.rows)
        start, end = (sum(before.rows for before in self.parts[:count]) for count in (part - 1, part))
        return range(start, end)

    def source_rows_of(self, part: int | None) -> Sequence[int]:
        """Return the numbers, in the source, of the rows that a part has; without rows left out they are those of `rows_of`.

        Args:
            part: see `rows_of`.

        Raises:
            InvalidArgument: the source can no longer be read.
        """
        rows = self.rows_of(part)
        return self.mapped_source.uploaded_rows()[rows.start : rows.stop] if self.left_out else rows

    def sketch_of(self, part: int | None) -> RowSketch | None:
        """Return the sketch of a part's rows, or None if there is none.

        Args:
            part: the number of the part, from 1; None for all rows.
        """
        sketches = [each.sketch for each in self.parts if part in (None, each.number)]
        known = [sketch for sketch in sketches if sketch is not None]
        return reduce(RowSketch.together_with, known) if known else None

    def content_of(self, part: int) -> PartContent:
        """Return the content of a part.

        Args:
            part: the number of the part, from 1.

        Raises:
            InvalidArgument: there is no part with this number.
        """
        if not 1 <= part <= len(self.parts):
            raise InvalidArgument(f"There is no part {part}: there are {len(self.parts)}.", ("part",))
        return PartContent(self.parts[part - 1], self.mapped_source, self.version)


def make_plan(
    upload: UploadSource,
    destination: Destination,
    *,
    preflight: bool = True,
    sketched: bool = True,
    profiled: bool = False,
    sampled: int = 0,
    progress: Progress = lambda read_bytes: None,
) -> Plan:
    """Read all rows of a source, and return the plan of their upload.

    Args:
        upload: the open source, see `open_upload_source`; its rows are read to the end.
        destination: the job.
        preflight: whether to check the rows. Without checks, rows that are not mapped are uploaded whatever is wrong
            with them, but for lines before the header and bytes that the named encoding lacks, which are refused.
        sketched: whether the parts get sketches of their rows.
        profiled: whether the plan gets a profile of the rows.
        sampled: the maximum number of rows of its sample; 0 for a plan without one, as that of unchecked rows is.
        progress: called after each block, see `Progress`.

    Raises:
        InvalidArgument: the source can't be read; or, without a preflight, rows can't be mapped or cut.
        SourceChanged: the source has changed since it was opened, so that the last rows may be half written.
    """
    if preflight:
        plan = _checked(upload, destination, progress, sketched=sketched, profiled=profiled, sampled=sampled)
    else:
        plan = _unchecked(upload, destination, progress, sketched=sketched, profiled=profiled)
    if upload.mapped_source.source.version() != upload.version:
        raise SourceChanged("The rows were changed while they were checked, so they may be half written.")
    return replace(plan, is_profiled=profiled)


def _checked(
    upload: UploadSource, destination: Destination, progress: Progress, *, sketched: bool, profiled: bool, sampled: int
) -> Plan:
    source, findings = upload.mapped_source, Findings()
    try:
        if upload.unreadable is not None:
            raise upload.unreadable
        rows = RowPass(
            upload.file, source, destination.limit, progress, sketched=sketched, profiled=profiled, sampled=sampled
        )
        with _checks_of(source, destination, findings) as checks:
            rows.read_checked(checks)
    except Unreadable as error:
        return _unreadable(error, upload, destination, findings)
    columns = checks.columns()
    return replace(
        _plan_of(rows, upload, source, columns),
        findings=findings.sorted(),
        proposal=checks.proposal(),
        unsettled=checks.unsettled_columns(),
        fields=checks.choosable_fields(),
        encoding=_likely_encoding(checks.likely_encodings, findings, "encoding"),
        formats=checks.likely_formats,
        not_rows=frozenset(checks.not_rows),
        title_lines=checks.title_lines,
        scope=checks.scope(),
        profile=_profile(rows, source, columns),
        sample=None if findings.have_errors else rows.sampler.sample(),
    )


def _checks_of(source: MappedSource, destination: Destination, findings: Findings) -> PreflightChecks:
    return PreflightChecks(
        source.header,
        source.output_names,
        source.output_addresses,
        destination,
        findings,
        rewritten=source.mapping is not None,
        encoding=encoding_of(source.source),
        has_lines=source.source.has_lines,
        has_lines_out=bool(source.row_filter.lines),
        formats={} if source.mapping is None else source.mapping.formats,
    )


def _unreadable(error: Unreadable, upload: UploadSource, destination: Destination, findings: Findings) -> Plan:
    """Return the plan of a source that can't be read to its end: no part, and what is wrong."""
    findings.add("unreadable", "error", error.what, error.do, line=error.line)
    source = unread(upload.mapped_source.source, destination)
    plan = Plan(0, 0, "", (), findings.sorted(), (), source.dialect, source, upload.version)
    return replace(plan, encoding=_likely_encoding(error.encodings, findings, "unreadable"))


def _likely_encoding(names: Sequence[str], findings: Findings, kind: FindingKind) -> LikelyEncoding | None:
    return LikelyEncoding(names[0], findings.of_kind(kind), is_only_one=len(names) == 1) if names else None


def _unchecked(
    upload: UploadSource, destination: Destination, progress: Progress, *, sketched: bool, profiled: bool
) -> Plan:
    source = upload.mapped_source
    try:
        if upload.unreadable is not None:
            raise upload.unreadable
        if source.mapping is None:
            _refuse_lines_before(source)
            header = source.header
            # A byte order mark goes out as well, as a part of the header.
            source = replace(source, header=replace(header, bom=b"", record=header.bom + header.record))
        rows = RowPass(upload.file, source, destination.limit, progress, sketched=sketched, profiled=profiled)
        rows.read()
    except Unreadable as error:
        if upload.requested_mapping.changes_rows or encoding_of(source.source) not in (None, UTF_8):
            raise InvalidArgument(f"{error} {error.do}") from None
        return _uncut(upload, destination, progress)
    columns = columns_without_describe(source.output_names, source.output_addresses, destination.hidden)
    return replace(_plan_of(rows, upload, source, columns), profile=_profile(rows, source, columns))


def _profile(rows: RowPass, source: MappedSource, columns: Sequence[ProfiledColumn]) -> RowsProfile | None:
    if rows.tally is None:
        return None
    addresses = ColumnAddresses(source.header.names)
    return rows.tally.profile(columns, tuple(map(addresses.of, source.unused_columns)))


def _plan_of(rows: RowPass, upload: UploadSource, source: MappedSource, columns: Sequence[ProfiledColumn]) -> Plan:
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
        left_out=rows.left_out,
        columns=tuple(columns),
        first_rows=rows.first_rows.shown(columns),
        blocks_at=tuple(rows.blocks_at),
    )


def _uncut(upload: UploadSource, destination: Destination, progress: Progress) -> Plan:
    """Return the plan of a source that can't be read as CSV, whose bytes are uploaded as one part.

    Raises:
        InvalidArgument: the source has more bytes than one upload takes.
    """
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


def _refuse_lines_before(source: MappedSource) -> None:
    """Raise InvalidArgument where lines stand before the header, which would be sent as the header of rows unlike it."""
    not_rows = not_rows_of(source.header.lines_before)
    if not_rows:
        reasons = " ".join(REASONS[kind] for kind in dict.fromkeys(not_rows.values()))
        raise InvalidArgument(f"{reasons} {LEAVE_OUT}", ("leaveOut", "notRows"))
