"""Comparisons of rows with the org, as shared tasks: a dry run that ends only stops waiting for its comparison."""

import math
from collections.abc import Sequence

import anyio

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy, SourceChanged
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.comparison.compared_columns import FoundBy, RowColumns, row_columns
from salesforce_bulk_ingest.comparison.org_comparison import MORE_CALLS, ROWS_OF_A_CALL, OrgComparer, OrgComparison
from salesforce_bulk_ingest.comparison.record_filter import LookedAt, NotSeen, RecordFilter
from salesforce_bulk_ingest.comparison.record_reader import KeyField, RecordReader
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.by_record import ByRecord
from salesforce_bulk_ingest.loading.column_names import check_names
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.errors import RecordsUnseen
from salesforce_bulk_ingest.operations.limits import RECORDS_SECONDS
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.columns import FieldColumn, columns_of
from salesforce_bulk_ingest.validation.destination import Destination, LoadTarget

ROWS_OF_A_LOOK = 50
"""A look for rows to leave out makes at most one call to the org for so many rows, and `MORE_CALLS`: it has to be whole, and
of long keys few fit in a query."""


class OrgComparisons:
    """Compares rows with the org; equal calls share one comparison.

    Args:
        client: the client of the org.
        describes: the cache of the describes of objects.
        tasks: runs the comparisons.
        hidden: the fields whose cells no answer shows.
        most_rows: the maximum number of rows whose records are looked for to leave rows out by them; 0 for none.
        patience_seconds: the most seconds for which the org is asked for the records of one comparison.
    """

    def __init__(
        self,
        client: SalesforceClient,
        describes: DescribeCache,
        tasks: SharedTasks,
        hidden: HiddenFields,
        *,
        most_rows: int = 0,
        patience_seconds: float = RECORDS_SECONDS,
    ) -> None:
        self._most_rows = most_rows
        self._client = client
        self._describes = describes
        self._tasks = tasks
        self._hidden = hidden
        self._patience_seconds = patience_seconds

    def start(
        self,
        org: Org,
        plan: Plan,
        sobject: str | None,
        destination: Destination,
        names: Sequence[str] | None,
        *,
        seconds: float = math.inf,
    ) -> SharedTask[OrgComparison | None] | None:
        """Return the task that compares the rows of a plan with the org; None where they can't be sent as they are anyway.

        The task ends without a comparison where nothing is known of the object, or no column of rows that have to name
        records does.

        Args:
            org: the org.
            plan: the plan of the rows.
            sobject: the object of the rows.
            destination: the job.
            names: the names of the columns to compare, and to look for new rows by; none for no comparison, None for all.
            seconds: the most seconds for which the org is asked, if that is less than its patience.

        Raises:
            InvalidArgument: a column that is to be compared is none of the rows.
        """
        sample = plan.sample
        is_asked = names is None or bool(names)
        if not is_asked or not sample or plan.has_errors or sobject is None or destination.operation is None:
            return None
        names = tuple(names or ())
        check_names("compare", names, plan.header)
        into = (sobject, destination.operation, destination.external_id_field, destination.gives_back)
        key = ("org", org.key, plan.sha256, *into, names)
        return self._tasks.start(key, lambda _: self._compare(plan, sample, sobject, destination, names, seconds))

    async def _compare(
        self,
        plan: Plan,
        sample: RowSample,
        sobject: str,
        destination: Destination,
        names: Sequence[str],
        seconds: float,
    ) -> OrgComparison | None:
        described = await self._describes.for_upload(sobject, plan.header)
        if described.sobject is None or destination.operation is None:
            return None
        target = LoadTarget.of(described.sobject, destination.operation, destination.external_id_field)
        columns = columns_of(plan.header, described.sobject, described.parents)
        hidden = set[int]()
        if plan.profile is not None:
            hidden = {index for index, each in enumerate(plan.profile.columns) if each.column.is_hidden}
        is_of_several = any(isinstance(column, FieldColumn) and column.has_ids_of_several for column in columns)
        prefixes = await self._describes.key_prefixes() if is_of_several and not target.deletes else {}
        found = row_columns(columns, target, described.parents, hidden, prefixes)
        if found.key is None and target.needs_keys:
            return None
        asked = _asked(names, found, target)
        reader = self._reader(len(sample) // ROWS_OF_A_CALL + MORE_CALLS, seconds)
        hides = self._hidden.on(sobject).hides
        gives_back = destination.gives_back
        comparer = OrgComparer(reader, sample, found, target, hides=hides, asked=asked, gives_back=gives_back)
        return await comparer.compare()

    def look(
        self, org: Org, plan: Plan, sobject: str | None, destination: Destination, asked: ByRecord
    ) -> SharedTask[LookedAt]:
        """Return the task that finds the rows of a plan that are left out by their records.

        The task ends with RecordsUnseen where the org does not show the records.

        Args:
            org: the org.
            plan: the plan of the rows, which has no errors.
            sobject: the object of the rows.
            destination: the job.
            asked: how rows are left out.

        Raises:
            InvalidArgument: these are more rows than may be looked for.
            RefusedByPolicy: the operator hides the keys, which the rows that are left out would tell.
        """
        hidden = [column.fills for column in plan.columns if column.is_key and column.is_hidden]
        if hidden:
            what = f"The operator hides the cells of {quoted_names(map(str, hidden))} (hide_fields)"
            raise RefusedByPolicy(f"{what}, so no rows are left out by the records that these name.")
        if plan.rows > self._most_rows:
            raise InvalidArgument(_too_many(plan.rows, self._most_rows), (asked.word,))
        key = ("look", org.key, plan.sha256, sobject, destination.operation, destination.external_id_field, asked)
        return self._tasks.start(repr(key), lambda task: self._look(task, plan, sobject or "", destination, asked))

    async def _look(
        self, task: SharedTask[LookedAt], plan: Plan, sobject: str, destination: Destination, asked: ByRecord
    ) -> LookedAt:
        task.done_bytes = plan.size  # all of them are checked
        described = await self._describes.for_upload(sobject, plan.header)
        if described.sobject is None:
            failure = next(iter(described.failures.values()), "")
            raise RecordsUnseen(f"The object could not be looked at. {failure}".strip())
        target = LoadTarget.of(described.sobject, destination.operation or "", destination.external_id_field)
        hidden = {index for index, column in enumerate(plan.columns) if column.is_hidden}
        named = columns_of(plan.header, described.sobject, described.parents)
        columns = row_columns(named, target, described.parents, hidden)
        if columns.key is None or not columns.key[1].can_find:
            raise RecordsUnseen("No column of the rows finds their records.")
        reader = self._reader(plan.rows // ROWS_OF_A_LOOK + MORE_CALLS)
        try:
            return await RecordFilter(reader, asked, columns.key, columns, target).look(plan.mapped_source)
        except NotSeen as reason:
            raise RecordsUnseen(str(reason)) from None
        except EndlessRecord:
            raise SourceChanged("The rows have changed since they were checked.") from None

    def _reader(self, most_calls: int, seconds: float = math.inf) -> RecordReader:
        until = anyio.current_time() + min(self._patience_seconds, seconds)
        return RecordReader(self._client, most_calls, until)


def _too_many(rows: int, most: int) -> str:
    if not most:
        return "match and changedOnly look at records, and the operator switched that off (--compare-rows 0)."
    return (
        f"match and changedOnly look at the record of each row, of {most:,} rows at most (--compare-rows), and these are "
        f"{rows:,}: split them, or ask the operator for more."
    )


def _asked(names: Sequence[str], columns: RowColumns, target: LoadTarget) -> Sequence[FoundBy]:
    """Return the columns with these names, each with its field."""
    wanted = {name.lower() for name in names}
    return [
        (column, KeyField(target.describe.name, column.path, target.describe.field(column.path)))
        for column in columns.compared
        if column.name.lower() in wanted
    ]
