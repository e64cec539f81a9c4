"""The five operations on a chunk of rows: what each row must bring, and what it does to the records."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from . import ids
from .config import USER_ID
from .errors import JobFailure, RowError
from .records import ME, deletion_of, fold, matches, next_serials
from .schema import Field, Schema, SObject
from .values import NULL, Cell, Stored, Value, parser, show

ID_ONLY = ("delete", "hardDelete")


@dataclass(slots=True)
class Row:
    """One row of the upload on its way: its cells, what they mean, and what became of it."""

    cells: list[str]
    values: list[Value] = field(default_factory=list)
    id: str = ""
    created: bool = False
    error: RowError | None = None

    def require(self, check: Callable[["Row"], None]) -> bool:
        """Whether the check lets the row pass; if not, the row has failed."""
        try:
            check(self)
        except RowError as error:
            self.error = error
        return self.error is None


def resolve(sobject: SObject, operation: str, header: Sequence[str]) -> list[Field]:
    """The fields that a header names.

    Raises:
        JobFailure: a name is no field (only the first is told, as seen), is there twice, or is not for this operation.
    """
    if operation in ID_ONLY and [name.lower() for name in header] != ["id"]:
        raise JobFailure("InvalidBatch", f"The '{operation}' batch must contain only ids.")
    columns: list[Field] = []
    for name in header:
        column = sobject.field(name)  # a dotted name would be resolved here; relationship columns are not known yet
        if column is None:
            raise JobFailure("InvalidBatch", f"Field name not found : {name}")
        if column in columns:  # assumed: no source shows what a repeated column does
            raise JobFailure("InvalidBatch", f"Duplicate field name : {name}")
        columns.append(column)
    return columns


class Loader:
    """Saves the rows of one job, a chunk at a time, in transactions that the caller opens."""

    def __init__(
        self, schema: Schema, sobject: SObject, operation: str, key_name: str | None, header: Sequence[str]
    ) -> None:
        self.columns = resolve(sobject, operation, header)
        self._schema = schema
        self._sobject = sobject
        self._save = getattr(self, f"_{operation}")
        self._parsers = [parser(column, schema) if column.name != "Id" else str for column in self.columns]
        self._printers = [(place, show_) for place, column in enumerate(self.columns) if (show_ := show(column))]
        self._places = {column.name: place for place, column in enumerate(self.columns)}
        self._key = sobject.field(key_name) if key_name else None
        self._written = [place for place, column in enumerate(self.columns) if column.name != "Id"]
        self._required = [field_.name for field_ in sobject.fields if field_.required]
        self._locked = {
            flag: [place for place in self._written if not getattr(self.columns[place], flag)]
            for flag in ("createable", "updateable")
        }

    def read(self, cells: list[str]) -> Row:
        """A row of the upload, its cells understood or the row already failed.

        Missing cells count as empty (assumed); cells beyond the header fail the row (seen: only those rows fail).
        """
        width = len(self.columns)
        row = Row(cells if len(cells) == width else (cells + [""] * width)[:width])
        if len(cells) > width:
            # assumed: code and text
            row.error = RowError("INVALID_FIELD", f"The row has {len(cells)} values but the header has {width}")
        else:
            row.require(self._understand)
        return row

    def _understand(self, row: Row) -> None:
        values = row.values
        for parse, cell in zip(self._parsers, row.cells, strict=True):
            if not cell:
                values.append(Cell.EMPTY)
            elif cell == NULL:
                values.append(None)
            else:
                values.append(parse(cell))

    def printed(self, row: Row) -> list[str]:
        """The cells of the row as result files hold them: typed again where they were understood."""
        if len(row.values) < len(row.cells):
            return row.cells
        cells = row.cells.copy()
        for place, show_ in self._printers:
            value = row.values[place]
            if value is not None and value is not Cell.EMPTY:
                cells[place] = show_(value)
        return cells

    def save(self, connection: sqlite3.Connection, rows: Iterable[Row], now: str) -> None:
        """Do the job's operation with every row that has not failed; afterwards each has an id or an error."""
        self._save(connection, [row for row in rows if row.error is None], now)

    # The operations.

    def _insert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        rows = [row for row in rows if row.require(self._check_no_id)]
        self._create(connection, rows, now)

    def _update(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        self._change(connection, [row for row in rows if row.require(self._take_id)], now)

    def _upsert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        by_id = self._key is None or self._key.name == "Id"
        known, new = self._split_by_id(rows) if by_id else self._split_by_key(connection, rows)
        self._change(connection, known, now)
        self._create(connection, new, now)

    def _delete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        doomed = self._existing(connection, [row for row in rows if row.require(self._take_id)])
        statement = (
            f'UPDATE "{self._sobject.name}" SET IsDeleted = 1, LastModifiedDate = ?, SystemModstamp = ? WHERE Id = ?'
        )
        connection.executemany(statement, [(now, now, row.id) for row in self._once(doomed)])

    def _hardDelete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        doomed = self._existing(connection, [row for row in rows if row.require(self._take_id)])
        statement = f'DELETE FROM "{self._sobject.name}" WHERE Id = ?'
        connection.executemany(statement, [(row.id,) for row in self._once(doomed)])

    # Which record a row means.

    def _value(self, row: Row, name: str) -> Value:
        place = self._places.get(name)
        return Cell.EMPTY if place is None else row.values[place]

    def _check_no_id(self, row: Row) -> None:
        if isinstance(self._value(row, "Id"), str):
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")

    def _take_id(self, row: Row) -> None:
        given = self._value(row, "Id")
        if not isinstance(given, str):
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
        record_id = ids.normal(given)
        if record_id is None:
            raise RowError("MALFORMED_ID", given)  # seen with a blank sf__Id
        row.id = record_id  # a failed row keeps it: the supplied id is echoed (seen)

    def _split_by_id(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        known, new = [], []
        for row in rows:
            if not isinstance(self._value(row, "Id"), str):  # seen: without the column every row is created
                new.append(row)
            elif row.require(self._take_id):
                known.append(row)
        return known, new

    def _split_by_key(self, connection: sqlite3.Connection, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        key = self._key
        assert key is not None
        keyed = {id(row): fold(value) for row in rows if (value := self._key_of(row, key)) is not None}
        found = matches(connection, self._sobject, key, (self._key_of(row, key) for row in rows if id(row) in keyed))
        known, new, seen = [], [], set()
        for row in rows:
            value = keyed.get(id(row))
            hits = found.get(value, [])
            if value is None:
                row.error = RowError("MISSING_ARGUMENT", f"{key.name} not specified")
            elif value in seen:
                # assumed: within one chunk all but the first row of a key fail; across chunks the last one wins
                row.error = RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", key.name)
            elif len(hits) > 1:
                message = f"{key.name}: more than one record found for external id field: [{', '.join(hits)}]"
                row.error = RowError("DUPLICATE_EXTERNAL_ID", message)
            elif hits:
                row.id = hits[0]
                known.append(row)
            else:
                new.append(row)
            seen.add(value)
        return known, new

    def _key_of(self, row: Row, key: Field) -> Stored:
        value = self._value(row, key.name)
        return None if isinstance(value, Cell) else value

    def _existing(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """The rows whose record is there to be changed; the others fail."""
        deleted = deletion_of(connection, self._sobject, (row.id for row in rows))

        def check(row: Row) -> None:
            if not row.id.startswith(self._sobject.keyPrefix) or row.id not in deleted:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if deleted[row.id]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.require(check)]

    def _once(self, rows: list[Row]) -> list[Row]:
        """The rows without those that name a record for the second time, which find it deleted (assumed)."""
        seen: set[str] = set()

        def check(row: Row) -> None:
            if row.id in seen:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")
            seen.add(row.id)

        return [row for row in rows if row.require(check)]

    # Writing, and what must hold before.

    def _create(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        sobject = self._sobject
        rows = [row for row in rows if row.require(self._check_createable) and row.require(self._check_required)]
        rows = self._check_others(connection, rows)
        if not rows:
            return
        first = next_serials(connection, sobject.keyPrefix, len(rows))
        for serial, row in enumerate(rows, first):
            row.id, row.created = ids.make(sobject.keyPrefix, serial), True
        written = [self.columns[place] for place in self._written]
        constants = self._constants(now)
        names = ", ".join(f'"{name}"' for name in ("Id", *(column.name for column in written), *constants))
        marks = ", ".join("?" * (1 + len(written) + len(constants)))
        defaults = [(place, _default(self.columns[place])) for place in self._written]
        tail = tuple(constants.values())
        connection.executemany(
            f'INSERT INTO "{sobject.name}" ({names}) VALUES ({marks})',
            [(row.id, *_filled(row.values, defaults), *tail) for row in rows],
        )

    def _constants(self, now: str) -> dict[str, Stored]:
        """What an insert stores in the fields that the upload does not name."""
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        defaults = {
            field_.name: _default(field_)
            for field_ in self._sobject.fields
            if field_.default is not None and field_.name not in self._places
        }
        return {**stamps, **defaults}

    def _change(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        rows = [row for row in rows if row.require(self._check_updateable) and row.require(self._check_not_emptied)]
        rows = self._check_others(connection, self._existing(connection, rows))
        for row in rows:
            changes: dict[str, object] = {
                self.columns[place].name: row.values[place]
                for place in self._written
                if row.values[place] is not Cell.EMPTY
            }
            changes |= {"LastModifiedDate": now, "LastModifiedById": USER_ID, "SystemModstamp": now}
            settings = ", ".join(f'"{name}" = ?' for name in changes)
            statement = f'UPDATE "{self._sobject.name}" SET {settings} WHERE Id = ?'
            connection.execute(statement, [*changes.values(), row.id])

    def _check_createable(self, row: Row) -> None:
        self._check_unlocked(row, "createable")

    def _check_updateable(self, row: Row) -> None:
        self._check_unlocked(row, "updateable")

    def _check_unlocked(self, row: Row, flag: str) -> None:
        refused = [self.columns[place].name for place in self._locked[flag] if row.values[place] is not Cell.EMPTY]
        if refused:
            message = (
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this"
                " field and verify that it is read/write for your profile or permission set."
            )
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *refused)

    def _check_required(self, row: Row) -> None:
        _refuse_missing([name for name in self._required if not self._has_value(row, name)])

    def _check_not_emptied(self, row: Row) -> None:
        _refuse_missing([name for name in self._required if self._value(row, name) is None])

    def _has_value(self, row: Row, name: str) -> bool:
        value = self._value(row, name)
        return value is not None and value is not Cell.EMPTY

    def _check_others(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """The rows whose lookups lead somewhere and whose unique values nobody else has; the others fail."""
        for column in self.columns:
            if column.type == "reference":
                rows = self._check_references(connection, rows, column)
            elif column.unique:
                rows = self._check_unique(connection, rows, column)
        return rows

    def _check_references(self, connection: sqlite3.Connection, rows: list[Row], column: Field) -> list[Row]:
        targets = {value for row in rows if isinstance(value := self._value(row, column.name), str)}
        found: dict[str, bool] = {}
        for name in column.referenceTo:
            found |= deletion_of(connection, self._schema[name], targets) if targets else {}

        def check(row: Row) -> None:
            value = self._value(row, column.name)
            if isinstance(value, str) and value not in found:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if isinstance(value, str) and found[value]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.require(check)]

    def _check_unique(self, connection: sqlite3.Connection, rows: list[Row], column: Field) -> list[Row]:
        holders = matches(connection, self._sobject, column, (self._key_of(row, column) for row in rows))
        taken = {value: record_ids[0] for value, record_ids in holders.items()}

        def check(row: Row) -> None:
            value = fold(self._key_of(row, column))
            if value is None:
                return
            holder = taken.get(value, row.id)
            if holder != row.id:
                message = f"duplicate value found: {column.name} duplicates value on record with id: {holder}"
                raise RowError("DUPLICATE_VALUE", message)
            taken[value] = row.id or "<unknown>"

        return [row for row in rows if row.require(check)]


def _refuse_missing(names: list[str]) -> None:
    if names:
        message = f"Required fields are missing: [{', '.join(names)}]"
        raise RowError("REQUIRED_FIELD_MISSING", message, *names)


def _default(field_: Field) -> Stored:
    default: Stored = USER_ID if field_.default == ME else field_.default
    return int(default) if isinstance(default, bool) else default


def _filled(values: list[Value], defaults: list[tuple[int, Stored]]) -> list[Value]:
    return [
        default if (value := values[place]) is None or value is Cell.EMPTY else value for place, default in defaults
    ]
