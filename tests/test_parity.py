"""The same nine operations through a tool and through `/v1` make the same upstream calls and report the same codes."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.orgs import UNKNOWN_JOB, Recorder, services_of, text_of

CSV = "Name\nAcme\n"
INSERT = {"object": "Account", "operation": "insert"}
JSON = {"Content-Type": "application/json"}
TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"

# tool, its arguments, method, path below /v1/jobs/ingest, body; {id} is the job's
OPERATIONS: list[tuple[str, dict[str, Any], str, str, Any]] = [
    ("list-all-ingest-jobs", {"jobType": "V2Ingest"}, "GET", "?jobType=V2Ingest", None),
    ("create-ingest-job", {"body": INSERT}, "POST", "", INSERT),
    ("get-ingest-job-status", {"jobId": "{id}"}, "GET", "/{id}", None),
    ("upload-data-ingest-job", {"jobId": "{id}", "body": {"csv": CSV}}, "PUT", "/{id}/batches", CSV),
    (
        "close-abort-ingest-job",
        {"jobId": "{id}", "body": {"state": "UploadComplete"}},
        "PATCH",
        "/{id}",
        {"state": "UploadComplete"},
    ),
    ("get-failed-results-ingest-job", {"jobId": "{id}"}, "GET", "/{id}/failedresults", None),
    ("get-successful-results-ingest-job", {"jobId": "{id}"}, "GET", "/{id}/successfulresults", None),
    ("get-unprocessed-records-ingest-job", {"jobId": "{id}"}, "GET", "/{id}/unprocessedrecords", None),
    ("delete-ingest-job", {"jobId": "{id}"}, "DELETE", "/{id}", None),
]


class Surfaces:
    """Both surfaces over the same services, and the org behind them."""

    def __init__(self, tools: Client, rest: httpx2.AsyncClient, org: Recorder) -> None:
        self._tools = tools
        self._rest = rest
        self._org = org

    async def through_tool(self, operation: tuple[Any, ...], job_id: str) -> tuple[Any, str | None, list[str]]:
        """Structure, error code and upstream calls."""
        before = len(self._org.calls)
        result = await self._tools.call_tool(operation[0], filled(operation[1], job_id))
        code = re.match(r"[A-Z_]+(?=:)", text_of(result)) if result.is_error else None
        return result.structured_content, code and code[0], self._since(before, job_id)

    async def through_rest(self, operation: tuple[Any, ...], job_id: str) -> tuple[Any, str | None, list[str]]:
        """JSON, error code and upstream calls."""
        _, _, method, path, body = operation
        content = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        headers = {"Content-Type": "text/csv"} if isinstance(body, str) else JSON if body is not None else {}
        before = len(self._org.calls)
        url = f"http://127.0.0.1/v1/jobs/ingest{path.replace('{id}', job_id)}"
        answer = await self._rest.request(method, url, content=content, headers=headers)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        document = answer.json() if is_json else None
        code = answer.json()[0]["errorCode"] if answer.is_error else None
        return document, code, self._since(before, job_id)

    def _since(self, before: int, job_id: str) -> list[str]:
        return (
            [call.replace(job_id, "{id}") for call in self._org.calls[before:]] if job_id else self._org.calls[before:]
        )


def filled(arguments: dict[str, Any], job_id: str) -> dict[str, Any]:
    return {name: job_id if value == "{id}" else value for name, value in arguments.items()}


@asynccontextmanager
async def surfaces(folder: Path, settings: Settings | None = None) -> AsyncIterator[Surfaces]:
    org = Recorder(create_app(EmulatorConfig(data_dir=folder)))
    with running(org) as url:
        chosen = settings or load_settings({}, {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": TOKEN})
        if settings is not None:
            chosen = settings.model_copy(update={"instance_url": url})
        async with services_of(chosen) as services:
            rest = httpx2.ASGITransport(build_rest(services.gateway))
            async with Client(build_mcp(services, None)) as tools, httpx2.AsyncClient(transport=rest) as http:
                yield Surfaces(tools, http, org)


def without_lookups(calls: list[str]) -> list[str]:
    """Leaves out what is read besides: job and object for checks of a tool, and once the organization, and its name."""
    calls = [call for call in calls if not call.startswith("GET /services/data/v63.0/query?")]
    lookups = (
        "GET /services/oauth2/userinfo",
        "GET /services/data/v63.0/jobs/ingest/{id}",
        "GET /services/data/v63.0/sobjects/Account/describe",
    )
    return [call for call in calls if call not in lookups] or calls[:1]


async def test_each_operation_makes_the_same_upstream_call_on_both_surfaces(tmp_path: Path) -> None:
    async with surfaces(tmp_path / "org") as both:
        made: dict[str, list[list[str]]] = {}
        for through in (both.through_tool, both.through_rest):
            job_id = ""
            for operation in OPERATIONS:
                answer, code, calls = await through(operation, job_id)
                assert code is None, (operation[0], answer)
                made.setdefault(operation[0], []).append(without_lookups(calls))
                if operation[0] == "create-ingest-job":
                    job_id = answer["id"]
                if operation[0] == "close-abort-ingest-job":
                    await both.through_tool(("get-ingest-job-status", {"jobId": job_id, "waitSeconds": 30}), job_id)
    for tool, (from_tool, from_rest) in made.items():
        assert from_tool == from_rest and len(from_tool) == 1, tool


REFUSED: list[tuple[str, Settings | None, str]] = [
    ("an unknown job", None, UNKNOWN_JOB),
    ("an id of another kind", None, "001000000000001AAA"),
    ("an expired session", Settings(access_token="00D!OLD", instance_url="http://127.0.0.1:1"), UNKNOWN_JOB),
]


@pytest.mark.parametrize(("why", "settings", "job_id"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_refusal_has_the_same_code_on_both_surfaces(
    why: str, settings: Settings | None, job_id: str, tmp_path: Path
) -> None:
    async with surfaces(tmp_path / "org", settings) as both:
        for operation in OPERATIONS[2:]:
            _, from_tool, tool_calls = await both.through_tool(operation, job_id)
            _, from_rest, rest_calls = await both.through_rest(operation, job_id)
            if (operation[0], why) == ("delete-ingest-job", "an unknown job"):
                # A tool's delete is idempotent: a job that is gone is what was asked for.
                assert (from_tool, from_rest) == (None, "NOT_FOUND")
                continue
            assert from_tool == from_rest is not None, operation[0]
            assert bool(tool_calls) == bool(rest_calls), operation[0]


async def test_policy_and_wrong_states_have_the_same_code_on_both_surfaces(tmp_path: Path) -> None:
    deleting = {"object": "Account", "operation": "delete"}
    async with surfaces(tmp_path / "org") as both:
        create = ("create-ingest-job", {"body": deleting}, "POST", "", deleting)
        assert await codes(both, create, "") == ("INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS")
        job, _, _ = await both.through_tool(OPERATIONS[1], "")
        aborting = {"state": "Aborted"}
        abort = ("close-abort-ingest-job", {"jobId": "{id}", "body": aborting}, "PATCH", "/{id}", aborting)
        await both.through_tool(abort, job["id"])
        upload, close = OPERATIONS[3], OPERATIONS[4]
        assert await codes(both, upload, job["id"]) == ("INVALIDJOBSTATE", "INVALIDJOBSTATE")
        assert await codes(both, close, job["id"]) == ("INVALIDJOBSTATE", "INVALIDJOBSTATE")
        unknown = {"object": "Nothing__c", "operation": "insert"}
        create = ("create-ingest-job", {"body": unknown}, "POST", "", unknown)
        assert await codes(both, create, "") == ("INVALIDENTITY", "INVALIDENTITY")


async def test_without_credentials_both_surfaces_say_so_with_the_same_code() -> None:
    async with services_of(Settings()) as services:
        rest = httpx2.ASGITransport(build_rest(services.gateway))
        async with Client(build_mcp(services, None)) as tools, httpx2.AsyncClient(transport=rest) as http:
            result = await tools.call_tool("list-all-ingest-jobs", {})
            answer = await http.get("http://127.0.0.1/v1/jobs/ingest")
    assert answer.status_code == 503
    assert text_of(result).startswith(f"{answer.json()[0]['errorCode']}: {answer.json()[0]['message']}")


async def codes(both: Surfaces, operation: tuple[Any, ...], job_id: str) -> tuple[str | None, str | None]:
    _, from_tool, _ = await both.through_tool(operation, job_id)
    _, from_rest, _ = await both.through_rest(operation, job_id)
    return from_tool, from_rest
