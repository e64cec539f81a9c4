"""A create whose answer is lost: the search for the open jobs of which one may be its job."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import anyio

from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.operations.errors import CreateUnanswered
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError, UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.retries import Action, Operation, action_after

SEARCH_SECONDS = 10.0
"""The most seconds of a search: a create waits 30 s for its answer, and a tool call lasts 45 s."""

CLOCK_MARGIN = timedelta(seconds=5)
"""How much earlier than the call a job may seem to be made: both times are whole seconds, of clocks of several servers."""

MOST_NAMED = 5

IsEarlier = Callable[[Job], Awaitable[bool]]
"""Returns whether this server knows the job as an earlier one, so that a new create can't have made it."""


async def create_job(
    client: SalesforceClient,
    body: Mapping[str, object],
    is_earlier: IsEarlier,
    seconds_left: Callable[[], float] = lambda: SEARCH_SECONDS,
) -> Job:
    """Make a job.

    Args:
        client: the client of the org.
        body: the body of the request.
        is_earlier: tells the jobs of earlier loads. An answer about one of them is no answer to this create.
        seconds_left: returns the seconds that are left for the search after a lost answer.

    Raises:
        CreateUnanswered: the answer is lost; the message names the open jobs of which one may be the job of this call.
        SalesforceError: no job was made.
    """
    began = anyio.current_time()
    try:
        job = await client.create_job(body)
        if await is_earlier(job):
            raise UnexpectedAnswer("Asked for a new job, Salesforce answered about the job of an earlier load.")
        return job
    except SalesforceError as error:
        if action_after(Operation.CREATE, error) is not Action.SEARCH:
            raise
        search = _Search(client, body, is_earlier, began)
        await search.run(min(seconds_left(), SEARCH_SECONDS))
        raise CreateUnanswered(error, search.outcome(), names_jobs=bool(search.found)) from error


@dataclass(slots=True)
class _Search:
    """A search of the list of jobs, page by page.

    Attributes:
        client: the client of the org.
        body: the body of the create.
        is_earlier: tells the jobs of earlier loads.
        began: when the create began, on the clock of the event loop.
        user_id: the id of this user; None where the login does not tell it.
        found: the ids of the jobs found so far.
        problem: why the search ended before the last page; None if it did not.
    """

    client: SalesforceClient
    body: Mapping[str, object]
    is_earlier: IsEarlier
    began: float
    user_id: str | None = None
    found: list[str] = field(default_factory=list)
    problem: str | None = None

    async def run(self, seconds: float) -> None:
        """Read all pages of the list, for at most this many seconds."""
        try:
            with anyio.fail_after(seconds):
                user = await self.client.identity()
                self.user_id = user.user_id if user else None
                await self._read_pages()
        except TimeoutError:
            self.problem = "in time"
        except SalesforceError as error:
            self.problem = f"({str(error).removesuffix('.')})"

    async def _read_pages(self) -> None:
        since, locator = None, None
        while True:
            filters = {"jobType": "V2Ingest"} | ({"queryLocator": locator} if locator else {})
            page = await self.client.list_jobs(urlencode(filters))
            if page.read_at is not None and since is None:
                # By the org's clock, which this machine's need not agree with.
                since = page.read_at - timedelta(seconds=anyio.current_time() - self.began) - CLOCK_MARGIN
            found = [job.id for job in page.records if self._may_be(job, since) and not await self.is_earlier(job)]
            self.found = list(dict.fromkeys([*self.found, *found]))
            locator = page.query_locator
            if locator is None:
                return

    def _may_be(self, job: Job, since: datetime | None) -> bool:
        """Return whether the create may have made this job."""
        return (
            job.state == "Open"
            and (job.object or "").lower() == str(self.body["object"]).lower()
            and job.operation == self.body["operation"]
            and (self.user_id is None or (job.created_by_id or "")[:15] == self.user_id[:15])
            and (since is None or job.created_at is None or job.created_at >= since)
        )

    def outcome(self) -> str:
        """Return the sentences about the jobs that were found."""
        whose = "of this user" if self.user_id else "of all users"
        kind = f"{whose} for {as_name(str(self.body['operation']))} {as_name(str(self.body['object']))}"
        unread = "" if self.problem is None else f"The list of jobs could not be read to its end {self.problem}. "
        if not self.found:
            none = "No such job" if unread else f"No open job {kind}, made since the call began,"
            return f"{unread}{none} was found."
        named = ", ".join(self.found[:MOST_NAMED])
        more = len(self.found) - MOST_NAMED
        others = f" and {more:,} more" if more > 0 else ""
        return (
            f"{unread}Open jobs {kind}, made since the call began: {named}{others}; any of them may be another call's."
        )
