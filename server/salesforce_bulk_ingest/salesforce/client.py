"""The client of Salesforce: the ingest resources of Bulk API 2.0, describes, and the user of the token.

Statuses, paths and bodies: Bulk API 2.0 and Bulk API Developer Guide, one page for each endpoint.
"""

import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import anyio
import httpx2
from pydantic import BaseModel, TypeAdapter

from salesforce_bulk_ingest.base.text import as_name, quoted
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.credentials import Credentials, CredentialSource
from salesforce_bulk_ingest.salesforce.errors import (
    NotFound,
    SalesforceError,
    SessionExpired,
    UnexpectedAnswer,
)
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id, is_same_job
from salesforce_bulk_ingest.salesforce.models import (
    Identity,
    Job,
    JobList,
    OrgLimits,
    Permissions,
    PermissionsFound,
    QueryPage,
    ResultKind,
    SObjectDescribe,
    SObjectList,
    SObjectSummary,
)
from salesforce_bulk_ingest.salesforce.org import Org, org_at
from salesforce_bulk_ingest.salesforce.org_record import as_named
from salesforce_bulk_ingest.salesforce.parsing import about_other, parsed
from salesforce_bulk_ingest.salesforce.retries import Operation, may_have_happened, retrying
from salesforce_bulk_ingest.salesforce.transport import (
    JSON_CALL_SECONDS,
    Transport,
    answered_at,
    body_of,
    deadline,
    decoded,
    raise_for_status,
)
from salesforce_bulk_ingest.salesforce.user_info import user_of

SAFE_IN_QUERY = "',()=.:"
"""What stands in the query string of a query as it is, beside letters and digits: the length of a URI is limited."""

WRITE_SECONDS = 30
"""The most seconds of a create, a close or an abort: what is left of a tool's call is for looking what became of it."""

Settle = Callable[[Org], Awaitable[Org]]

ModelT = TypeVar("ModelT", bound=BaseModel)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Login:
    """What one login opens.

    Attributes:
        credentials: the instance and the token.
        user: the user whom the token belongs to, or None where the login does not tell it.
        org: the org.
    """

    credentials: Credentials
    user: Identity | None
    org: Org


async def _as_it_is(org: Org) -> Org:
    return org


class SalesforceClient:
    """The client of one org.

    Args:
        http: the connection pool.
        source: gives the credentials.
        api_version: the API version of its calls, such as `63.0`.
        embedded: whether the org is the embedded one, whose address differs at every start.
        call_seconds: the most seconds of a call that carries no rows, all its tries included.
        settle: called once with the org of each login, before anyone gets the org, so that the records on this machine are
            under its key by then; returns the org, with the organization that the records know where the login tells none.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        source: CredentialSource,
        api_version: str,
        *,
        embedded: bool = False,
        call_seconds: float = JSON_CALL_SECONDS,
        settle: Settle = _as_it_is,
    ) -> None:
        self._http = http
        self._transport = Transport(http, source, api_version)
        self._call_seconds = call_seconds
        self._embedded = embedded
        self._settle = settle
        self._login: _Login | None = None
        self._asking = anyio.Lock(fast_acquire=True)
        self._named: tuple[_Login, Org] | None = None
        self._naming = anyio.Lock(fast_acquire=True)
        self.api_version = api_version

    async def org(self) -> Org:
        """Return the org that the credentials open, with the name that it tells, for answers; see `organization`.

        The name is asked for once for each login. An org that does not tell it goes by its host.
        """
        login = await self._logged_in()
        if self._embedded:
            return login.org
        async with self._naming:
            if self._named is None or self._named[0] is not login:
                self._named = (login, await as_named(login.org, self._http, login.credentials, self.api_version))
            return self._named[1]

    async def organization(self) -> Org:
        """Return the org that the credentials open, without its name; its organization is asked for once for each login.

        Raises:
            NoCredentials: no org is configured, or the login failed.
            SalesforceError: the organization can't be learned just now. The host does not replace it then: what one call
                recorded under the host, a later call would not find under the organization.
        """
        return (await self._logged_in()).org

    @property
    def known_org(self) -> Org | None:
        """The org that the last login opened; None if nothing has been asked of it yet."""
        return None if self._login is None else self._login.org

    async def identity(self) -> Identity | None:
        """Return the user whom the access token belongs to, or None where the login does not tell it.

        The user is asked for once for each login.

        Raises:
            SessionExpired: the token is not valid, and there is no other.
        """
        return (await self._logged_in()).user

    async def address(self) -> Org:
        """Return the org as far as its address tells it; Salesforce is not asked.

        Raises:
            NoCredentials: no org is configured, or the login failed.
        """
        return self._org_of(await self._transport.credentials())

    async def create_job(self, body: Mapping[str, object]) -> Job:
        """Make a job in state Open.

        Raises:
            UnexpectedAnswer: the answer is not about such a job; one may have been made all the same.
        """
        call = Call("POST", headers=_JSON_HEADERS, content=_dump(body))
        job = await self._json(Operation.CREATE, Job, call, "a new job", WRITE_SECONDS)
        for name, asked, answered in (
            ("object", body.get("object"), job.object),
            ("operation", body.get("operation"), job.operation),
            ("state", "Open", job.state),
        ):
            if answered is not None and not _is_same_name(str(asked), answered):
                raise about_other(f"a new job with the {name} {as_name(str(asked))}", f"one with {quoted(answered)}")
        return job

    async def get_job(self, job_id: str, *, api_version: str | None = None) -> Job:
        """Return the job's state and counters.

        Raises:
            InvalidJobId: this can't be the id of a job.
            NotFound: the job does not exist, or not any more.
            UnexpectedAnswer: the answer is about another job.
        """
        call = Call("GET", _path_of(job_id), headers=_ACCEPT_JSON, api_version=api_version)
        return _checked(await self._json(Operation.READ, Job, call, f"job {job_id}"), job_id)

    async def list_jobs(self, query: str = "") -> JobList:
        """Return one page of the org's jobs, with the time of the answer.

        Args:
            query: the raw query string, with `isPkChunkingEnabled`, `jobType` and `queryLocator`.
        """
        body, at = await self._body(Operation.READ, Call("GET", query=query, headers=_ACCEPT_JSON))
        return parsed(JobList, body, "the list of jobs").model_copy(update={"read_at": at})

    async def set_state(self, job_id: str, state: str) -> Job:
        """Close (`UploadComplete`) or abort (`Aborted`) the job.

        Raises:
            WrongState: the job's state does not allow it.
            UnexpectedAnswer: the answer is about another job.
        """
        call = Call("PATCH", _path_of(job_id), headers=_JSON_HEADERS, content=_dump({"state": state}))
        return _checked(await self._json(Operation.CHANGE, Job, call, f"job {job_id}", WRITE_SECONDS), job_id)

    async def delete_job(self, job_id: str) -> None:
        """Remove the job and its stored data from the org; records stay as they are.

        Raises:
            NotFound: the job does not exist. After an attempt that may have deleted it, that is no error.
        """
        may_be_gone = False
        with deadline(self._call_seconds):
            async for attempt in retrying(Operation.DELETE):
                with attempt:
                    try:
                        return await self._delete_once(job_id)
                    except NotFound:
                        if may_be_gone:
                            return None
                        raise
                    except SalesforceError as error:
                        may_be_gone = may_be_gone or may_have_happened(error)
                        raise

    async def _delete_once(self, job_id: str) -> None:
        async with self._transport.open(Call("DELETE", _path_of(job_id))) as response:
            await raise_for_status(response)
            if response.status_code != 204:
                raise UnexpectedAnswer(f"The delete was answered with status {response.status_code}, not 204.")

    async def upload(self, job_id: str, content: bytes | AsyncIterable[bytes], size: int | None = None) -> None:
        """Send the job's rows. Salesforce takes rows once for each job, so they are sent again only if none of them left.

        Args:
            job_id: the id of an open job that has no rows yet.
            content: the rows; after a refused session they are sent again, if they can be read again.
            size: the number of bytes, where the content has no length.
        """
        headers = [("Content-Type", "text/csv; charset=UTF-8")]
        if size is not None:
            headers.append(("Content-Length", str(size)))
        call = Call("PUT", f"{_path_of(job_id)}/batches", headers=headers, content=content, carries_rows=True)
        async with self._opened(Operation.UPLOAD, call) as response:
            if response.status_code != 201:
                raise UnexpectedAnswer(f"The upload was answered with status {response.status_code}, not 201.")

    @asynccontextmanager
    async def results(self, job_id: str, kind: ResultKind) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open one result and yield its bytes, decompressed, in chunks; no chunk where Salesforce has no rows (204)."""
        headers = [("Accept", "text/csv"), ("Accept-Encoding", "gzip")]
        call = Call("GET", f"{_path_of(job_id)}/{kind}", headers=headers, carries_rows=True)
        async with self._opened(Operation.RESULT, call) as response:
            if response.status_code not in (200, 204) or (response.status_code == 200 and not _is_csv(response)):
                raise UnexpectedAnswer("The result is not CSV: is the instance right, and not in maintenance?")
            yield decoded(response)

    async def objects(self) -> tuple[SObjectSummary, ...]:
        """Return all objects that the user may see, without their fields (REST API guide, Describe Global)."""
        call = Call("GET", headers=_COMPRESSED_JSON, resource="/sobjects")
        return (await self._json(Operation.READ, SObjectList, call, "the list of objects")).sobjects

    async def describe(self, sobject: str) -> SObjectDescribe:
        """Return what the user may do with an object and its fields (REST API guide, sObject Describe).

        Args:
            sobject: the API name of the object, in any case.

        Raises:
            NotFound: there is no such object, or the user may not see it.
            UnexpectedAnswer: the answer is about another object.
        """
        call = Call("GET", f"/{quote(sobject, safe='')}/describe", headers=_COMPRESSED_JSON, resource="/sobjects")
        asked = f"the describe of {as_name(sobject)}"
        described = await self._json(Operation.READ, SObjectDescribe, call, asked)
        if not _is_same_name(sobject, described.name):
            raise about_other(asked, quoted(described.name))
        return described

    @property
    def can_renew(self) -> bool:
        """Whether a session that has ended can be renewed."""
        return self._transport.can_renew

    async def limits(self) -> OrgLimits:
        """Return what is left of the org's daily allocations (REST API guide, Limits).

        Raises:
            Rejected: the user may not see them, for want of the permission "View Setup and Configuration".
        """
        call = Call("GET", headers=_ACCEPT_JSON, resource="/limits")
        return await self._json(Operation.READ, OrgLimits, call, "the limits")

    async def permissions(self) -> Permissions:
        """Return what the user of the token may do (Object Reference, UserPermissionAccess: from API version 41.0 on).

        Raises:
            Rejected: the org does not tell them.
        """
        call = Call("GET", query=query_of(_PERMISSIONS), headers=_ACCEPT_JSON, resource="/query")
        return (await self._json(Operation.READ, PermissionsFound, call, "the user's permissions")).records[0]

    async def query(self, soql: str) -> QueryPage:
        """Return the first page of the records that a query finds (REST API guide, Query)."""
        return await self._query_page(Call("GET", query=query_of(soql), headers=_COMPRESSED_JSON, resource="/query"))

    async def query_more(self, locator: str) -> QueryPage:
        """Return a further page of a query, by the locator that the page before gave."""
        call = Call("GET", f"/{quote(locator, safe='')}", headers=_COMPRESSED_JSON, resource="/query")
        return await self._query_page(call)

    async def _query_page(self, call: Call) -> QueryPage:
        page = await self._json(Operation.READ, QueryPage, call, "the records of a query")
        if not page.done and page.locator is None:
            raise UnexpectedAnswer("The answer to a query names no further page, and is not done.")
        return page

    def open(self, call: Call) -> AbstractAsyncContextManager[httpx2.Response]:
        """Send any call and yield the answer with its body unread; see `Transport.open`."""
        return self._transport.open(call)

    def _org_of(self, credentials: Credentials) -> Org:
        return org_at(credentials.instance_url, embedded=self._embedded)

    async def _logged_in(self) -> _Login:
        # Around the lock, too: calls that wait for a first call must not each wait anew.
        with deadline(self._call_seconds):
            async with self._asking:
                credentials = await self._transport.credentials()
                if self._login is None or self._login.credentials != credentials:
                    self._login = await self._ask(credentials)
                return self._login

    async def _ask(self, credentials: Credentials) -> _Login:
        async for attempt in retrying(Operation.READ):
            with attempt:
                try:
                    return await self._login_of(credentials)
                except SessionExpired:
                    renewed = await self._transport.renew(credentials)
                    if renewed is None:
                        raise
                    credentials = renewed
                    return await self._login_of(credentials)
        raise AssertionError("retry_context ends with a result or an exception")

    async def _login_of(self, credentials: Credentials) -> _Login:
        org = self._org_of(credentials)
        user = await user_of(self._http, credentials)
        if user is not None and user.organization_id is not None:
            org = replace(org, organization_id=user.organization_id)
        else:
            logger.warning("%s does not tell this login its organization; its records are kept by its host name", org)
        return _Login(credentials, user, await self._settle(org))

    @asynccontextmanager
    async def _opened(self, operation: Operation, call: Call) -> AsyncIterator[httpx2.Response]:
        """Send a call, again as its operation allows, and yield the answer, which is a success, with its body unread."""
        async with AsyncExitStack() as stack:
            async for attempt in retrying(operation):
                with attempt:
                    response = await self._entered(call, stack)
            yield response

    async def _entered(self, call: Call, stack: AsyncExitStack) -> httpx2.Response:
        async with AsyncExitStack() as opened:
            response = await opened.enter_async_context(self._transport.open(call))
            await raise_for_status(response)
            stack.push_async_exit(opened.pop_all())
        return response

    async def _json(
        self, operation: Operation, model: type[ModelT], call: Call, asked: str, seconds: float = JSON_CALL_SECONDS
    ) -> ModelT:
        return parsed(model, (await self._body(operation, call, seconds))[0], asked)

    async def _body(
        self, operation: Operation, call: Call, seconds: float = JSON_CALL_SECONDS
    ) -> tuple[bytes, datetime | None]:
        """Return the body of an answer, and the time of the answer."""
        with deadline(min(seconds, self._call_seconds)):
            async for attempt in retrying(operation):
                with attempt:
                    async with self._transport.open(call) as response:
                        await raise_for_status(response)
                        return await body_of(response), answered_at(response)
        raise AssertionError("the attempts end with an answer or an error")


_PERMISSIONS = "SELECT PermissionsBulkApiHardDelete FROM UserPermissionAccess"
_BODY = TypeAdapter(dict[str, object])
_ACCEPT_JSON = [("Accept", "application/json")]
_COMPRESSED_JSON = [*_ACCEPT_JSON, ("Accept-Encoding", "gzip")]
_JSON_HEADERS = [*_ACCEPT_JSON, ("Content-Type", "application/json; charset=UTF-8")]


def query_of(soql: str) -> str:
    """Return the query string of a query."""
    return f"q={quote(soql, safe=SAFE_IN_QUERY, errors='replace')}"


def _dump(body: Mapping[str, object]) -> bytes:
    return _BODY.dump_json(dict(body))


def _path_of(job_id: str) -> str:
    """Return the path of a job, or raise InvalidJobId: another text would be the path of another resource."""
    return f"/{checked_job_id(job_id)}"


def _checked(job: Job, job_id: str) -> Job:
    """Return the job, which has to be the one that was asked for: a proxy may mix up answers."""
    if not is_same_job(job.id, job_id):
        raise about_other(f"job {job_id}", f"job {job.id}")
    return job


def _is_same_name(asked: str, answered: str) -> bool:
    """Return whether two API names are the same, in any case; a name in an answer may begin with the org's namespace."""
    return answered.lower() == asked.lower() or answered.lower().endswith(f"__{asked.lower()}")


def _is_csv(response: httpx2.Response) -> bool:
    given: str = response.headers.get("Content-Type", "text/csv")
    return given.partition(";")[0].strip().lower() == "text/csv"
