"""The server of a program whose settings have a mistake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import TextResourceContents

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.mcp_server.misconfigured_server import MisconfiguredServer
from salesforce_bulk_ingest.mcp_server.view.job_view import VIEW_URI, page
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, agent, paths_in, refusal
from tests.support.watched_org import WatchedOrg

MISTAKE = "SALESFORCE_INSTANCE: expected something else."
TOLD = """\
SERVER_UNAVAILABLE: SALESFORCE_INSTANCE: expected something else.
Next: Tell the user: that is a mistake in the settings of this server, and no tool works before it is mended. `salesforce-bulk-ingest check` shows whether it is; then the server has to be restarted.\
"""


@asynccontextmanager
async def _misconfigured(folder: Path, org: WatchedOrg, era: Era = "auto") -> AsyncIterator[Client]:
    async with open_services(Settings(emulator=True), paths_in(folder), EmbeddedOrg(org.url, folder)) as services:
        kind = partial(MisconfiguredServer, mistake=MISTAKE)
        async with Client(build_mcp(services, None, kind), mode=era) as client:
            yield client


@pytest.mark.parametrize("era", ERAS)
async def test_every_tool_is_listed_and_answers_with_the_mistake_whatever_it_is_asked(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent(org.url, era=era) as working, _misconfigured(tmp_path, org, era) as client:
        listed = await client.list_tools()
        assert listed == await working.list_tools()
        calls: list[tuple[str, dict[str, Any]]] = [(tool.name, {"jobId": UNKNOWN_JOB}) for tool in listed.tools]
        calls.append(("create-ingest-job", {"body": {"object": "Account", "operation": "insert"}}))
        calls.append(("no-such-tool", {}))
        assert {await refusal(client, tool, **arguments) for tool, arguments in calls} == {TOLD}
    assert org.recorder.calls == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_resource_is_not_read_but_answers_with_the_mistake(era: Era, org: WatchedOrg, tmp_path: Path) -> None:
    async with _misconfigured(tmp_path, org, era) as client:
        assert len((await client.list_resource_templates()).resource_templates) == 6
        for uri in (f"salesforce-bulk://jobs/{UNKNOWN_JOB}", "salesforce-bulk://nothing"):
            with pytest.raises(MCPError) as raised:
                await client.read_resource(uri)
            assert raised.value.message == TOLD
    assert org.recorder.calls == []


@pytest.mark.parametrize("era", ERAS)
async def test_the_page_of_a_job_is_read_so_that_a_host_shows_the_mistake_in_it(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    async with _misconfigured(tmp_path, org, era) as client:
        [content] = (await client.read_resource(VIEW_URI)).contents
    assert isinstance(content, TextResourceContents) and content.text == page()
    assert org.recorder.calls == []


async def test_nobody_can_listen(org: WatchedOrg, tmp_path: Path) -> None:
    async with _misconfigured(tmp_path, org) as client:
        assert client.server_capabilities.resources is not None
        assert client.server_capabilities.resources.subscribe is False
        with pytest.raises(MCPError):
            async with client.listen(resource_subscriptions=[f"salesforce-bulk://jobs/{UNKNOWN_JOB}"]):
                pass
    assert org.recorder.calls == []


@pytest.mark.parametrize("era", ERAS)
async def test_nothing_is_listed_or_completed(era: Era, org: WatchedOrg, tmp_path: Path) -> None:
    async with _misconfigured(tmp_path, org, era) as client:
        assert (await client.list_resources()).resources == []
        assert client.server_capabilities.completions is None
    assert org.recorder.calls == []
