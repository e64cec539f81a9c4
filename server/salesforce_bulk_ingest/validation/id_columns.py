"""Columns that may hold record ids by their names: their cells tell whether they do, or hold other ids, or names."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe
from salesforce_bulk_ingest.validation.cell_tally import CellTally
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS, SPACES, check_of
from salesforce_bulk_ingest.validation.record_ids import is_likely_id

OF_ANOTHER_SYSTEM = (
    "If they are ids of another system, set an external id field for them in columns, or null there to leave them out."
)
OF_OTHERS = (
    "Translate them to ids with values, set an external id of the parent in columns if they are one, or null there to leave "
    "them out."
)


@dataclass(slots=True)
class _IdColumn:
    """What is known of the cells of one column.

    Attributes:
        has_ids: whether any cell is a record id.
        others: the cells that are none.
    """

    has_ids: bool = False
    others: CellTally = field(default_factory=CellTally)


class IdColumns:
    """The check of columns that may hold record ids.

    Args:
        fields: the indexes of the columns, and the field that each may be for.
        names: the names of the uploaded columns.
        findings: collects what is wrong.
        hidden: the fields whose cells no finding shows.
    """

    def __init__(
        self, fields: Mapping[int, FieldDescribe], names: Sequence[str], findings: Findings, hidden: HiddenFields
    ) -> None:
        self._fields = fields
        self._names = names
        self._findings = findings
        self._hidden = hidden
        self._columns = {index: _IdColumn() for index in fields}

    @property
    def with_ids(self) -> Set[int]:
        """The indexes of the columns with record ids, in the rows so far."""
        return {index for index, column in self._columns.items() if column.has_ids}

    @property
    def with_others(self) -> Set[int]:
        """The indexes of the columns with cells of which none is a record id, in the rows so far."""
        return {index for index, column in self._columns.items() if column.others.count and not column.has_ids}

    def check(self, block: ParsedBlock) -> None:
        """Look at the rows of one block."""
        for index, column in self._columns.items():
            if column.has_ids:  # it is settled
                continue
            cells = block.column(index)
            filled = {cell for cell in set(cells) if cell.strip(SPACES) not in BLANK_CELLS}
            column.has_ids = any(is_likely_id(cell.strip(SPACES)) for cell in filled)
            if filled and not column.has_ids:
                column.others.add_column(cells, filled, block)

    def finish(self) -> None:
        """Add the findings about columns without record ids; called after the last block of rows.

        A column that has the name of its field is told of with its header, or with its cells.
        """
        for index in self.with_others:
            if self._names[index].lower() != self._fields[index].name.lower():
                self._report(index)

    def fits(self, index: int, key: FieldDescribe) -> bool:
        """Return whether an external id can hold the first cells of a column."""
        check = check_of(key)
        return check is None or not check.complaints(list(self._columns[index].others.values))

    def _report(self, index: int) -> None:
        name, lookup, tally = self._names[index], self._fields[index], self._columns[index].others
        # What they are is not known, so they may be those of any hidden field.
        shown = tally.shown(are_hidden=bool(self._hidden))
        what = f"{as_name(lookup.name)} takes record ids, and no cell is one: {shown}."
        do = OF_ANOTHER_SYSTEM if lookup.name == ID_FIELD else OF_OTHERS
        self._findings.add_several("no ids", "warning", what, do, tally.lines, tally.count, column=name)
