"""Whatever callers do in whatever order, no job is loaded that the policy refuses.

Two servers hold the same policy, and know nothing of each other's uploads. Callers make jobs, send rows and close through the
tools and `/v1` of both; jobs are made and filled at the org directly, too, but closed through the servers alone.
"""

import gzip
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client

from salesforce_emulator import ACCESS_TOKEN
from tests.support.orgs import both_surfaces
from tests.support.plain_http import plain_http

JOBS: dict[str, Any] = {
    "allow_objects": ("Account", "Contact"),
    "deny_objects": ("Contact",),
    "deny_operations": ("delete", "hardDelete", "update"),
}
BOUNDS: dict[str, Any] = {"deny_fields": ("Account.Phone", "ParentId"), "max_job_rows": 2, "max_job_bytes": 60}
DENIED = {"Parent.Name", "ParentId"}
DENIED_IN_ACCOUNT = DENIED | {"Phone", "phone"}

Steps = list[tuple[int, tuple[Any, ...]]]
"""Steps, each with the number of the server that takes it."""

OBJECTS = ("Account", "account", "Account", "Contact", "Lead")
OPERATIONS = ("insert", "insert", "insert", "delete", "hardDelete", "update")
ROWS = (
    "Name\nA\n",
    "Name,Site\nA,1\nB,2\n",
    "Name\nA\nB\nC\n",
    "Name\nA\n\n\nB\n\nC",
    "Name,Phone\nA,1\n",
    "phone,Name\n1,A\n",
    "Name,ParentId\nA,\n",
    "Name\n" + "A" * 60 + "\n",
    'Name\n"A\nB"\n',
    'Name\n5" A\nB\n6" C\n',
)
CLOSES = (
    b'{"state":"UploadComplete"}',
    b'{"state":"Aborted","state":"UploadComplete"}',
    b'{"state":"UploadComplete","operation":"insert"}',
    b'\xef\xbb\xbf{"state":"UploadComplete"}',
)
WAYS = ("tool", "v1", "versioned", "direct")
HEADERS = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
GZIP = {**CSV, "Content-Encoding": "gzip"}

makes = st.tuples(
    st.just("make"),
    st.sampled_from((*WAYS, "multipart", "with rows")),
    st.sampled_from(OBJECTS),
    st.sampled_from(OPERATIONS),
    st.sampled_from(ROWS),
)
which = st.sampled_from((-1, -1, -1, 0, 1))
"""The job of a step, most often the last one."""
fills = st.tuples(st.just("fill"), st.sampled_from((*WAYS, "gzip", "br")), which, st.sampled_from(ROWS))
closes = st.tuples(st.just("close"), st.sampled_from(WAYS[:3]), which, st.sampled_from(CLOSES))
any_server = st.integers(0, 1)


def on_any_server(*kinds: st.SearchStrategy[tuple[Any, ...]]) -> st.SearchStrategy[Steps]:
    """Steps of these kinds in this order, each on one of the servers."""
    return st.tuples(*(st.tuples(any_server, kind) for kind in kinds)).map(list)


stories = st.lists(
    on_any_server(makes, fills, closes)
    | on_any_server(makes, fills, fills, closes)
    | on_any_server(makes, closes, fills, closes)
    | on_any_server(makes | fills | closes),
    min_size=1,
    max_size=3,
).map(lambda parts: [step for part in parts for step in part])


@dataclass
class Callers:
    """Callers of two servers and of the org behind them, and the jobs that they know of."""

    servers: list[tuple[Client, httpx2.AsyncClient]]
    direct: httpx2.AsyncClient
    jobs: list[str] = field(default_factory=list)

    async def do(self, server: int, step: tuple[Any, ...]) -> None:
        """Take one step, whatever is answered."""
        kind, way, *rest = step
        if kind != "make" and not self.jobs:
            return
        does: dict[str, Callable[..., Awaitable[None]]] = {"make": self._make, "fill": self._fill, "close": self._close}
        await does[kind](*self.servers[server], way, *rest)

    async def _make(
        self, client: Client, rest: httpx2.AsyncClient, way: str, sobject: str, operation: str, rows: str
    ) -> None:
        body = {"object": sobject, "operation": operation}
        if way in ("tool", "with rows"):
            data = {"data": {"csv": rows}} if way == "with rows" else {}
            made = await client.call_tool("create-ingest-job", {"body": body, "loadAgain": True, **data})
            self._know((made.structured_content or {}).get("id"))
            return
        if way == "multipart":
            parts = {"job": (None, json.dumps(body), "application/json"), "content": ("content", rows, "text/csv")}
            self._know((await rest.post("", files=parts)).json())
            return
        caller, path = self._by(way, rest)
        self._know((await caller.post(path, json=body)).json())

    async def _fill(self, client: Client, rest: httpx2.AsyncClient, way: str, number: int, rows: str) -> None:
        job_id = self.jobs[number % len(self.jobs)]
        if way == "tool":
            upload = {"jobId": job_id, "body": {"csv": rows}, "loadAgain": True}
            await client.call_tool("upload-data-ingest-job", upload)
            return
        caller, path = self._by(way, rest)
        packed = gzip.compress(rows.encode()) if way == "gzip" else rows.encode()
        headers = GZIP if way == "gzip" else {**CSV, "Content-Encoding": "br"} if way == "br" else CSV
        await caller.put(f"{path}/{job_id}/batches", content=packed, headers=headers)

    async def _close(self, client: Client, rest: httpx2.AsyncClient, way: str, number: int, body: bytes) -> None:
        job_id = self.jobs[number % len(self.jobs)]
        if way == "tool":
            await client.call_tool("close-abort-ingest-job", {"jobId": job_id, "body": {"state": "UploadComplete"}})
            return
        caller, path = self._by(way, rest)
        await caller.patch(f"{path}/{job_id}", content=body, headers=HEADERS)

    def _by(self, way: str, rest: httpx2.AsyncClient) -> tuple[httpx2.AsyncClient, str]:
        """The client and the path of the jobs."""
        if way == "direct":
            return self.direct, "/services/data/v63.0/jobs/ingest"
        return rest, "http://localhost/services/data/v58.0/jobs/ingest" if way == "versioned" else ""

    def _know(self, told: object) -> None:
        job_id = told.get("id") if isinstance(told, dict) else told
        if isinstance(job_id, str):
            self.jobs.append(job_id)

    async def loaded(self) -> list[dict[str, Any]]:
        """The jobs that were closed, once the org has processed them."""
        jobs = "/services/data/v63.0/jobs/ingest"
        found = []
        for job_id in self.jobs:
            with anyio.fail_after(30):
                while (job := (await self.direct.get(f"{jobs}/{job_id}")).json())["state"] in (
                    "UploadComplete",
                    "InProgress",
                ):
                    await anyio.lowlevel.checkpoint()
            if job["state"] != "Open":
                result = (await self.direct.get(f"{jobs}/{job_id}/successfulResults")).text
                found.append({**job, "columns": set(result.partition("\n")[0].strip().replace('"', "").split(","))})
        return found


POLICIES = pytest.mark.parametrize("policy", [JOBS, BOUNDS, JOBS | BOUNDS], ids=["jobs", "rows", "both"])


@POLICIES
@settings(max_examples=20)
@given(taken=stories)
def test_no_job_is_loaded_that_the_policy_refuses(org_url: str, policy: dict[str, Any], taken: Steps) -> None:
    check_what_is_loaded(org_url, policy, taken)


@POLICIES
@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=300)
@given(taken=stories)
def test_no_job_is_loaded_that_the_policy_refuses_by_many_orders(
    org_url: str, policy: dict[str, Any], taken: Steps
) -> None:
    check_what_is_loaded(org_url, policy, taken)


def check_what_is_loaded(org_url: str, policy: dict[str, Any], taken: Steps) -> None:
    """Take the steps, and check the jobs that the org has loaded."""

    async def take() -> list[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(both_surfaces(org_url, **policy)) for _ in range(2)]
            token = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
            direct = await stack.enter_async_context(plain_http(base_url=org_url, headers=token))
            callers = Callers(servers, direct)
            for server, step in taken:
                await callers.do(server, step)
            return await callers.loaded()

    for job in anyio.run(take):
        of_account = job["object"].lower() == "account"
        if "deny_objects" in policy:
            assert of_account and job["operation"] == "insert"
        if "max_job_rows" in policy:
            assert job.get("numberRecordsProcessed", 0) <= 2
            assert not job["columns"] & (DENIED_IN_ACCOUNT if of_account else DENIED)
