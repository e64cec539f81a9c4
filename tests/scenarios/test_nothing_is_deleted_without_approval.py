"""Where the operator alone approves, a caller with everything else deletes nothing; where a sentence is enough, it takes one more call.

The caller has what a model has, every answer that it got, and a shell with curl to both ports; its client claims that a person agrees
to every dialog.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from salesforce_emulator import ACCESS_TOKEN
from tests.support.commands import SERVE_EMBEDDED, Environ, Started, fresh_environ, run, started
from tests.support.orgs import ERAS, Era, text_of
from tests.support.plain_http import blocking_http

CLOSE = {"state": "UploadComplete"}
JSON = {"Content-Type": "application/json"}
SENTENCE = re.compile(r"(?:delete|hardDelete) [^\".]*? \(job [^)]*\) [0-9a-f]{12}")
CLOSING_BODIES = (
    json.dumps(CLOSE),
    '{"state": "Aborted", "state": "UploadComplete"}',
    '{"state": "UploadComplete", "state": "Aborted"}',
    '{"State": "Aborted", "state": "UploadComplete"}',
    '\ufeff{"state": "UploadComplete"}',
    '{"state": "UploadComplete", "operation": "insert"}',
    '[{"state": "UploadComplete"}]',
)
VERSIONS = ("/v1", "/services/data/v63.0", "/services/data/v41.0", "/v1/", "//v1")

RECORDS = 3
ORG = "org's URL"


@dataclass
class Caller:
    """Whoever calls both ports of a server, and remembers all that it was told."""

    server: Started
    records: list[str]
    delete_jobs: list[str] = field(default_factory=list)
    told: list[str] = field(
        default_factory=lambda: ["delete 3 Account in embedded org (job 750000000000001) 000000000000"]
    )

    @property
    def job(self) -> str:
        """The job that was made last, or one that is not there."""
        return self.delete_jobs[-1] if self.delete_jobs else "750000000000001AAA"

    @property
    def ids(self) -> str:
        """Rows with the ids of all records."""
        return "Id\n" + "".join(f"{record}\n" for record in self.records)

    def sentence(self, number: int) -> str:
        """Something that may be a sentence, from all that was told."""
        found: list[str] = [sentence for text in self.told for sentence in SENTENCE.findall(text)] or ["yes"]
        return found[number % len(found)]

    def request(self, method: str, path: str, number: int = 0, **options: Any) -> Any:
        """The JSON of an answer on the port of `/v1`; None where it is none."""
        base = self.server.url("REST").removesuffix("/v1")
        with blocking_http(timeout=30) as http:
            answer = http.request(method, f"{base}{VERSIONS[number % len(VERSIONS)]}/jobs/ingest{path}", **options)
        self.told.append(answer.text)
        return answer.json() if answer.text.startswith(("{", "[")) else None

    def tool(self, name: str, era: Era, **arguments: Any) -> Any:
        """The structure of the answer of a tool, to a client that accepts every dialog."""
        result = anyio.run(self._called, name, era, arguments)
        self.told.append(text_of(result))
        return result.structured_content or {}

    async def _called(self, name: str, era: Era, arguments: dict[str, Any]) -> Any:
        async def accept(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            self.told.append(params.message)
            return ElicitResult(action="accept", content={"confirm": True, "approve": True})

        async with Client(self.server.url("MCP"), mode=era, elicitation_callback=accept) as client:
            return await client.call_tool(name, arguments)

    def remember(self, job: Any) -> None:
        """Remember a job that was made."""
        if isinstance(job, dict) and job.get("id"):
            self.delete_jobs.append(job["id"])

    def count(self) -> int:
        """How many of the records are in the org, as the org itself tells."""
        with blocking_http() as http:
            answer = http.get(
                f"{self.server.url(ORG)}/services/data/v63.0/query",
                params={"q": "SELECT COUNT() FROM Account"},
                headers={"Authorization": f"Bearer {ACCESS_TOKEN}"},
            )
        return int(answer.json()["totalSize"])


def create_by_tool(caller: Caller, operation: str, number: int) -> None:
    body, data = {"object": "Account", "operation": operation}, {"csv": caller.ids}
    caller.remember(caller.tool("create-ingest-job", ERAS[number % 2], body=body, data=data))


def create_by_rest(caller: Caller, operation: str, number: int) -> None:
    caller.remember(caller.request("POST", "", number, json={"object": "Account", "operation": operation}))


def create_at_once(caller: Caller, operation: str, number: int) -> None:
    job = json.dumps({"object": "Account", "operation": operation})
    parts = {"job": (None, job, "application/json"), "content": ("content", caller.ids, "text/csv")}
    caller.remember(caller.request("POST", "", number, files=parts))


def upload_by_rest(caller: Caller, operation: str, number: int) -> None:
    caller.request("PUT", f"/{caller.job}/batches", number, content=caller.ids, headers={"Content-Type": "text/csv"})


def upload_by_tool(caller: Caller, operation: str, number: int) -> None:
    caller.tool("upload-data-ingest-job", ERAS[number % 2], jobId=caller.job, body={"csv": caller.ids})


def close_by_tool(caller: Caller, operation: str, number: int) -> None:
    arguments: dict[str, Any] = {"jobId": caller.job, "body": CLOSE, "confirm": caller.sentence(number)}
    caller.tool("close-abort-ingest-job", ERAS[number % 2], **arguments)


def close_by_rest(caller: Caller, operation: str, number: int) -> None:
    headers = {**JSON, "Bulk-Ingest-Confirm": caller.sentence(number).encode()}
    body = CLOSING_BODIES[number % len(CLOSING_BODIES)].encode()
    if number % 3 == 1:
        body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
    caller.request("PATCH", f"/{caller.job}", number, content=body, headers=headers)


def close_by_another_method(caller: Caller, operation: str, number: int) -> None:
    options = {"content": json.dumps(CLOSE), "headers": {**JSON, "X-HTTP-Method-Override": "PATCH"}}
    caller.request(("POST", "GET", "DELETE")[number % 3], f"/{caller.job}?_HttpMethod=PATCH", number, **options)


def look(caller: Caller, operation: str, number: int) -> None:
    caller.tool("get-ingest-job-status", ERAS[number % 2], jobId=caller.job)


STEPS: tuple[Callable[[Caller, str, int], None], ...] = (
    create_by_tool,
    create_by_rest,
    create_at_once,
    upload_by_rest,
    upload_by_tool,
    close_by_tool,
    close_by_rest,
    close_by_another_method,
    look,
)


@contextmanager
def caller_of(environ: Environ, way: str) -> Iterator[Caller]:
    """A caller of a server with an org that has three accounts, where a delete has to be confirmed in this way."""
    flags = ("--confirm", "delete", "--confirm", "hardDelete", "--confirm-without-dialog", way)
    with started(environ, *SERVE_EMBEDDED, *flags) as server:
        caller = Caller(server, [])
        rows = {"csv": "Name\n" + "".join(f"Account {number}\n" for number in range(RECORDS))}
        job = caller.tool("create-ingest-job", "auto", body={"object": "Account", "operation": "insert"}, data=rows)
        closing = {"jobId": job["id"], "body": CLOSE, "waitSeconds": 30}
        assert caller.tool("close-abort-ingest-job", "auto", **closing)["state"] == "JobComplete"
        page = caller.tool("get-successful-results-ingest-job", "auto", jobId=job["id"])
        caller.records = [row[page["columns"].index("sf__Id")] for row in page["rows"]]
        assert caller.count() == RECORDS
        yield caller


@pytest.fixture(scope="module", params=["operator", pytest.param("refuse", marks=pytest.mark.slow)])
def caller(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with caller_of(fresh_environ(tmp_path_factory.mktemp("home")), request.param) as caller:
        yield caller


steps = st.tuples(st.sampled_from(STEPS), st.sampled_from(["delete", "hardDelete"]), st.integers(0, 40))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=st.lists(steps, min_size=2, max_size=8))
def test_no_sequence_of_calls_deletes_a_record_without_the_operator(
    caller: Caller, taken: list[tuple[Callable[[Caller, str, int], None], str, int]]
) -> None:
    for step, operation, number in taken:
        step(caller, operation, number)
    for job_id in caller.delete_jobs:
        assert caller.request("GET", f"/{job_id}")["state"] in ("Open", "Aborted")
    assert caller.count() == RECORDS


def test_each_step_was_taken_and_a_delete_job_with_rows_waits(caller: Caller) -> None:
    """The steps work: the job that they make is filled, and its close alone is refused."""
    for make in (create_by_tool, create_by_rest):
        make(caller, "delete", 0)
        upload_by_rest(caller, "delete", 0)
        for close in (close_by_tool, close_by_rest, close_by_another_method):
            close(caller, "delete", 0)
        job = caller.request("GET", f"/{caller.job}")
        assert (job["state"], job["operation"]) == ("Open", "delete")
    assert caller.count() == RECORDS


def test_after_the_operator_has_approved_the_same_call_deletes(tmp_path: Path) -> None:
    environ = fresh_environ(tmp_path)
    folder = str(tmp_path / "org")
    with started(
        environ, *SERVE_EMBEDDED, "--data-dir", folder, "--confirm", "delete", "--confirm-without-dialog", "operator"
    ) as server:
        caller = Caller(server, ["001000000000001AAA"])
        create_by_tool(caller, "delete", 0)
        close_by_tool(caller, "delete", 0)
        approved = run(environ, "approve", "--emulator", "--data-dir", folder, caller.job, "--yes")
        assert (approved.returncode, approved.stdout.splitlines()[-1]) == (
            0,
            "Approved: the same call, or the same request, closes the job now.",
        )
        closed = caller.tool("close-abort-ingest-job", "auto", jobId=caller.job, body=CLOSE, waitSeconds=30)
        assert closed["state"] == "JobComplete"


def test_where_a_sentence_is_enough_it_takes_one_more_call(tmp_path: Path) -> None:
    with caller_of(fresh_environ(tmp_path), "sentence") as caller:
        create_by_tool(caller, "delete", 0)
        refused = caller.request("PATCH", f"/{caller.job}", json=CLOSE)
        (sentence,) = SENTENCE.findall(refused[0]["message"])
        closed = caller.request("PATCH", f"/{caller.job}", json=CLOSE, headers={"Bulk-Ingest-Confirm": sentence})
        assert closed["state"] == "UploadComplete"
        caller.tool("get-ingest-job-status", "auto", jobId=caller.job, waitSeconds=30)
        assert caller.count() == 0
