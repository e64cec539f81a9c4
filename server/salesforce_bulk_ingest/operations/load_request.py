"""What is asked of a load: the job that is to be made, and the rows that are to go into a job."""

from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from salesforce_bulk_ingest.base.errors import LEFT_OUT, InvalidArgument
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import as_json
from salesforce_bulk_ingest.cache.load_parts import LoadOrigin
from salesforce_bulk_ingest.comparison.load_bounds import LoadBounds
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.by_record import LeftOutLines
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.row_filter import ALL_LINES
from salesforce_bulk_ingest.loading.sources import RowSource, UploadFile
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.salesforce.models import Delimiter, Job, LineEnding, Operation
from salesforce_bulk_ingest.validation.destination import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """The properties of a job that is to be made; None leaves a property to the rows, or to Salesforce."""

    sobject: str
    operation: Operation
    external_id_field_name: str | None = None
    column_delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    content_type: str | None = None
    assignment_rule_id: str | None = None

    def body(self, dialect: Dialect | None = None) -> dict[str, object]:
        """Return the body of Salesforce's create request; a dialect, which rows are written in, overrides the properties."""
        values = {
            "object": self.sobject,
            "operation": self.operation,
            "externalIdFieldName": self.external_id_field_name,
            "columnDelimiter": dialect.delimiter if dialect else self.column_delimiter,
            "lineEnding": dialect.line_ending if dialect else self.line_ending,
            "contentType": self.content_type,
            "assignmentRuleId": self.assignment_rule_id,
        }
        return {name: value for name, value in values.items() if value is not None}

    def destination(self) -> Destination:
        """Return the job as a destination for rows that are checked before the job exists."""
        return Destination(
            operation=self.operation,
            external_id_field=self.external_id_field_name,
            delimiter=self.column_delimiter,
            line_ending=self.line_ending,
        )


LONGEST_PROPOSAL = 1_000
"""The most characters of proposed columns, and of proposed formats, as JSON, that rows are checked with unasked: next
repeats them."""

AnySource = RowSource | RetryRequest
"""Where rows come from: a source that can be read, or jobs, of which the rows have to be fetched first."""

Source = TypeVar("Source", covariant=True)
OtherSource = TypeVar("OtherSource")


@dataclass(frozen=True, slots=True)
class LoadRequest(Generic[Source]):
    """A request to load rows.

    Attributes:
        source: the source of the rows.
        mapping: the changes of columns and values between the source and the upload.
        preflight: whether the rows are checked before they are sent.
        part: the number of the part to send, from 1; None where all rows fit one job.
        sha256: the SHA-256 of all rows, as an earlier answer gave it; None where the rows may have changed since.
        load_again: whether rows that went into an earlier job may go again.
        compare: the names of the columns that a dry run compares with the org; None for all.
        notes: findings that were made before the plan, and that the plan is to include.
        origin: where the rows come from, for the record of the load; None where that is not known.
        bounds: the bounds of the recipe that the rows are loaded by; None for rows without a recipe.
    """

    source: Source
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    preflight: bool = True
    part: int | None = None
    sha256: str | None = None
    load_again: bool = False
    compare: tuple[str, ...] | None = None
    notes: tuple[Finding, ...] = ()
    origin: LoadOrigin | None = field(default=None, compare=False, repr=False)
    bounds: LoadBounds | None = None

    def with_source(self, source: OtherSource, notes: tuple[Finding, ...] = ()) -> "LoadRequest[OtherSource]":
        """Return the same request for the rows of another source."""
        return LoadRequest(
            source,
            self.mapping,
            self.preflight,
            self.part,
            self.sha256,
            self.load_again,
            self.compare,
            notes,
            self.origin,
            self.bounds,
        )

    def of_fetched(self, source: RowSource, notes: tuple[Finding, ...] = ()) -> "LoadRequest[RowSource]":
        """Return the same request for the rows that were fetched for it, without those on lines that are left out."""
        leave_out = replace(self.mapping.leave_out, lines=ALL_LINES)
        return replace(self.with_source(source, notes), mapping=replace(self.mapping, leave_out=leave_out))

    def to_look(self) -> Self:
        """Return the same request for a dry run: of an undo that is done, it takes what the records held, to look at."""
        source = self.source
        return replace(self, source=replace(source, looks=True)) if isinstance(source, RetryRequest) else self

    def leaving_out(self, found: LeftOutLines, notes: tuple[Finding, ...] = ()) -> Self:
        """Return the same request without the rows that were found to be left out by their records."""
        leave_out = self.mapping.leave_out
        by_record = replace(leave_out.by_record, found=found)
        mapping = replace(self.mapping, leave_out=replace(leave_out, by_record=by_record))
        return replace(self, mapping=mapping, notes=(*self.notes, *notes))

    def with_proposal(self, plan: Plan) -> Self | None:
        """Return the same request with what is proposed for its rows.

        Return None where that would not be all: where nothing is wrong, or nothing proposed; where something else is to be
        settled, or could be meant; where the request is of one part, of known rows, by a recipe, or says something of
        cells; and where the proposal is too long for an answer to repeat it.

        Args:
            plan: the plan of the rows.
        """
        mapping, source, proposed = self.mapping, self.source, (plan.proposal, plan.formats)
        is_guess = plan.encoding is not None and not plan.encoding.is_only_one
        is_open = is_guess or plan.unsettled or plan.not_rows or plan.title_lines
        # What names columns, or their cells, as they are would be about others under the proposed names.
        is_about_cells = mapping.values or mapping.formats or mapping.only or mapping.leave_out.cells or self.compare
        is_chosen = self.bounds is not None or self.part is not None or self.sha256 is not None
        is_long = any(len(as_json(each)) > LONGEST_PROPOSAL for each in proposed)
        if not plan.has_errors or is_open or is_about_cells or is_chosen or is_long:
            return None
        if plan.encoding is not None and isinstance(source, UploadFile):
            source = replace(source, encoding=plan.encoding.name)
        elif not any(proposed):
            return None
        return replace(self, source=source, mapping=mapping.with_proposal(*proposed))

    def check_allowed(self, policy: Policy) -> None:
        """Raise RefusedByPolicy where rows may not be loaded unchecked, or without a recipe."""
        policy.check_preflight(preflight=self.preflight)
        policy.check_recipe(is_by_recipe=self.bounds is not None)

    def check_job(self, job: Job) -> None:
        """Raise OutOfBounds where the rows go by a recipe that is for a job of another kind."""
        if self.bounds is not None:
            self.bounds.check_job(job.object, job.operation, job.external_id_field_name)

    def check_by_record(self, operation: str | None) -> None:
        """Raise InvalidArgument where rows of this operation can't be left out by their records."""
        by_record = self.mapping.leave_out.by_record
        if by_record.match is not None and operation != "upsert":
            raise InvalidArgument(
                "match is for upserts, which alone write new and old records: leave it out.", ("match",), LEFT_OUT
            )
        if by_record.changed_only and operation not in ("update", "upsert"):
            raise InvalidArgument("changedOnly is for updates and upserts: leave it out.", ("changedOnly",), LEFT_OUT)
        if by_record.is_asked and not self.preflight:
            raise InvalidArgument(
                f"{by_record.word} takes rows that are checked: leave preflight out.", ("preflight",), "on"
            )
