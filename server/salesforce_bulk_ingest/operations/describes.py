"""A cache of describes: what the org says of its objects, kept for some minutes, since several calls of one load need it."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.text import as_sentence
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, TimedOut
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.columns import parents_of

KEPT_SECONDS = 300
MOST_KEPT = 20
MOST_PARENTS = 10
"""The most objects behind relationship columns that are described for one upload: each costs a call to the org."""

PATIENCE_SECONDS = 15
"""How long all describes of one upload may take together: checks must not use up the time that the upload itself needs."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Described:
    """The describes that one upload is checked against, as far as the org gave them.

    Attributes:
        sobject: the describe of the upload's object, or None if the org gave none.
        parents: the describes of the objects that relationship columns lead to, by object name.
        failures: why the org gave no describe, by object name.
        until: when the oldest of these describes expires, in seconds on the clock of `DescribeCache`.
    """

    sobject: SObjectDescribe | None
    parents: Mapping[str, SObjectDescribe]
    failures: Mapping[str, SalesforceError]
    until: float

    def report(self, findings: Findings, new: str | None) -> None:
        """Add a warning for each object that could not be described, which keeps nobody from uploading.

        Args:
            findings: takes the warnings.
            new: the name of the object, where its job is not made yet: an object that does not exist is then an error.
        """
        for name, error in self.failures.items():
            if name == new and isinstance(error, NotFound):
                what = f"There is no object {name} that this user can see, so no job can be made for it."
                findings.add("object", "error", what, "Check its API name, such as Account or Invoice__c.")
                continue
            what = f"Columns and values of {name} could not be checked against the org: {as_sentence(str(error))}"
            do = (
                "Check the object's name." if isinstance(error, NotFound) else "Try again, or go on without this check."
            )
            findings.add(f"describe of {name}", "warning", what, do)


class DescribeCache:
    """Describes of one org, each asked for once in some minutes.

    Args:
        client: the client of the org.
        tasks: runs the calls to the org; callers at the same time share one.
        clock: the time in seconds, from any start.
        patience_seconds: how long the describes of one upload are waited for.
    """

    def __init__(
        self,
        client: SalesforceClient,
        tasks: SharedTasks,
        clock: Clock = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.clock = clock
        self._client = client
        self._tasks = tasks
        self._patience_seconds = patience_seconds
        self._kept: OrderedDict[str, tuple[float, SObjectDescribe]] = OrderedDict()

    async def get(self, name: str) -> SObjectDescribe:
        """Return the describe of an object, from the cache or from the org.

        Raises:
            SalesforceError: the org gave none; the next caller asks again.
        """
        key = name.lower()
        kept = self._fresh(key)
        if kept is not None:
            return kept
        task = self._tasks.start(("describe", key), lambda _: self._ask(key, name))
        return await task.finished()

    async def for_upload(self, name: str, header: Sequence[str]) -> Described:
        """Return the describes that an upload is checked against. An org that gives none is no error.

        Args:
            name: the API name of the upload's object.
            header: the columns that go out.
        """
        parents: dict[str, SObjectDescribe] = {}
        failures: dict[str, SalesforceError] = {}
        stop_at = anyio.current_time() + self._patience_seconds
        sobject = await self._described(name, stop_at, failures)
        for parent in parents_of(header, sobject)[:MOST_PARENTS] if sobject else ():
            described = await self._described(parent, stop_at, failures)
            if described is not None:
                parents[parent] = described
        until = min(map(self._until, (name, *parents)))
        return Described(sobject, parents, failures, until)

    async def _described(
        self, name: str, stop_at: float, failures: dict[str, SalesforceError]
    ) -> SObjectDescribe | None:
        try:
            with anyio.fail_after(stop_at - anyio.current_time()):
                return await self.get(name)
        except TimeoutError:
            failures[name] = TimedOut(f"Salesforce did not answer within {self._patience_seconds} s.")
        except SalesforceError as error:
            failures[name] = error
        return None

    async def _ask(self, key: str, name: str) -> SObjectDescribe:
        described = await self._client.describe(name)
        self._keep(key, described)
        return described

    def _until(self, name: str) -> float:
        since, _ = self._kept.get(name.lower(), (self.clock(), None))
        return since + KEPT_SECONDS

    def _fresh(self, key: str) -> SObjectDescribe | None:
        since, described = self._kept.get(key, (0.0, None))
        return described if self.clock() - since < KEPT_SECONDS else None

    def _keep(self, key: str, described: SObjectDescribe) -> None:
        self._kept[key] = self.clock(), described
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
