"""A server that is killed in the middle of a load, and two servers at once: no row is lost or doubled."""

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client

from salesforce_emulator import ACCESS_TOKEN
from tests.faults.conftest import Count
from tests.faults.model_caller import Asking, ModelCaller
from tests.faults.org import FaultyOrg
from tests.faults.rows import Rows
from tests.support.commands import AS_MODULE, Environ, fresh_environ
from tests.support.follower import HALVES
from tests.support.orgs import call, closed, undone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, and a shell")

KILLS = 60
REQUESTS_OF_A_LOAD = 8
"""A load makes at least so many requests."""

LOCKED = 3
REQUESTS_WITH_RETRY = 16
"""So many requests are made at least by a load whose locked rows are sent again."""


REQUESTS_OF_A_CLOSE = 4
"""A close of an update makes so many requests: it reads the job, the records, and the job again, and closes it."""


@asynccontextmanager
async def stdio_server(environ: Environ, pid_file: Path) -> AsyncIterator[Client]:
    """A client of a server in a process of its own, which writes its process id into a file."""
    command = 'echo $$ > "$0"; exec "$@"'
    arguments = ["-c", command, str(pid_file), *AS_MODULE, "stdio"]
    async with Client(stdio_client(StdioServerParameters(command="sh", args=arguments, env=environ))) as client:
        yield client


def environ_of(org: FaultyOrg, folder: Path) -> Environ:
    """The environment of a server in front of an org, with what it keeps below a folder."""
    return fresh_environ(folder) | {
        "SALESFORCE_INSTANCE_URL": org.url,
        "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN,
    }


@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_load_goes_on_after_its_server_is_killed_and_started_again(
    seed: int, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    chance = random.Random(seed)
    rows = Rows.fresh()
    environ = environ_of(org, tmp_path)
    pid_file = tmp_path / "pid"
    has_retry = seed % 3 == 2
    if has_retry:
        org.go_wrong({"fault": "locked-rows", "times": LOCKED})
    org.killer.spared = chance.randrange(REQUESTS_WITH_RETRY if has_retry else REQUESTS_OF_A_LOAD)
    org.killer.takes_effect = chance.random() < 0.5
    org.killer.kill = lambda: os.kill(int(pid_file.read_text()), signal.SIGKILL)
    way = chance.choice(get_args(Asking))

    async with stdio_server(environ, pid_file) as client:
        caller = ModelCaller(client, HALVES[seed % 2], {"csv": rows.csv})

        def has_reached() -> bool:
            return sum(caller.loaded.values()) == rows.size and "get-successful-results-ingest-job" in caller.answered

        with pytest.raises(MCPError):
            await caller.persist(await caller.begin_anew(), has_reached)
    async with stdio_server(environ, pid_file) as client:
        caller.reconnect(client)
        await caller.persist(await caller.ask(way), has_reached)
    assert org.accounts(rows.mark) == Counter(rows.names), "\n".join(caller.story)
    count(kills=1)


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("spared", range(REQUESTS_OF_A_CLOSE))
async def test_an_update_is_undone_after_its_server_is_killed_in_the_close(
    spared: int, takes_effect: bool, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    rows, environ, pid_file = Rows.fresh(), environ_of(org, tmp_path), tmp_path / "pid"
    before = org.insert_with_phones(rows.names)
    csv = "Id,Phone\n" + "".join(f"{record_id},new {phone}\n" for record_id, phone in before.items())
    async with stdio_server(environ, pid_file) as client:
        update = {"object": "Account", "operation": "update"}
        job = (await call(client, "create-ingest-job", body=update, data={"csv": csv}))["id"]
        org.killer.spared, org.killer.takes_effect = spared, takes_effect
        org.killer.kill = lambda: os.kill(int(pid_file.read_text()), signal.SIGKILL)
        with pytest.raises(MCPError):
            await closed(client, job)
    changed = next(iter(before))
    is_open = org.caller.get(job)["state"] == "Open"
    assert is_open == (spared < REQUESTS_OF_A_CLOSE - 1 or not takes_effect)
    if not is_open:
        org.caller.until(job)
    org.caller.load(f"Id,Phone\n{changed},of another\n", "Account", "update")
    async with stdio_server(environ, pid_file) as client:
        await closed(client, job)
        undo = await undone(client, job)
    assert org.phones(rows.mark) == before | {changed: "of another"}
    assert any(changed in each["what"] for each in undo["findings"]) == (not is_open)
    count(kills=1)
