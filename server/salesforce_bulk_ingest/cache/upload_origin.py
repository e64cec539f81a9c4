"""The origin of an archived upload: how its rows were made from its source, and the JSON that stores it.

The stored keys are older than the names in the program, and uploads of earlier versions are still read. The keys are named
in this module alone, so a new name elsewhere never changes what a stored key means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, MappedColumn
from salesforce_bulk_ingest.salesforce.models import Delimiter, LineEnding


@dataclass(frozen=True, slots=True)
class UploadOrigin:
    """How the rows of an upload were made from its source.

    Attributes:
        sha256: SHA-256 of the bytes on the wire.
        source_columns: header of the source.
        rows: number of rows in the upload; the archived source may have more.
        first_line: line of the source on which the first row of the upload begins.
        source_dialect: how the source is written.
        upload_dialect: how the upload is written.
        mapping: what was changed on the way; None if nothing was.
    """

    sha256: str
    source_columns: tuple[str, ...]
    rows: int
    first_line: int
    source_dialect: Dialect
    upload_dialect: Dialect
    mapping: AppliedMapping | None

    def as_json(self) -> bytes:
        """Return the JSON that `from_json` takes."""
        stored = _StoredOrigin(
            sha256=self.sha256,
            columns=self.source_columns,
            rows=self.rows,
            line=self.first_line,
            read_as=_StoredDialect.of(self.source_dialect),
            sent_as=_StoredDialect.of(self.upload_dialect),
            shaped=None if self.mapping is None else _StoredMapping.of(self.mapping),
        )
        # Not by pydantic: a header may have bytes that are not UTF-8.
        return json.dumps(stored.model_dump()).encode()

    @classmethod
    def from_json(cls, stored: bytes) -> Self:
        """Read the origin of an upload.

        Raises:
            ValueError: this is not the JSON of an origin.
        """
        found = _StoredOrigin.model_validate(json.loads(stored))
        return cls(
            sha256=found.sha256,
            source_columns=found.columns,
            rows=found.rows,
            first_line=found.line,
            source_dialect=found.read_as.dialect(),
            upload_dialect=found.sent_as.dialect(),
            mapping=None if found.shaped is None else found.shaped.mapping(),
        )


class _StoredDialect(BaseModel):
    delimiter: Delimiter
    line_ending: LineEnding

    @classmethod
    def of(cls, dialect: Dialect) -> Self:
        return cls(delimiter=dialect.delimiter, line_ending=dialect.line_ending)

    def dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.line_ending)


class _StoredColumn(BaseModel):
    name: str
    place: int | None
    constant: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, column: MappedColumn) -> Self:
        return cls(name=column.name, place=column.index, constant=column.constant, values=column.values)

    def column(self) -> MappedColumn:
        return MappedColumn(self.name, self.place, self.constant, self.values)


class _StoredMapping(BaseModel):
    columns: tuple[_StoredColumn, ...]
    width: int

    @classmethod
    def of(cls, mapping: AppliedMapping) -> Self:
        return cls(columns=tuple(map(_StoredColumn.of, mapping.columns)), width=mapping.width)

    def mapping(self) -> AppliedMapping:
        return AppliedMapping(tuple(column.column() for column in self.columns), self.width)


class _StoredOrigin(BaseModel):
    sha256: str
    columns: tuple[str, ...]
    rows: int
    line: int
    read_as: _StoredDialect
    sent_as: _StoredDialect
    shaped: _StoredMapping | None
