"""A cache of describes, Salesforce's descriptions of objects and their fields: several calls of one load need the same."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.text import as_name, as_sentence
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, TimedOut
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe, SObjectSummary
from salesforce_bulk_ingest.validation.columns import likely_parents_of, parents_of, possible_parents_of

KEPT_SECONDS = 300
MOST_KEPT = 20
MOST_PARENTS = 10
MOST_POSSIBLE = 4
"""The most objects that are described only since one of their keys may be in a column of which nothing is known."""
"""The most objects behind relationship columns that are described for one upload: each costs a call to the org."""

PATIENCE_SECONDS = 15
"""How long all describes of one upload may take together: checks must not use up the time that the upload itself needs."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Described:
    """The describes that one upload is checked against, without the describes that the org did not give.

    Attributes:
        sobject: the describe of the upload's object, or None if the org did not give it.
        parents: the describes of the objects that relationship columns lead to, by object name.
        failures: the errors of the describes that the org did not give, by object name.
        until: the time at which the oldest of the describes expires, in seconds on the clock of `DescribeCache`.
    """

    sobject: SObjectDescribe | None
    parents: Mapping[str, SObjectDescribe]
    failures: Mapping[str, SalesforceError]
    until: float

    def report(self, findings: Findings, new: str | None) -> None:
        """Add a warning, which does not keep rows from being sent, for each object that could not be described.

        Args:
            findings: the findings that the warnings are added to.
            new: the API name of the upload's object where its job does not exist yet, else None: no job can be made for an
                object that does not exist, so there is an error instead of a warning.
        """
        for name, error in self.failures.items():
            if name == new and isinstance(error, NotFound):
                what = f"There is no object {as_name(name)} that this user can see, so no job can be made for it."
                do = "Check its API name, such as Account or Invoice__c."
                findings.add("object", "error", what, do, job={"object": "<an object>"})
                continue
            what = (
                f"Columns and values of {as_name(name)} could not be checked against the org: {as_sentence(str(error))}"
            )
            do = (
                "Check the object's name." if isinstance(error, NotFound) else "Try again, or go on without this check."
            )
            findings.add("describe", "warning", what, do, of=name)


class DescribeCache:
    """The describes of one org; the org is asked for each of them at most once in five minutes.

    Args:
        client: the client of the org.
        tasks: runs the calls to the org; callers at the same time share one call.
        clock: returns the time in seconds, from any start.
        patience_seconds: the most seconds that the describes of one upload may take together.
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
        self._cached: OrderedDict[str, tuple[float, SObjectDescribe]] = OrderedDict()
        self._objects: tuple[float, tuple[SObjectSummary, ...]] | None = None

    async def get(self, name: str) -> SObjectDescribe:
        """Return the describe of an object, from the cache or from the org.

        Raises:
            SalesforceError: the org gave no describe; the next caller asks the org again.
        """
        key = name.lower()
        cached = self._fresh(key)
        if cached is not None:
            return cached
        task = self._tasks.start(("describe", key), lambda _: self._ask(key, name))
        return await task.finished()

    async def loadable_objects(self) -> tuple[str, ...]:
        """Return the names of the objects whose records the user may change, from the cache or from the org.

        Raises:
            SalesforceError: the org did not tell them.
        """
        return tuple(each.name for each in await self._all_objects() if each.is_loadable)

    async def key_prefixes(self) -> Mapping[str, str]:
        """Return the first three characters of the ids of each object, by its name; none if the org does not tell them."""
        try:
            with anyio.fail_after(self._patience_seconds):
                return {each.name: each.key_prefix for each in await self._all_objects() if each.key_prefix}
        except (SalesforceError, TimeoutError):
            return {}

    async def _all_objects(self) -> tuple[SObjectSummary, ...]:
        if self._objects is None or self.clock() - self._objects[0] >= KEPT_SECONDS:
            self._objects = self.clock(), await self._client.objects()
        return self._objects[1]

    async def for_upload(self, name: str, header: Sequence[str]) -> Described:
        """Return the describes that an upload is checked against, and the errors of describes that the org did not give.

        Args:
            name: the API name of the upload's object.
            header: the names of the columns of the upload.
        """
        parents: dict[str, SObjectDescribe] = {}
        failures: dict[str, SalesforceError] = {}
        stop_at = anyio.current_time() + self._patience_seconds
        sobject = await self._described(name, stop_at, failures)
        named = parents_of(header, sobject) if sobject else ()
        likely = likely_parents_of(header, sobject) if sobject else ()
        possible = possible_parents_of(header, sobject)[:MOST_POSSIBLE] if sobject else ()
        for parent in tuple(dict.fromkeys((*named, *likely, *possible)))[:MOST_PARENTS]:
            # An object that no column names is described for advice alone, so nobody needs to know of its failure.
            described = await self._described(parent, stop_at, failures if parent in named else {})
            if described is not None:
                parents[parent] = described
        until = min(map(self._expires_at, (name, *parents)))
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
        self._add(key, described)
        return described

    def _expires_at(self, name: str) -> float:
        since, _ = self._cached.get(name.lower(), (self.clock(), None))
        return since + KEPT_SECONDS

    def _fresh(self, key: str) -> SObjectDescribe | None:
        since, described = self._cached.get(key, (0.0, None))
        return described if self.clock() - since < KEPT_SECONDS else None

    def _add(self, key: str, described: SObjectDescribe) -> None:
        self._cached[key] = self.clock(), described
        self._cached.move_to_end(key)
        if len(self._cached) > MOST_KEPT:
            self._cached.popitem(last=False)
