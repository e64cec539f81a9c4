"""Whether a server is ready: asked seldom, answered in time, and the reason told to those who may know."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.serving.health import Readiness
from tests.support.callers import bearer, serving, token_in
from tests.support.plain_http import plain_http
from tests.support.wire import Answer, Upstream, served


@asynccontextmanager
async def readiness(
    ask: Callable[[], Awaitable[str | None]], monotonic: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[Readiness]:
    async with anyio.create_task_group() as tasks:
        yield Readiness(ask, SharedTasks(tasks), monotonic)
        tasks.cancel_scope.cancel()


async def test_the_question_is_asked_once_for_all_and_its_answer_kept_for_ten_seconds() -> None:
    asked, answered = [0], anyio.Event()
    seconds, reasons = [0.0], ["It is down.", None]
    got: list[str | None] = []

    async def ask() -> str | None:
        asked[0] += 1
        await answered.wait()
        return reasons.pop(0)

    async with readiness(ask, lambda: seconds[0]) as ready:

        async def look() -> None:
            got.append(await ready.reason())

        async with anyio.create_task_group() as lookers:
            for _ in range(5):
                lookers.start_soon(look)
            await anyio.wait_all_tasks_blocked()
            answered.set()
        assert (asked, got) == ([1], ["It is down."] * 5)
        seconds[0] = 9.9
        assert (await ready.reason(), asked) == ("It is down.", [1])
        seconds[0] = 10.0
        assert (await ready.reason(), asked) == (None, [2])


async def test_a_question_that_fails_is_a_reason_and_its_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> str | None:
        raise ZeroDivisionError

    async with readiness(ask) as ready:
        assert await ready.reason() == "This server failed; its log has the details."
    assert "ZeroDivisionError" in caplog.text


async def test_strangers_learn_that_a_server_is_not_ready_and_its_callers_why(tmp_path: Path) -> None:
    token = token_in(tmp_path, "ann")
    upstream = Upstream({"GET": Answer(503, [("content-length", "0")])})
    async with served(upstream) as url:
        settings: dict[str, Any] = {"emulator": False, "instance_url": url, "access_token": "x"}
        async with serving(tmp_path, **settings) as addresses, plain_http() as http:
            for port in (addresses.mcp_url.removesuffix("/mcp"), addresses.rest_url.removesuffix("/v1")):
                stranger = await http.get(f"{port}/health/ready")
                assert (stranger.status_code, stranger.json()) == (503, {"status": "not ready"})
                known = await http.get(f"{port}/health/ready", headers=bearer(token))
                assert known.status_code == 503 and "status 503" in known.json()["reason"]
                wrong = await http.get(f"{port}/health/ready", headers=bearer("sbi_x"))
                assert wrong.json() == {"status": "not ready"}
    assert len(upstream.seen) <= 3, "the tries of one question"


async def test_an_org_that_hides_its_limits_from_the_user_can_be_called(tmp_path: Path) -> None:
    upstream = Upstream(
        {"GET": Answer(403, [("content-type", "application/json")], b'[{"errorCode": "X", "message": "Y"}]')}
    )
    async with served(upstream) as url:
        settings: dict[str, Any] = {"emulator": False, "instance_url": url, "access_token": "x"}
        async with serving(tmp_path, **settings) as addresses, plain_http() as http:
            ready = await http.get(f"{addresses.rest_url.removesuffix('/v1')}/health/ready")
            assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_on_this_machine_without_tokens_the_reason_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, emulator=False) as addresses, plain_http() as http:
        ready = await http.get(f"{addresses.rest_url.removesuffix('/v1')}/health/ready")
        assert ready.status_code == 503 and "SALESFORCE_" in ready.json()["reason"]
