"""Calls of each kind, for tests that make all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from tests.salesforce.upstream import JOB_ID, Answer

Method = Callable[[SalesforceClient], Awaitable[object]]


SESSION_EXPIRED = Answer.of([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)


async def _rows() -> AsyncIterator[bytes]:
    yield b"Name\n"
    yield b"Ann\n"


async def _read_failed_results(client: SalesforceClient) -> bytes:
    async with client.results(JOB_ID, "failedResults") as chunks:
        return b"".join([chunk async for chunk in chunks])


READS: dict[str, Method] = {
    "get_job": lambda c: c.get_job(JOB_ID),
    "list_jobs": lambda c: c.list_jobs(),
    "describe": lambda c: c.describe("Account"),
}


WRITES: dict[str, Method] = {
    "create_job": lambda c: c.create_job({"object": "Account", "operation": "insert"}),
    "set_state": lambda c: c.set_state(JOB_ID, "UploadComplete"),
    "delete_job": lambda c: c.delete_job(JOB_ID),
    "upload": lambda c: c.upload(JOB_ID, b"Name\nAnn\n"),
    "upload of a stream": lambda c: c.upload(JOB_ID, _rows()),
}


OTHERS: dict[str, Method] = {"results": _read_failed_results, "identity": lambda c: c.identity()}


ALL = READS | WRITES | OTHERS


class Failing(httpx2.AsyncBaseTransport):
    """A way to the upstream that ends in an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.requests: list[httpx2.Request] = []

    @property
    def tries(self) -> int:
        return len(self.requests)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        raise self.error


async def chunks(text: bytes = b"") -> AsyncIterator[bytes]:
    """A body that is read as it comes."""
    yield text


CSV_TYPE = ("Content-Type", "text/csv")
