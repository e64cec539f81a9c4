"""Spare columns, which can be left out of an upload with no cell lost: another has all of their cells, or they have none."""

from collections import Counter
from collections.abc import Mapping, Sequence

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.text import NAMES_SHOWN, as_json, as_name, quoted_names
from salesforce_bulk_ingest.csvio.cells import ParsedBlock

ANOTHER_FIELD = "<another field>"
ITS_FIELD = "<its field>"


class SpareColumns:
    """The check of columns of which a job takes one (several are for the same field) or none (they have no name).

    Args:
        doubled: the indexes of the columns that are for the same field, by the name of the field.
        unnamed: the indexes of the columns without a name.
        addresses: for each column, the address of its column in the source; None for a column that the source lacks.
        findings: collects what is wrong.
        header_line: the line of the source on which the header is.
    """

    def __init__(
        self,
        doubled: Mapping[str, Sequence[int]],
        unnamed: Sequence[int],
        addresses: Sequence[str | None],
        findings: Findings,
        header_line: int = 1,
    ) -> None:
        self._doubled = doubled
        self._whole = {name: list(indexes) for name, indexes in doubled.items()}
        self._differing = Counter[str]()
        self._unnamed = unnamed
        self._filled = Counter[int]()
        self._addresses = addresses
        self._findings = findings
        self._header_line = header_line

    @property
    def spare(self) -> tuple[int, ...]:
        """The indexes of the columns whose cells are all blank, or all in one other column, in the rows so far."""
        kept = {name: whole[0] for name, whole in self._whole.items() if whole}
        doubled = [index for name in kept for index in self._doubled[name] if index != kept[name]]
        return (*doubled, *(index for index in self._unnamed if not self._filled[index]))

    @property
    def unsettled(self) -> tuple[int, ...]:
        """The indexes of the columns that need another field, or have cells that would be lost without them."""
        doubled = [index for name, indexes in self._doubled.items() if not self._whole[name] for index in indexes[1:]]
        return (*doubled, *(index for index in self._unnamed if self._filled[index]))

    def check(self, block: ParsedBlock) -> None:
        """Look at the rows of one block."""
        for name, indexes in self._doubled.items():
            columns = {index: block.column(index) for index in indexes}
            told = [set(filter(str.strip, cells)) for cells in zip(*columns.values(), strict=True)]
            self._differing[name] += sum(len(cells) > 1 for cells in told)
            self._whole[name] = [
                index
                for index in self._whole[name]
                if all(cells <= {cell} for cells, cell in zip(told, columns[index], strict=True))
            ]
        for index in self._unnamed:
            self._filled[index] += sum(map(bool, map(str.strip, block.column(index))))

    def finish(self) -> None:
        """Add the findings; called after the last block of rows."""
        self._filled = +self._filled
        for name, indexes in self._doubled.items():
            self._report_doubled(name, indexes)
        self._report_unnamed()

    def _report_doubled(self, name: str, indexes: Sequence[int]) -> None:
        places = [place for index in indexes if (place := self._addresses[index]) is not None]
        is_set = len(places) < len(indexes)
        others = f"{quoted_names(places)}{' and what set gives every row' if is_set else ''}"
        what = f"Several columns are {as_name(name)}, and only one can be: {others}."
        if is_set:
            nulls = self._nulls([index for index in indexes if self._addresses[index] is not None])
            do = f"Leave {as_name(name)} out of set, or set {nulls} in columns to leave the cells there out."
        elif self._whole[name]:
            spare = [index for index in indexes if index != self._whole[name][0]]
            do = f"The others have no other cells: leave them out with {self._nulls(spare)} in columns."
        else:
            rows = self._differing[name]
            what += f" Rows in which their cells differ: {rows:,}." if rows else " Each has cells that the others lack."
            another, none = as_json({places[-1]: ANOTHER_FIELD}), as_json({places[-1]: None})
            do = f"Set {another} in columns, or {none} there to leave its cells out."
        self._findings.add("doubled", "error", what, do, column=name, line=self._header_line)

    def _report_unnamed(self) -> None:
        blank = [index for index in self._unnamed if not self._filled[index]]
        for index in self._filled:
            what = f"A column has no name, which fails the whole job. Filled cells in it: {self._filled[index]:,}."
            do = f"Set {as_json({self._addresses[index]: ITS_FIELD})} in columns, or null there to leave its cells out."
            self._findings.add("unnamed", "error", what, do, column=self._addresses[index], line=self._header_line)
        if blank:
            several = f"{len(blank):,} columns have" if len(blank) > 1 else "A column has"
            what = f"{several} no name and blank cells alone: the whole job fails."
            do = f"Leave out what is blank: {self._nulls(blank)} in columns."
            self._findings.add("unnamed and blank", "error", what, do, line=self._header_line)

    def _nulls(self, indexes: Sequence[int]) -> str:
        """Return the value of `columns` that leaves columns out, or the first of them where they are many."""
        first = as_json({self._addresses[index]: None for index in indexes[:NAMES_SHOWN] if self._addresses[index]})
        return first if len(indexes) <= NAMES_SHOWN else f"{first[:-1]}, ...}}"
