"""All checks of one upload before it is sent, in the order in which its header and its blocks of rows are read."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Self

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.text import as_name, quoted_names
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.encodings import UTF_8
from salesforce_bulk_ingest.csvio.header import Header
from salesforce_bulk_ingest.csvio.records import Block
from salesforce_bulk_ingest.validation.column_profiles import ProfiledColumn, Scope
from salesforce_bulk_ingest.validation.delimiter import check_delimiter
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.field_proposals import FieldProposals
from salesforce_bulk_ingest.validation.fields import FieldChecks
from salesforce_bulk_ingest.validation.file import FileChecks, OutgoingChecks, longest_row
from salesforce_bulk_ingest.validation.id_columns import IdColumns
from salesforce_bulk_ingest.validation.keys import KeyChecks, KeyColumn, key_column
from salesforce_bulk_ingest.validation.misfits import Misfit, MisfitChecks
from salesforce_bulk_ingest.validation.no_header import ABOUT_NAMES, lacks_header
from salesforce_bulk_ingest.validation.not_rows import Kind, TitleCheck, report
from salesforce_bulk_ingest.validation.placeholders import STORED_WORDS, PlaceholderChecks, PlaceholderColumn
from salesforce_bulk_ingest.validation.points import PointChecks
from salesforce_bulk_ingest.validation.spare_columns import SpareColumns

NOT_FIELDS = "{object} has no fields {names} that this user can see, which fails the whole job."
TAKE_PROPOSED = "Take the proposed columns, or set other fields in columns, or null there to leave a column out."

NO_FORMATS: Mapping[str, str] = MappingProxyType({})

CELLS_REMEMBERED = 1_000
"""The number of cells that do not fit a format of which is remembered whether their field takes them."""


class PreflightChecks:
    """The checks of one upload; a context manager that closes the temporary file of the key checks.

    Args:
        header: the header of the source.
        names: the names of the uploaded columns.
        addresses: for each uploaded column, the address of its column in the source; None for a column that it lacks.
        destination: the job.
        findings: collects what is wrong.
        rewritten: whether the rows are written anew for the upload, in the dialect of the job.
        encoding: the encoding that the source is read in; None for a source that can't be read in another.
        has_lines: whether rows can be left out by their lines.
        has_lines_out: whether some are left out by their lines already.
        formats: the formats in which columns are read, by their names.

    Attributes:
        not_rows: the kinds of what was found to be no row.
    """

    def __init__(
        self,
        header: Header,
        names: Sequence[str],
        addresses: Sequence[str | None],
        destination: Destination,
        findings: Findings,
        *,
        rewritten: bool,
        encoding: str | None = None,
        has_lines: bool = True,
        has_lines_out: bool = False,
        formats: Mapping[str, str] = NO_FORMATS,
    ) -> None:
        self._header = header
        self._names = names
        self._destination = destination
        self._findings = findings
        written = destination.dialect(header.dialect) if rewritten else header.dialect
        self._file = FileChecks(
            len(header.names),
            header.dialect,
            written.line_ending,
            findings,
            rewritten=rewritten,
            encoding=encoding,
            shows_words=not destination.hidden,
        )
        self._title = TitleCheck(header, findings, has_lines=has_lines, has_lines_out=has_lines_out)
        self._has_lines = has_lines
        self._lacks_header = False
        self.not_rows = set[Kind]()
        self._outgoing = OutgoingChecks(
            names,
            findings,
            header.line,
            is_decoded=encoding not in (None, UTF_8),
            # A column that is hidden under its field's name may have any name in the source.
            shows_words=not destination.hidden,
        )
        self._addresses = addresses
        self._proposals = FieldProposals(destination, names)
        self._id_columns = IdColumns(self._proposals.of_ids, names, findings, destination.hidden)
        self._spare = SpareColumns(self._proposals.doubled, self._proposals.unnamed, addresses, findings, header.line)
        self._hidden = self._hidden_columns()
        self._misfits = MisfitChecks(findings, self._hidden)
        self._fields = self._field_checks()
        self._formats = formats
        self._is_refused = lru_cache(CELLS_REMEMBERED)(self._refuses)
        self._points = self._point_checks()
        self._key = key = self._key_column()
        self._keys = None if key is None else KeyChecks(key, names[key.index], findings)
        unique = () if self._fields is None else self._fields.unique_columns
        self._unique = {names[column.index]: KeyChecks(column, names[column.index], findings) for column in unique}
        doubtful = () if destination.gives_back else range(len(names))
        self._placeholders = PlaceholderChecks([self._placeholders_in(index) for index in doubtful], findings)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        for keys in self._all_keys:
            self._resources.enter_context(keys)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @property
    def _all_keys(self) -> Sequence[KeyChecks]:
        return [*([] if self._keys is None else [self._keys]), *self._unique.values()]

    @property
    def likely_formats(self) -> Mapping[str, str]:
        """Names of fields to the formats that their cells are likely to be written in; known after `finish`."""
        return {} if self._fields is None else self._fields.likely_formats

    @property
    def likely_encodings(self) -> Sequence[str]:
        """The encodings that the source is likely to be in, if not in UTF-8, the likeliest first; known after `finish`."""
        return self._file.likely_encodings

    @property
    def title_lines(self) -> str | None:
        """The lines before the likely header, see `TitleCheck`."""
        return self._title.lines

    def check_header(self, record: bytes) -> None:
        """Check the byte order mark and the header.

        Args:
            record: the header record as it is uploaded.
        """
        self._outgoing.check_header(record)
        if self._fields is not None:
            self._fields.check_header(self._header.line, {self._names[index] for index in self._proposals.second})
        self._file.check_byte_order_marks(self._header.bom)
        self._file.check_header(self._header.record, self._header.line)
        self._title.check_header()

    def add_not_rows(self, kinds: Mapping[int, Kind]) -> None:
        """Add what is no row and is not left out: the kind of each, by the line of the source on which it begins."""
        report(self._findings, kinds)
        self.not_rows.update(kinds.values())

    def add_long_row(self, line: int, what: str, do: str) -> None:
        """Add a row that is too long for an upload, by its line, with what is wrong and what to do."""
        self._findings.add("row size", "error", what, do, line=line)

    def check_source(self, text: str, rows: ParsedBlock, first_line: int) -> None:
        """Check the rows of one block as the source has them.

        Args:
            text: the text of the block.
            rows: the rows of the block.
            first_line: the line of the source on which the block begins.
        """
        # A block is empty while no record is whole.
        if first_line == 1 + self._header.lines and len(rows):
            if self._destination.delimiter is None:
                check_delimiter(self._header, text, rows, self._findings)
            if self._has_lines:
                self._lacks_header = lacks_header(self._header, rows, self._destination, self._findings)
        self._file.check(text, rows, first_line)

    def check_title(self, rows: ParsedBlock, all_rows: ParsedBlock, all_text: str, first_line: int) -> None:
        """Check whether the header is a title, by the rows of one block; called for each block.

        Args:
            rows: the rows of the block.
            all_rows: these and the rows that are left out, of which one may be the header.
            all_text: the text of all these rows.
            first_line: the line of the source on which the block begins.
        """
        is_first = first_line == 1 + self._header.lines and len(rows)
        if is_first and self._proposals.unknown(self._proposals.fields()):
            self._title.check_delimiters(rows, all_text, first_line)
        self._title.check(rows, all_rows)

    def add_misfit(self, column: str, misfit: Misfit) -> None:
        """Add a cell that does not fit the format of its column, unless it is told that its field does not take it."""
        if misfit.level == "error" or not self._is_refused(column, misfit.cell):
            self._misfits.add(column, misfit)

    def check_outgoing(self, rows: ParsedBlock, block: Block) -> None:
        """Check the rows of one block as they are uploaded.

        Args:
            rows: the rows to upload.
            block: the bytes of these rows.
        """
        longest = longest_row(block, rows)
        self._outgoing.check(rows, block.data, longest)
        self._spare.check(rows)
        self._id_columns.check(rows)
        self._points.check(rows)
        self._placeholders.check(rows)
        if self._fields is not None:
            self._fields.check(rows, STORED_WORDS, longest)
        for keys in self._all_keys:
            keys.check(rows)

    def finish(self, rows: int, *, are_left_out: bool = False, may_be_none: bool = False) -> None:
        """Add the findings that depend on all rows; called after the last block of rows.

        Args:
            rows: the number of rows.
            are_left_out: whether other rows are left out.
            may_be_none: whether it is no mistake that there is no row.
        """
        self._file.finish()
        self._misfits.finish()
        self._spare.finish()
        self._placeholders.finish()
        self._id_columns.finish()
        self._proposals = FieldProposals(self._destination, self._names, self._id_columns)
        if self._fields is not None:
            self._fields.finish(self._formats.keys())
        self._join_proposed()
        formats = {**self._formats, **self.likely_formats}
        self._points.finish(self._header.dialect.delimiter, formats)
        for keys in self._all_keys:
            keys.finish()
        if self._lacks_header:
            self._findings.drop(ABOUT_NAMES)
        if rows or may_be_none:
            return
        if are_left_out:
            self._findings.add("no rows", "error", "All rows are left out.", "Leave fewer out in leaveOut.")
        else:
            self._findings.add("no rows", "error", "There is a header and no row.", "Add a row for each record.")

    def _join_proposed(self) -> None:
        """Tell in one finding of all unknown columns for which fields are proposed: the proposal says which."""
        describe = self._destination.describe
        if describe is None:
            return
        names = [self._names[index] for index, field in self._proposals.fields(self._spare.spare).items() if field]
        unknown = [name for name in names if "." not in name and describe.field(name) is None]
        what = NOT_FIELDS.format(object=as_name(describe.name), names=quoted_names(unknown))
        self._findings.join("unknown column", unknown, what, TAKE_PROPOSED)

    def proposal(self) -> Mapping[str, str | None]:
        """Return the proposal for the columns, by address: the field of each, or None to leave it out.

        It is empty where the source has no header, since a row would be lost under whatever names.
        """
        if self._lacks_header:
            return {}
        proposed = self._proposals.fields(self._spare.spare).items()
        return {address: field for index, field in proposed if (address := self._addresses[index]) is not None}

    def unsettled_columns(self) -> tuple[str, ...]:
        """Return the addresses of the columns that need a field, or have to be left out, and have no proposal.

        There are none where the source has no header.
        """
        if self._lacks_header:
            return ()
        proposed = self._proposals.fields(self._spare.spare)
        unsettled = sorted({*self._spare.unsettled, *self._proposals.unknown(proposed)})
        return tuple(address for index in unsettled if (address := self._addresses[index]) is not None)

    def choosable_fields(self) -> tuple[str, ...]:
        """Return the fields to choose from for unsettled columns; empty if there are none."""
        return self._proposals.choices(self._proposals.fields(self._spare.spare)) if self.unsettled_columns() else ()

    def columns(self) -> Sequence[ProfiledColumn]:
        """Return the uploaded columns, each with the field that it fills or is proposed for."""
        proposed = self._proposals.fields()
        return [self._column(index, proposed.get(index)) for index in range(len(self._names))]

    def _column(self, index: int, proposed: str | None) -> ProfiledColumn:
        name, fields = self._names[index], self._fields
        return ProfiledColumn(
            self._addresses[index],
            fills=name if fields is None or fields.is_known(index) else None,
            proposed=proposed,
            field=None if fields is None else fields.field_of(index),
            is_key=self._key is not None and self._key.index == index,
            is_hidden=name in self._hidden,
        )

    def scope(self) -> Scope:
        """Return what the rows were checked for; called after `finish`."""
        load, key = self._destination.load_target, self._key
        is_compared = key is not None and self._keys is not None and self._keys.are_compared
        return Scope(
            self._destination.operation,
            None if load is None else load.describe.name,
            self._names[key.index] if key is not None and is_compared else None,
            tuple(name for name, keys in self._unique.items() if keys.are_compared),
        )

    def _hidden_columns(self) -> frozenset[str]:
        """Return the names of the columns whose cells no finding shows: those that have, mean or fill a hidden field.

        Names in the source count, too, since cells stay hidden whatever they are to fill. A column without a field may be
        that of any field, and so may each column without a describe.
        """
        destination, names = self._destination, self._names
        if not destination.hidden:
            return frozenset()
        if destination.load_target is None:
            return frozenset(names)
        likely = self._proposals.fields()
        unknown = self._proposals.unknown(likely)
        sources = [address or name for address, name in zip(self._addresses, names, strict=True)]
        # A column of numbers keeps its meaning here, which is left open where it may be the key.
        by_source = FieldProposals(replace(destination, external_id_field=None), sources).fields()
        known_as = [(name, sources[index], likely.get(index), by_source.get(index)) for index, name in enumerate(names)]
        return frozenset(
            names[index]
            for index, known in enumerate(known_as)
            if index in unknown or any(map(destination.hidden.hides, filter(None, known)))
        )

    def _field_checks(self) -> FieldChecks | None:
        destination, load = self._destination, self._destination.load_target
        if load is None:
            return None
        proposed = self._proposals.fields()
        return FieldChecks(load, self._names, self._findings, destination.parents, self._hidden, proposed)

    def _point_checks(self) -> PointChecks:
        numbers = {} if self._fields is None else self._fields.number_fields
        unread = {index: field for index, field in numbers.items() if self._names[index] not in self._formats}
        return PointChecks(unread, self._names, self._findings, self._hidden)

    def _refuses(self, column: str, cell: str) -> bool:
        return self._fields is not None and self._fields.refuses(column, cell)

    def _placeholders_in(self, index: int) -> PlaceholderColumn:
        name, fields, key = self._names[index], self._fields, self._key
        is_key = key is not None and key.index == index
        values = frozenset[str]() if fields is None else fields.picklist_values(index)
        return PlaceholderColumn(
            name,
            is_hidden=name in self._hidden,
            is_insert=self._destination.operation == "insert" or self._destination.match == "createOnly",
            is_key=is_key,
            is_needed=(key is not None and is_key and key.is_needed)
            or (fields is not None and fields.is_needed(index)),
            refused=frozenset() if fields is None else fields.refused(index, STORED_WORDS),
            values=frozenset(word for word in STORED_WORDS if word.lower() in values),
        )

    def _key_column(self) -> KeyColumn | None:
        if self._fields is not None:
            return self._fields.key_column
        return key_column(self._names, self._destination.operation, self._destination.external_id_field)
