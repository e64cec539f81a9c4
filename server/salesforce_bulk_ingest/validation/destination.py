"""The job that rows are meant for, as far as it is settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
from salesforce_bulk_ingest.validation.fields import NO_PARENTS

UPLOAD_LIMIT_BYTES = 100_000_000
"""Of one job: what the guide says to send at most, since 150 MB are counted after base64 (Upload Job Data)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A job that exists or is about to.

    Attributes:
        operation: of the job.
        external_id_field: of an upsert.
        delimiter: that the job says; None leaves it to the data.
        line_ending: that the job says; None leaves it to the data.
        describe: of the object; without it nothing is checked against the org.
        parents: describes of the objects that relationship columns lead to, by name.
        limit: bytes of one upload.
        is_made: whether the job exists, so that its object does.
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
        """The job as it is; it always says how its rows are written."""
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

    def dialect(self, found: Dialect = Dialect()) -> Dialect:  # noqa: B008
        """How the job's rows are written: as it says, else as they were found."""
        return Dialect(self.delimiter or found.delimiter, self.line_ending or found.line_ending)
