"""Two servers side by side, one for each org of one settings file; what they keep on this machine is in the same folders."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.commands import Environ, fresh_environ, write_settings
from tests.support.orgs import ERAS, Era, call, closed, refusal

INSERT = {"object": "Account", "operation": "insert"}
ROWS = {"csv": "Name\nAcme\nGlobex\n"}
SAME_ROWS = {"csv": "Name\nGlobex\nAcme\n"}


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[Environ]:
    """An environment without variables about Salesforce, whose settings file has the orgs `prod` and `uat`."""
    environ = fresh_environ(tmp_path)
    with org(tmp_path / "prod", sandbox=False) as prod, org(tmp_path / "uat", sandbox=True) as uat:
        tables = [
            f"[orgs.{name}]\ninstance_url = '{url}'\naccess_token = '{ACCESS_TOKEN}'\n"
            for name, url in (("prod", prod), ("uat", uat))
        ]
        write_settings(environ, "".join(tables))
        yield environ


@contextmanager
def org(folder: Path, *, sandbox: bool) -> Iterator[str]:
    """An org, which has an organization id of its own; yields its base URL."""
    with running(create_app(EmulatorConfig(data_dir=folder, sandbox=sandbox))) as url:
        yield url


@asynccontextmanager
async def server_for(org_name: str, environ: Environ, era: Era) -> AsyncIterator[Client]:
    """A client of a server process for one org."""
    arguments = ["-m", "salesforce_bulk_ingest", "stdio", "--org", org_name]
    process = StdioServerParameters(command=sys.executable, args=arguments, env=environ)
    async with Client(stdio_client(process), mode=era) as client:
        yield client


@pytest.mark.parametrize("era", [ERAS[0], pytest.param(ERAS[1], marks=pytest.mark.slow)])
async def test_each_server_knows_the_loads_of_its_own_org_alone(era: Era, environ: Environ) -> None:
    async with AsyncExitStack() as stack:
        prod, uat = [await stack.enter_async_context(server_for(name, environ, era)) for name in ("prod", "uat")]
        assert [client.server_info.title for client in (prod, uat) if client.server_info is not None] == [
            "Salesforce bulk ingest: prod (local org)",
            "Salesforce bulk ingest: uat (local org)",
        ]
        jobs = {}
        for name, client in (("prod", prod), ("uat", uat)):
            job = await call(client, "create-ingest-job", body=INSERT, data=ROWS)
            ended = await closed(client, job["id"])
            assert (ended["numberRecordsProcessed"], ended["numberRecordsFailed"]) == (2, 0)
            jobs[name] = job["id"]
        assert jobs["prod"] in await refusal(prod, "create-ingest-job", body=INSERT, data=SAME_ROWS)
        assert jobs["uat"] in await refusal(uat, "create-ingest-job", body=INSERT, data=SAME_ROWS)
        assert "does not exist" in await refusal(uat, "get-ingest-job-status", jobId=jobs["prod"])
        rows = await call(prod, "get-successful-results-ingest-job", jobId=jobs["prod"])
        assert rows["total"] == 2


async def test_answers_name_the_org_as_people_do_and_not_by_its_address(environ: Environ) -> None:
    async with server_for("uat", environ, "auto") as uat, server_for("prod", environ, "auto") as prod:
        named = [(await call(client, "create-ingest-job", body=INSERT))["org"] for client in (uat, prod)]
    assert named == ['"Embedded org" (sandbox)', '"Embedded org" (developer or demo org)']
