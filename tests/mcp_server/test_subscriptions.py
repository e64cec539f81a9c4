"""Subscriptions: who listens hears of changes, and the org is asked only while somebody does."""

import asyncio
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.subscriptions import Subscription
from mcp.server.apps import EXTENSION_ID
from mcp.shared.subscriptions import ResourceUpdated

from salesforce_bulk_ingest.mcp_server.subscriptions import MOST_JOBS, MOST_URIS_OF_JOB
from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, agent, call, closed
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.wire import JOB_ID

URI = f"salesforce-bulk://jobs/{JOB_ID}"
PATIENCE_SECONDS = 20


async def heard(subscription: Subscription, count: int = 1) -> list[str]:
    """The addresses of the next events."""
    uris: list[str] = []
    with anyio.fail_after(PATIENCE_SECONDS):
        while len(uris) < count:
            event = await anext(subscription)
            assert isinstance(event, ResourceUpdated)
            uris.append(event.uri)
    return uris


async def open_job(client: Client) -> str:
    job = await call(
        client, "create-ingest-job", body={"object": "Account", "operation": "insert"}, data={"csv": "Name\nA\n"}
    )
    return str(job["id"])


async def test_a_listener_hears_when_the_job_is_done(org_url: str) -> None:
    async with agent(org_url) as client:
        job_id = await open_job(client)
        uri = f"salesforce-bulk://jobs/{job_id}"
        async with client.listen(resource_subscriptions=[uri]) as subscription:
            await closed(client, job_id)
            assert await heard(subscription) == [uri]


async def test_a_listener_of_a_result_hears_only_of_the_end(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0), ("UploadComplete", 0), ("InProgress", 200), ("JobComplete", 400))
    result = f"{URI}/failed-results?offset=0"
    async with scripted_agent(org, tmp_path) as client, client.listen(resource_subscriptions=[result]) as subscription:
        assert await heard(subscription) == [result]
    assert org.read == 4


async def test_a_listener_who_comes_after_the_end_hears_of_it_at_once(tmp_path: Path) -> None:
    org = ScriptedOrg(("JobComplete", 400))
    async with scripted_agent(org, tmp_path) as client, client.listen(resource_subscriptions=[URI]) as subscription:
        assert await heard(subscription) == [URI]
    assert org.read == 1


async def test_a_listener_who_comes_after_the_end_hears_of_it_while_an_earlier_one_goes_on_listening(
    org_url: str,
) -> None:
    async with agent(org_url) as client:
        job_id = await open_job(client)
        uri = f"salesforce-bulk://jobs/{job_id}"
        async with client.listen(resource_subscriptions=[uri]) as first:
            await closed(client, job_id)
            assert await heard(first) == [uri]
            async with client.listen(resource_subscriptions=[uri]) as second:
                assert await heard(second) == [uri]


async def test_jobs_that_can_not_be_read_keep_no_place_from_others(org_url: str) -> None:
    unknown = [f"salesforce-bulk://jobs/750{number:012d}" for number in range(MOST_JOBS)]
    async with agent(org_url) as client:
        uri = f"salesforce-bulk://jobs/{await open_job(client)}"
        async with client.listen(resource_subscriptions=unknown) as subscription:
            assert set(await heard(subscription, len(unknown))) == set(unknown)
            async with client.listen(resource_subscriptions=[uri]) as other:
                assert other.honored.resource_subscriptions == [uri]


async def test_a_job_that_can_not_be_read_is_told_as_a_change(org_url: str) -> None:
    uri = f"salesforce-bulk://jobs/{UNKNOWN_JOB}"
    async with agent(org_url) as client, client.listen(resource_subscriptions=[uri]) as subscription:
        assert await heard(subscription) == [uri]
        with pytest.raises(MCPError, match="NOT_FOUND"):
            await client.read_resource(uri)


async def test_a_fault_in_the_watch_of_a_job_is_logged_by_its_kind_and_told_as_a_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(seconds: float) -> None:
        raise RuntimeError("a text that may hold anything")

    org = ScriptedOrg(("Open", 0))
    async with scripted_agent(org, tmp_path, sleep=broken) as client:
        async with client.listen(resource_subscriptions=[URI]) as subscription:
            assert await heard(subscription) == [URI]
    assert "RuntimeError" in caplog.text and "a text that may hold anything" not in caplog.text


async def test_a_listener_hears_of_a_bounded_number_of_addresses_of_one_job(org_url: str) -> None:
    async with agent(org_url) as client:
        job_id = await open_job(client)
        uris = [f"salesforce-bulk://jobs/{job_id}/failed-results?offset={n}" for n in range(MOST_URIS_OF_JOB + 1)]
        async with client.listen(resource_subscriptions=uris) as subscription:
            assert subscription.honored.resource_subscriptions == uris[:-1]


async def test_only_what_will_be_heard_of_is_acknowledged(org_url: str) -> None:
    async with agent(org_url) as client:
        job_id = await open_job(client)
        uris = [f"salesforce-bulk://jobs/{job_id}", f"salesforce-bulk://jobs/{job_id}/failed-results"]
        others = ["salesforce-bulk://jobs/x", f"{uris[0]}/rows", f"{uris[0]}?x=1", "file:///etc/passwd", ""]
        async with client.listen(
            resource_subscriptions=[*uris, *others, uris[0]], tools_list_changed=True, resources_list_changed=True
        ) as subscription:
            honored = subscription.honored.model_dump(by_alias=True, exclude_none=True)
            assert honored == {"resourceSubscriptions": uris}


async def test_more_jobs_than_are_watched_at_once_are_not_acknowledged(org_url: str) -> None:
    uris = [f"salesforce-bulk://jobs/750{n:012}" for n in range(MOST_JOBS + 1)]
    async with agent(org_url) as client:
        async with client.listen(resource_subscriptions=uris) as subscription:
            assert subscription.honored.resource_subscriptions == uris[:-1]


class Pauses:
    """Pauses between readings that end when the test lets them, and tell when they begin and when they are broken off."""

    def __init__(self) -> None:
        self._told = asyncio.Queue[str]()
        self._passes = anyio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self._told.put_nowait("begins")
        try:
            await self._passes.acquire()
        except BaseException:
            self._told.put_nowait("is broken off")
            raise

    async def next(self) -> str:
        with anyio.fail_after(PATIENCE_SECONDS):
            return await self._told.get()

    def end(self) -> None:
        self._passes.release()


async def test_the_org_is_asked_once_for_all_listeners_and_only_while_there_is_one(tmp_path: Path) -> None:
    org, pauses = ScriptedOrg(("UploadComplete", 0), ("InProgress", 200), ("InProgress", 400)), Pauses()
    async with scripted_agent(org, tmp_path, sleep=pauses.sleep) as client:
        async with client.listen(resource_subscriptions=[URI]) as second:
            async with client.listen(resource_subscriptions=[URI]) as first:
                assert await pauses.next() == "begins" and org.read == 1
                pauses.end()
                assert await heard(first) == await heard(second) == [URI]
                assert await pauses.next() == "begins" and org.read == 2
            # Whichever of the two read the job, the other goes on.
            pauses.end()
            assert await heard(second) == [URI]
        while await pauses.next() != "is broken off":
            pass
        read = org.read
        pauses.end()
        await client.list_tools()
        assert org.read == read


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_declared_is_true(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        capabilities = client.server_capabilities
    assert capabilities is not None
    declared = capabilities.model_dump(by_alias=True, exclude_none=True)
    is_modern = era == "auto"
    assert declared == {
        "prompts": {"listChanged": False},
        "resources": {"listChanged": False, "subscribe": is_modern},
        "tools": {"listChanged": False},
        "completions": {},
        **({"extensions": {EXTENSION_ID: {}}} if is_modern else {}),
    }
