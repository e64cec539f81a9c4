"""The shape of an upload: which columns of a source go where, what is constant, which values are replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from salesforce_bulk_ingest.ingest.errors import InvalidArgument

Record = list[str]
Shaper = Callable[[Sequence[Record]], list[Record]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a caller wants changed on the way; an empty one changes nothing.

    Attributes:
        columns: source header to field; None leaves the column out. Columns that are not named keep their header.
        constants: field to the cell that every row gets.
        values: field to what is replaced in it, old cell to new.
        only: the fields to keep; empty keeps all.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns or self.constants or self.values or self.only)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A shape, applied to one header.

    Attributes:
        header: of what goes out.
        sources: for each column that goes out, its place in the source; None for a constant.
        rows: applies it to rows as wide as the source's header.
    """

    header: tuple[str, ...]
    sources: tuple[int | None, ...]
    rows: Shaper


def apply(shape: Shape, header: Sequence[str]) -> Shaped:
    """The shape for a source with this header.

    Raises:
        InvalidArgument: it names a column that is not there, or leaves none.
    """
    _check_names("columns", shape.columns, header)
    outgoing = {place: name for place, name in _renamed(shape, header) if name not in shape.constants}
    fields = [*outgoing.values(), *shape.constants]
    for argument, names in (("values", shape.values), ("only", shape.only)):
        _check_names(argument, names, fields)
    if shape.only:
        outgoing = {place: name for place, name in outgoing.items() if name in shape.only}
    constants = {name: cell for name, cell in shape.constants.items() if not shape.only or name in shape.only}
    if not outgoing and not constants:
        raise InvalidArgument("The shape leaves no column: name at least one to keep.")
    return Shaped(
        header=(*outgoing.values(), *constants),
        sources=(*outgoing, *(None for _ in constants)),
        rows=_shaper(list(outgoing.items()), list(constants.values()), shape.values, len(header)),
    )


def _renamed(shape: Shape, header: Sequence[str]) -> list[tuple[int, str]]:
    names = [(place, shape.columns.get(name, name)) for place, name in enumerate(header)]
    return [(place, name) for place, name in names if name is not None]


def _check_names(argument: str, names: Mapping[str, object] | Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(known[:50])}."
            raise InvalidArgument(f"{argument} names {name!r}, which is not a column here.{hint}")


def _shaper(
    outgoing: list[tuple[int, str]], constants: list[str], values: Mapping[str, Mapping[str, str]], width: int
) -> Shaper:
    places = [place for place, _ in outgoing]
    replaced = [(at, dict(values[name])) for at, (_, name) in enumerate(outgoing) if name in values]

    def shape(rows: Sequence[Record]) -> list[Record]:
        shaped = [[row[place] for place in places] for row in map(as_wide, rows)]
        for at, new in replaced:
            for row in shaped:
                row[at] = new.get(row[at], row[at])
        if constants:
            for row in shaped:
                row += constants
        # Cells beyond the header stay beyond it: dropped, they would turn a row that Salesforce refuses into a wrong one.
        if max(map(len, rows), default=0) > width:
            for row, source in zip(shaped, rows, strict=True):
                row += source[width:]
        return shaped

    def as_wide(row: Record) -> Record:
        return row if len(row) >= width else [*row, *[""] * (width - len(row))]

    return shape
