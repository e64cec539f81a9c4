"""Comparisons of rows with the org, as shared tasks: a dry run that ends only stops waiting for its comparison."""

from collections.abc import Sequence

import anyio

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.comparison.compared_columns import FoundBy, RowColumns, row_columns
from salesforce_bulk_ingest.comparison.org_comparison import MORE_CALLS, ROWS_OF_A_CALL, OrgComparer, OrgComparison
from salesforce_bulk_ingest.comparison.record_reader import KeyField, RecordReader
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.columns import columns_of
from salesforce_bulk_ingest.validation.destination import Destination, LoadTarget

PATIENCE_SECONDS = 25.0
"""How long the org is asked for records: less than a call may take, and one that makes a job may wait for its rows, so that
what was seen by then is told."""


class OrgComparisons:
    """Compares rows with the org; equal calls share one comparison.

    Args:
        client: the client of the org.
        describes: the cache of the describes of objects.
        tasks: runs the comparisons.
        hidden: the fields whose cells no answer shows.
        patience_seconds: the most seconds for which the org is asked for the records of one comparison.
    """

    def __init__(
        self,
        client: SalesforceClient,
        describes: DescribeCache,
        tasks: SharedTasks,
        hidden: HiddenFields,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._client = client
        self._describes = describes
        self._tasks = tasks
        self._hidden = hidden
        self._patience_seconds = patience_seconds

    def start(
        self, org: Org, plan: Plan, sobject: str | None, destination: Destination, names: Sequence[str] | None
    ) -> SharedTask[OrgComparison | None] | None:
        """Return the task that compares the rows of a plan with the org; None where they can't be sent as they are anyway.

        The task ends without a comparison where nothing is known of the object.

        Args:
            org: the org.
            plan: the plan of the rows.
            sobject: the object of the rows.
            destination: the job.
            names: the names of the columns to compare, and to look for new rows by; none for no comparison, None for all.

        Raises:
            InvalidArgument: a column that is to be compared is none of the rows.
        """
        sample = plan.sample
        is_asked = names is None or bool(names)
        if not is_asked or not sample or plan.has_errors or sobject is None or destination.operation is None:
            return None
        names = tuple(names or ())
        missing = [name for name in names if name.lower() not in {column.lower() for column in plan.header}]
        if missing:
            raise InvalidArgument(f"compare names {quoted_names(missing)}, which the rows have not.", ("compare",))
        key = ("org", org.key, plan.sha256, sobject, destination.operation, destination.external_id_field, names)
        return self._tasks.start(key, lambda _: self._compare(plan, sample, sobject, destination, names))

    async def _compare(
        self, plan: Plan, sample: RowSample, sobject: str, destination: Destination, names: Sequence[str]
    ) -> OrgComparison | None:
        described = await self._describes.for_upload(sobject, plan.header)
        if described.sobject is None or destination.operation is None:
            return None
        target = LoadTarget.of(described.sobject, destination.operation, destination.external_id_field)
        columns = columns_of(plan.header, described.sobject, described.parents)
        hidden = set[int]()
        if plan.profile is not None:
            hidden = {index for index, each in enumerate(plan.profile.columns) if each.column.is_hidden}
        found = row_columns(columns, target, described.parents, hidden)
        asked = _asked(names, found, target)
        reader = RecordReader(
            self._client,
            len(sample) // ROWS_OF_A_CALL + MORE_CALLS,
            anyio.current_time() + self._patience_seconds,
        )
        hides = self._hidden.on(sobject).hides
        comparer = OrgComparer(reader, sample, found, target, hides=hides, asked=asked)
        return await comparer.compare()


def _asked(names: Sequence[str], columns: RowColumns, target: LoadTarget) -> Sequence[FoundBy]:
    """Return the columns with these names, each with its field."""
    wanted = {name.lower() for name in names}
    return [
        (column, KeyField(target.describe.name, column.path, target.describe.field(column.path)))
        for column in columns.compared
        if column.name.lower() in wanted
    ]
