"""The job that rows are loaded into, as far as it is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, cast

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.salesforce.models import (
    DELIMITERS,
    LINE_ENDINGS,
    Delimiter,
    Job,
    LineEnding,
    SObjectDescribe,
)
from salesforce_bulk_ingest.validation.load_target import LoadTarget

NO_PARENTS: Mapping[str, SObjectDescribe] = MappingProxyType({})

UPLOAD_LIMIT_BYTES = 100_000_000
"""The most bytes of one job by the guide (Upload Job Data): its 150 MB are counted after base64."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A job that exists or is about to.

    Attributes:
        operation: the operation of the job.
        external_id_field: the external id field of an upsert.
        delimiter: the delimiter of the job; None takes that of the data.
        line_ending: the line ending of the job; None takes that of the data.
        describe: the describe of the object; without it nothing is checked against the org.
        parents: describes of the objects that relationship columns lead to, by name.
        limit: the most bytes of one upload.
        is_made: whether the job exists, and with it the object.
    """

    operation: str | None = None
    external_id_field: str | None = None
    delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    describe: SObjectDescribe | None = None
    parents: Mapping[str, SObjectDescribe] = field(default_factory=lambda: NO_PARENTS)
    limit: int = UPLOAD_LIMIT_BYTES
    is_made: bool = False

    @classmethod
    def of_job(
        cls,
        job: Job,
        describe: SObjectDescribe | None = None,
        parents: Mapping[str, SObjectDescribe] = NO_PARENTS,
        limit: int = UPLOAD_LIMIT_BYTES,
    ) -> Self:
        """Return the destination of rows for a job that exists; it always has a dialect."""
        delimiter = next(name for name, mark in DELIMITERS.items() if mark == job.delimiter)
        line_ending = next(name for name, newline in LINE_ENDINGS.items() if newline == job.newline)
        return cls(
            operation=job.operation,
            external_id_field=job.external_id_field_name,
            delimiter=cast(Delimiter, delimiter),
            line_ending=cast(LineEnding, line_ending),
            describe=describe,
            parents=parents,
            limit=limit,
            is_made=True,
        )

    @property
    def load_target(self) -> LoadTarget | None:
        """The object and operation of the job; None if one of them is not known."""
        if self.describe is None or self.operation is None:
            return None
        return LoadTarget.of(self.describe, self.operation, self.external_id_field)

    def dialect(self, found: Dialect = Dialect()) -> Dialect:  # noqa: B008
        """Return the dialect of the job's rows: that of the job, or else the dialect that was found."""
        return Dialect(self.delimiter or found.delimiter, self.line_ending or found.line_ending)
