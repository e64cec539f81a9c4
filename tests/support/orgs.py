"""Orgs and clients for tests of the surfaces: always over a real socket."""

import re
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx2
from anyio.abc import TaskGroup
from mcp import Client, MCPError
from mcp_types import CallToolResult, CompleteResult, ListResourcesResult, ReadResourceResult
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_bulk_ingest.app.chosen_files import DAY_SECONDS
from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.base.shared_task import REPORT_SECONDS, SharedTasks
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.operations import limits
from salesforce_bulk_ingest.operations.before_images import BeforeImages
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.close_guard import CloseGuard
from salesforce_bulk_ingest.operations.create_once import CreateOnce
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.earlier_loads import EarlierLoads
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.load import LoadOperations
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planning import Planner
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.results import ResultOperations
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.operations.send_once import SendOnce
from salesforce_bulk_ingest.operations.suggestions import Suggestions
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.results.save_roots import NO_SAVE_ROOTS
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.validation.destination import UPLOAD_LIMIT_BYTES
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.answer_fields import full_schema, listed_schema, unlisted_fields
from tests.support.asgi_server import running
from tests.support.canary import look, look_at_files
from tests.support.guarded import audit_in, nothing_to_confirm
from tests.support.next_call import next_call

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
"""Protocol generations 2026-07-28 and 2025-11-25."""

UNKNOWN_JOB = "750000000000001AAA"


@dataclass
class Recorder:
    """An application whose requests are recorded: each call when it begins, its body when the response begins."""

    app: ASGIApp
    calls: list[str] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        call = f"{scope['method']} {scope['path']}{query}"
        self.calls.append(call)
        body = bytearray()

        async def recorded() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def answered(message: Message) -> None:
            # Recorded before the response goes out, since the caller may look at the record at once.
            if message["type"] == "http.response.start":
                self.bodies.append((call, bytes(body)))
            await send(message)

        await self.app(scope, recorded, answered)


class WatchingClient(Client):
    """A client that looks for the canaries in what the server answers, in its errors and in what it tells on the way.

    It also holds the structure of every answer to the full output schema of its tool, and the listed schema to that.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"message_handler": _look_at_message, **options})
        self._output_schemas: dict[str, dict[str, Any] | None] = {}

    async def call_tool(self, *args: Any, **options: Any) -> CallToolResult:
        with _looking_at_errors(f"the error of {args[0]}"):
            await self._list_once()
            answer = await super().call_tool(*args, **options)
        look(f"the answer of {args[0]}", answer.model_dump_json())
        if answer.structured_content is not None:
            self._hold_to_schema(args[0], answer.structured_content)
        return answer

    async def _list_once(self) -> None:
        """List the tools before the first call, so that the SDK does not list them again to check the answer."""
        if not self._output_schemas:
            tools = (await self.list_tools(cache_mode="bypass")).tools
            self._output_schemas = {each.name: each.output_schema for each in tools}

    def _hold_to_schema(self, tool: str, structure: dict[str, Any]) -> None:
        assert self._output_schemas[tool] == listed_schema(tool), f"of {tool} in the list"
        assert list(unlisted_fields(structure, full_schema(tool))) == [], f"of the answer of {tool}"

    async def read_resource(self, *args: Any, **options: Any) -> ReadResourceResult:
        with _looking_at_errors(f"the error of the resource {args[0]}"):
            answer = await super().read_resource(*args, **options)
        look(f"the resource {args[0]}", answer.model_dump_json())
        return answer

    async def complete(self, *args: Any, **options: Any) -> CompleteResult:
        with _looking_at_errors(f"the error of the completion of {args}"):
            answer = await super().complete(*args, **options)
        look(f"the completion of {args}", answer.model_dump_json())
        return answer

    async def list_resources(self, **options: Any) -> ListResourcesResult:
        answer = await super().list_resources(**options)
        look("the list of resources", answer.model_dump_json())
        return answer


@contextmanager
def _looking_at_errors(where: str) -> Iterator[None]:
    try:
        yield
    except MCPError as error:
        look(where, repr(error.error))
        raise


async def _look_at_message(message: object) -> None:
    look("a message of a server", repr(message))


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """An embedded org in a folder; yields its base URL."""
    with running(create_app(EmulatorConfig(data_dir=folder))) as url:
        yield url


@asynccontextmanager
async def agent(
    org_url: str, *, era: Era = "auto", rest_url: str | None = None, folder: Path | None = None, **settings: Any
) -> AsyncIterator[Client]:
    """A client of the nine tools over the embedded org at this URL, which may send rows unchecked.

    The server keeps its files in the folder.
    """
    chosen = Settings(**{"emulator": True, "allow_preflight_off": True, **settings})
    with tempfile.TemporaryDirectory() as temporary:
        kept_in = folder or Path(temporary)
        async with open_services(chosen, paths_in(kept_in), EmbeddedOrg(org_url, kept_in)) as services:
            async with WatchingClient(build_mcp(services, rest_url), mode=era) as client:
                yield client
        look_at_files(Path(temporary))


@asynccontextmanager
async def both_surfaces(
    org_url: str, *, embedded: bool = True, folder: Path | None = None, **settings: Any
) -> AsyncIterator[tuple[Client, httpx2.AsyncClient]]:
    """A client of the nine tools, and an HTTP client of `/v1/jobs/ingest`, of one server over this org.

    Args:
        org_url: the base URL of the org.
        embedded: whether the server takes the org for its own, in which it allows more than in one that it is told of.
        folder: the folder of the server's files; None for one that is removed in the end.
        settings: the settings of the server.
    """
    told = {"emulator": True} if embedded else {"instance_url": org_url, "access_token": SecretStr(ACCESS_TOKEN)}
    with tempfile.TemporaryDirectory() as temporary:
        kept_in = folder or Path(temporary)
        org = EmbeddedOrg(org_url, kept_in) if embedded else None
        async with open_services(Settings(**{**told, **settings}), paths_in(kept_in), org) as services:
            transport = httpx2.ASGITransport(build_rest(services.gateway))
            async with (
                WatchingClient(build_mcp(services, None)) as client,
                httpx2.AsyncClient(transport=transport, base_url="http://localhost/v1/jobs/ingest") as rest,
            ):
                yield client, rest
        look_at_files(kept_in)


@asynccontextmanager
async def agent_over(org: ASGIApp, **settings: Any) -> AsyncIterator[Client]:
    """A client of the nine tools over an org that is an ASGI application, served on a free port."""
    with running(org) as url:
        async with agent(url, **settings) as client:
            yield client


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncIterator[Services]:
    """The services for the org that the settings name, with an empty ledger of uploads."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_services(settings, paths_in(Path(folder))) as services:
            yield services
        look_at_files(Path(folder))


def paths_in(folder: Path) -> LocalPaths:
    """The folders that the product uses, all of them below this folder instead of the user's home."""
    return LocalPaths(folder / "settings.toml", folder / "state", folder / "spool", folder / "org")


def services_over(
    client: SalesforceClient,
    folder: Path,
    tasks: TaskGroup,
    *,
    upload_limit: int = UPLOAD_LIMIT_BYTES,
    hidden: HiddenFields = NOTHING_HIDDEN,
    **options: Any,
) -> Services:
    """The services over a client of an org. They read files from the folder, and their ledger of uploads is there.

    Args:
        client: the client of the org.
        folder: the only upload root, and the folder of the ledger.
        tasks: runs the work that outlives a call.
        upload_limit: the largest size of one upload in bytes.
        hidden: the fields whose cells no answer shows.
        options: `policy`, `compare_rows`, `seconds_left`, `report_seconds`, `sleep`, `clock` and `job_files` of the
            operations, and `save_roots`; without a policy, rows may be sent unchecked.
    """
    report_seconds = options.get("report_seconds", REPORT_SECONDS)
    seconds_left, sleep = options.get("seconds_left", limits.seconds_left), options.get("sleep", anyio.sleep)
    shared, job_files = SharedTasks(tasks), options.get("job_files")
    policy = options.get("policy", Policy(allows_preflight_off=True))
    ledger = Ledger(folder / "uploads.sqlite3")
    audit = audit_in(folder, client)
    uploads = Uploads(client, ledger, audit, shared, job_files)
    fetcher = None if job_files is None else ResultFetcher(client, job_files, ledger, shared, hidden)
    earlier_loads = EarlierLoads(client, fetcher, ledger, shared, kept_seconds=options.get("kept_seconds", DAY_SECONDS))
    creates = CreateOnce(client, uploads, audit, shared, options.get("clock", time.monotonic))
    sketched = job_files is not None
    describes = DescribeCache(client, shared)
    before = BeforeImages(client, describes, fetcher, shared, options.get("undo_rows", 10_000))
    once = SendOnce(uploads, creates, Retries(client, fetcher, ledger, before), earlier_loads)
    sampled = options.get("compare_rows", 10_000)
    planner = Planner(describes, shared, upload_limit, sketched=sketched, hidden=hidden, sampled=sampled)
    rules = ChangeRules(policy, CloseGuard(policy, uploads, nothing_to_confirm(folder)), audit)
    jobs = JobOperations(client, rules, uploads, fetcher, before, once.retries, sleep=sleep, seconds_left=seconds_left)
    operations = Operations(
        policy,
        jobs,
        LoadOperations(
            client,
            rules,
            planner,
            once,
            OrgComparisons(client, describes, shared, hidden, most_rows=sampled),
            seconds_left=seconds_left,
            report_seconds=report_seconds,
        ),
        ResultOperations(
            client,
            audit,
            fetcher,
            once.retries,
            hidden=hidden,
            seconds_left=seconds_left,
            report_seconds=report_seconds,
        ),
        Suggestions(jobs, policy, describes, fetcher, shared, patience_seconds=options.get("patience_seconds", 20)),
    )
    roots = UploadRoots([folder])
    save_roots = options.get("save_roots", NO_SAVE_ROOTS)
    return Services(client, operations, Gateway(client, rules, uploads), roots, save_roots=save_roots)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured content of the answer to a call that has to succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    structure: dict[str, Any] = result.structured_content
    return structure


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The text of the answer to a call that has to fail."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


async def loaded(
    client: Client,
    csv: str,
    *,
    object: str = "Account",
    operation: str = "insert",
    preflight: Literal["on", "off"] = "on",
    load_again: bool = False,
    **body: str,
) -> str:
    """The id of a new job with these rows, once Salesforce has processed the job."""
    job = await call(client, "create-ingest-job", body={"object": object, "operation": operation, **body})
    options: dict[str, Any] = {"preflight": preflight, "loadAgain": load_again}
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": csv}, **options)
    assert (await closed(client, job["id"]))["state"] in {"JobComplete", "Failed"}
    return str(job["id"])


async def closed(client: Client, job_id: str, **options: Any) -> dict[str, Any]:
    """The answer about a job that this function closes, once Salesforce has processed the job."""
    closing = {"jobId": job_id, "body": {"state": "UploadComplete"}, "waitSeconds": 30, **options}
    answer = await call(client, "close-abort-ingest-job", **closing)
    assert answer["state"] in {"JobComplete", "Failed"}, answer
    return answer


async def undo_call(client: Client, job_id: str) -> tuple[str, dict[str, Any]]:
    """The call that undoes a job, or shows its undo, as the status of the job names it."""
    return next_call((await call(client, "get-ingest-job-status", jobId=job_id))["undo"])


async def undoing(client: Client, job_id: str) -> dict[str, Any]:
    """The answer to the call that undoes a job, as its status names it; the new job is not closed."""
    tool, arguments = await undo_call(client, job_id)
    return await call(client, tool, **arguments)


async def undone(client: Client, job_id: str) -> dict[str, Any]:
    """The answer to the call that undoes a job, once the new job is closed and each of its rows has succeeded."""
    answer = await undoing(client, job_id)
    assert (await closed(client, answer["id"]))["numberRecordsFailed"] == 0
    return answer


def text_of(result: CallToolResult) -> str:
    """The text of an answer."""
    return "".join(part.text for part in result.content if part.type == "text")


def steady(value: Any) -> Any:
    """The value with ids, dates, durations and ports replaced by their kind, since they differ from run to run."""
    if isinstance(value, dict):
        return {key: "MS" if key.endswith("Time") else steady(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [steady(item) for item in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"\b750[0-9A-Za-z]{15}\b", "JOB", value)
    value = re.sub(r"\b(001|003|00Q|00T|006|500)[0-9A-Za-z]{15}\b", "RECORD", value)
    value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", "DATE", value)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", value)
