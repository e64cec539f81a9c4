"""Checks of rows against the describe of their object: columns, keys and cells that Salesforce would refuse.

A describe does not contain validation rules, triggers, duplicate rules and the picklists of single record types, so rows
are not checked against these.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Self

from salesforce_bulk_ingest.base.findings import Fails, Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.records import LONGEST_RECORD_BYTES
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.cell_tally import CellTally
from salesforce_bulk_ingest.validation.cells import NUMBER_TYPES, BlankCheck, CellCheck, Cells, Complaint, check_of
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn, columns_of
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.format_guesses import TEXTS, FormatGuess, LikelyFormat, advice
from salesforce_bulk_ingest.validation.header import HeaderChecks
from salesforce_bulk_ingest.validation.key_forms import key_form
from salesforce_bulk_ingest.validation.keys import KeyColumn

NO_PROPOSAL: Mapping[int, str | None] = {}


class FieldChecks:
    """The checks of one upload against the describe of its object.

    Args:
        load: the object and operation of the upload.
        header: the names of the uploaded columns.
        findings: collects what is wrong.
        parents: describes of the objects that relationship columns lead to, by name; the fields of a parent without a
            describe are not checked.
        hidden: the names of the columns whose cells no finding shows.
        proposal: indexes of columns to the fields that these are likely to mean. The cells of an unknown column are checked
            as those of its likely field, so that one dry run proposes its format, too.

    Attributes:
        number_fields: the indexes of columns of decimal numbers, and the name of the field of each.
        likely_formats: names of fields to the formats that their cells are likely to be written in; known after `finish`.
    """

    def __init__(
        self,
        load: LoadTarget,
        header: Sequence[str],
        findings: Findings,
        parents: Mapping[str, SObjectDescribe],
        hidden: Set[str] = frozenset(),
        proposal: Mapping[int, str | None] = NO_PROPOSAL,
    ) -> None:
        self._load = load
        self._header = header
        self._columns = columns_of(header, load.describe, parents)
        self._findings = findings
        self._hidden = hidden
        names = [proposal.get(index) or name for index, name in enumerate(header)]
        meant = columns_of(names, load.describe, parents)
        self._likely_fields = {
            index: each.field.name
            for index, (column, each) in enumerate(zip(self._columns, meant, strict=True))
            if isinstance(column, UnknownColumn) and isinstance(each, FieldColumn)
        }
        self._checked = [
            meant[index] if index in self._likely_fields else each for index, each in enumerate(self._columns)
        ]
        self.number_fields = {
            index: column.field.name
            for index, column in enumerate(self._checked)
            if isinstance(column, FieldColumn) and column.field.type in NUMBER_TYPES and not column.parent_field
        }
        checks = {index: self._checks_of(column) for index, column in enumerate(self._checked)}
        self._cell_checks = {index: of_column for index, of_column in checks.items() if of_column}
        self._tallies: dict[tuple[int, Complaint], _Tally] = {}
        self.likely_formats: dict[str, str] = {}

    @property
    def key_column(self) -> KeyColumn | None:
        """The column that identifies the record of each row; None if the column is missing, or every row is a new record."""
        index = next((index for index, column in enumerate(self._columns) if self._load.is_key(column)), None)
        return None if index is None else KeyColumn(index, self._load.key_form, self._load.needs_keys)

    @property
    def unique_columns(self) -> Sequence[KeyColumn]:
        """The columns, beside that of the keys, in whose field no two records may have the same value."""
        load = self._load
        if load.deletes:
            return ()
        return [
            KeyColumn(
                index,
                key_form(column.field),
                is_needed=False,
                unique_in="records" if load.updates else "new records",
            )
            for index, column in enumerate(self._columns)
            if isinstance(column, FieldColumn)
            and column.field.unique
            and column.parent_field is None
            and not load.is_key(column)
        ]

    def field_of(self, index: int) -> FieldDescribe | None:
        """Return the field of the object that a column fills, or is proposed for; None if there is none."""
        column = self._checked[index]
        return column.field if isinstance(column, FieldColumn) and not column.parent_field else None

    def is_known(self, index: int) -> bool:
        """Return whether Salesforce understands a column."""
        return isinstance(self._columns[index], FieldColumn)

    def is_needed(self, index: int) -> bool:
        """Return whether rows without a value in a column fail, and are told of."""
        return any(isinstance(check, BlankCheck) for check in self._cell_checks.get(index, ()))

    def refused(self, index: int, words: Collection[str]) -> frozenset[str]:
        """Return those of the words that the field of a column does not take."""
        complaints = [check.complaints(sorted(words)) for check in self._cell_checks.get(index, ())]
        return frozenset(word for of_check in complaints for wrong in of_check.values() for word in wrong)

    def refuses(self, name: str, cell: str) -> bool:
        """Return whether a column has a field that does not take a cell, which a finding tells of."""
        indexes = (index for index, each in enumerate(self._header) if each == name and self.is_known(index))
        return any(self.refused(index, [cell]) for index in indexes)

    def picklist_values(self, index: int) -> frozenset[str]:
        """Return the active values of the picklist that a column fills, in lower case; empty if it fills none."""
        field = self.field_of(index)
        return (
            frozenset(value.value.lower() for value in field.picklist_values if value.active) if field else frozenset()
        )

    def check_header(self, line: int, told: Set[str] = frozenset()) -> None:
        """Check the columns; called before the first block of rows.

        Args:
            line: the line of the source on which the header is.
            told: see `HeaderChecks`.
        """
        proposed = frozenset(self._likely_fields.values())
        HeaderChecks(self._load, self._columns, self._findings, line, proposed, told).check()

    def check(self, block: ParsedBlock, told: Set[str] = frozenset(), longest: int = LONGEST_RECORD_BYTES) -> None:
        """Check the rows of one block.

        Args:
            block: the rows of the block.
            told: cells that another finding tells, with what to do about them.
            longest: an upper bound for the number of bytes of a row.
        """
        for index, of_column in self._cell_checks.items():
            checks = [check for check in of_column if longest > check.right_bytes]
            cells = block.column(index) if checks else ()
            for check in checks:
                for complaint, found in check.complaints(cells).items():
                    wrong = found - told
                    if not wrong:
                        continue
                    if (index, complaint) not in self._tallies:
                        self._tallies[index, complaint] = _Tally.of(complaint, check)
                    self._tallies[index, complaint].add(cells, wrong, block)

    def finish(self, with_formats: Set[str] = frozenset()) -> None:
        """Add the findings for wrong cells; called after the last block of rows.

        Args:
            with_formats: the names of the columns that are read in formats.
        """
        for (index, _), tally in self._tallies.items():
            likely = tally.likely_formats
            if likely or index not in self._likely_fields:
                self._report(index, tally, likely, has_format=self._header[index] in with_formats)

    def _report(self, index: int, tally: "_Tally", likely: Sequence[LikelyFormat], *, has_format: bool) -> None:
        column = self._header[index]
        field_name = self._likely_fields.get(index, column)
        are_hidden = column in self._hidden
        more = advice(tally.complaint.kind, field_name, likely, are_hidden=are_hidden, has_format=has_format)
        tally.report(column, self._findings, more, are_hidden=are_hidden)
        if len(likely) == 1:
            self.likely_formats[field_name] = likely[0].text

    def _checks_of(self, column: FieldColumn | UnknownColumn) -> list[CellCheck]:
        load = self._load
        if isinstance(column, UnknownColumn) or (load.deletes and not load.is_key(column)):
            return []
        # Whatever the cells are, they fail: that is told of the column.
        if column.field.name == ID_FIELD and not load.is_key(column):
            return []
        check = None if column.parent_field else check_of(column.field, load.describe.key_prefix)
        checks = [] if check is None else [check]
        if column.field.is_required and not load.updates and not load.is_key(column):
            checks.append(BlankCheck(column.field))
        return checks


@dataclass(slots=True)
class _Tally:
    """The tally of the cells with one complaint in one column.

    Attributes:
        complaint: what is wrong with them.
        cells: the tally of the wrong cells.
        guess: the guess at a format that the wrong cells are written in; None if the complaint is not about forms.
    """

    complaint: Complaint
    cells: CellTally = field(default_factory=CellTally)
    guess: FormatGuess | None = None

    @classmethod
    def of(cls, complaint: Complaint, check: CellCheck) -> Self:
        """Return the empty tally of a complaint of a check."""
        texts = TEXTS.get(complaint.kind)

        def refused(readings: Cells) -> Set[str]:
            alike = [wrong for other, wrong in check.complaints(readings).items() if other.kind == complaint.kind]
            return set[str]().union(*alike)

        return cls(complaint, guess=None if texts is None else FormatGuess(texts, refused))

    @property
    def likely_formats(self) -> Sequence[LikelyFormat]:
        """The formats that the wrong cells are likely to be written in."""
        return () if self.guess is None else self.guess.likely()

    def add(self, cells: Cells, wrong: Set[str], block: ParsedBlock) -> None:
        """Count the wrong cells of one block."""
        self.cells.add_column(cells, wrong, block)
        if self.guess is not None:
            self.guess.add(wrong)

    def report(self, column: str, findings: Findings, more: str, *, are_hidden: bool) -> None:
        """Add one finding for all wrong cells, with more advice."""
        kind, what, do = self.complaint.kind, self.complaint.what, self.complaint.do + more
        if self.complaint.shows_values:
            what += f": {self.cells.shown(are_hidden=are_hidden)}"
        fails: Fails | None = "these rows" if self.complaint.fails else None
        cells = () if are_hidden else self.cells.all_values
        findings.add_several(
            kind, "warning", f"{what}.", do, self.cells.lines, self.cells.count, column=column, fails=fails, cells=cells
        )
