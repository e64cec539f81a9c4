"""What stands before an application: the checks in their order, and what is there for everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.serving.caller_guard import in_envelope, writes_by_method
from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.front import Front
from salesforce_bulk_ingest.serving.health import Readiness
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening
from tests.serving.test_door import Verifies
from tests.support.plain_http import plain_http


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with what it knows of its caller."""
    has_token = any(name == b"authorization" for name, _ in scope["headers"])
    await PlainTextResponse(f"{current_caller().name} {has_token}")(scope, receive, send)


async def ready() -> str | None:
    return None


@asynccontextmanager
async def before(door: Door, *origins: str, refused: list[str] | None = None) -> AsyncIterator[str]:
    async def note() -> None:
        assert refused is not None
        refused.append(current_caller().name)

    async with anyio.create_task_group() as tasks:
        readiness = Readiness(ready, SharedTasks(tasks), lambda: 0.0)
        front = Front(door, AllowedCallers.local_and(origins=origins), origins, readiness, "title", note)
        with bound_socket("127.0.0.1", 0) as bound:
            async with listening([Listener(front.before(told, writes_by_method, in_envelope), bound)]):
                yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        tasks.cancel_scope.cancel()


async def test_the_application_knows_its_caller_and_not_the_token() -> None:
    async with before(Door(Verifies(client_id="ann"))) as url, plain_http() as http:
        assert (await http.get(url, headers={"Authorization": "Bearer good"})).text == "ann False"
        assert (await http.get(url)).status_code == 401
    async with before(Door()) as url, plain_http() as http:
        assert (await http.get(url)).text == "anonymous False"


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("POST", 403), ("X", 403)]
)
async def test_a_reader_may_do_what_changes_nothing(method: str, status: int) -> None:
    refused: list[str] = []
    door = Door(Verifies(scopes=["bulk:read"], client_id="ann"))
    async with before(door, refused=refused) as url, plain_http() as http:
        assert (await http.request(method, url, headers={"Authorization": "Bearer good"})).status_code == status
    assert refused == (["ann"] if status == 403 else [])


async def test_names_and_origins_are_checked_before_tokens_and_before_what_is_open() -> None:
    async with before(Door(Verifies()), "https://app.example") as url, plain_http() as http:
        for path in ("/", "/health/live"):
            assert (await http.get(f"{url}{path}", headers={"Host": "evil.example"})).status_code == 421
            assert (await http.get(f"{url}{path}", headers={"Origin": "https://evil.example"})).status_code == 403
