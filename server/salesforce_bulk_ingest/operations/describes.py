"""What the org says of its objects, kept for some minutes: several calls of one load ask for the same."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, TimedOut
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.columns import parents_of

KEPT_SECONDS = 300
MOST_KEPT = 20
MOST_PARENTS = 10
"""More relationships than a file has; each is a call to the org."""

PATIENCE_SECONDS = 15
"""For all describes of one upload: checks must not take the time that the upload itself needs."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Described:
    """An object and its parents, as far as the org described them.

    Attributes:
        sobject: the object; None where the org did not describe it.
        parents: by name.
        failures: why the others are not here, by name.
        until: when the first of them has to be asked for again, on the clock of `DescribeCache`.
    """

    sobject: SObjectDescribe | None
    parents: Mapping[str, SObjectDescribe]
    failures: Mapping[str, SalesforceError]
    until: float

    def report(self, findings: Findings, new: str | None) -> None:
        """One warning for each object that could not be described; it keeps nobody from uploading.

        Args:
            findings: where it goes.
            new: the object that a job is still to be made for: if there is none of that name, none can be made.
        """
        for name, error in self.failures.items():
            if name == new and isinstance(error, NotFound):
                what = f"There is no object {name} that this user can see, so no job can be made for it."
                findings.add("object", "error", what, "Check its API name, such as Account or Invoice__c.")
                continue
            what = f"Columns and values of {name} could not be checked against the org: {_as_sentence(str(error))}"
            do = (
                "Check the object's name." if isinstance(error, NotFound) else "Try again, or go on without this check."
            )
            findings.add(f"describe of {name}", "warning", what, do)


@dataclass(slots=True)
class _Asking:
    """A describe on its way."""

    done: anyio.Event = field(default_factory=anyio.Event)
    error: SalesforceError | None = None


class DescribeCache:
    """The describes of one org.

    Args:
        client: asks for them.
        clock: seconds that only go forward.
    """

    def __init__(self, client: SalesforceClient, clock: Clock = time.monotonic) -> None:
        self._client = client
        self.clock = clock
        self._kept: OrderedDict[str, tuple[float, SObjectDescribe]] = OrderedDict()
        self._asking: dict[str, _Asking] = {}

    async def get(self, name: str) -> SObjectDescribe:
        """The describe of an object; callers at the same time share one call.

        Raises:
            SalesforceError: the org gave none; the next caller asks again.
        """
        key = name.lower()
        while (kept := self._fresh(key)) is None:
            asking = self._asking.get(key)
            if asking is None:
                return await self._ask(key, name)
            await asking.done.wait()
            if asking.error is not None:
                raise asking.error
        return kept

    async def of_upload(self, name: str, header: Sequence[str]) -> Described:
        """The object of an upload, and those that its header reaches through relationships. Never raises for want of them.

        Args:
            name: of the object.
            header: of what goes out.
        """
        parents: dict[str, SObjectDescribe] = {}
        failures: dict[str, SalesforceError] = {}
        stop_at = anyio.current_time() + PATIENCE_SECONDS
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
            failures[name] = TimedOut(f"Salesforce did not answer within {PATIENCE_SECONDS} s.")
        except SalesforceError as error:
            failures[name] = error
        return None

    async def _ask(self, key: str, name: str) -> SObjectDescribe:
        asking = self._asking[key] = _Asking()
        try:
            described = await self._client.describe(name)
            self._keep(key, described)
        except SalesforceError as error:
            asking.error = error
            raise
        finally:  # cancelled, it leaves the others to ask for themselves
            del self._asking[key]
            asking.done.set()
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


def _as_sentence(message: str) -> str:
    """Salesforce's own messages come with and without a full stop."""
    return message if message.endswith((".", "!", "?")) else f"{message}."
