"""A hidden cell is in no answer, log line, audit line, error and file name, whatever is called and whatever goes wrong.

The plugin in tests/support/canary.py looks for the cell in all that is written; these tests bring it about. The clients, the commands
and the HTTP clients of the tests hand it what they get; logs and files below `tmp_path` it looks at by itself.
"""

import html
import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.altered_results import AlteredResults
from tests.support.canary import CELL, WATCHES, look
from tests.support.commands import END_SECONDS, SERVE_EMBEDDED, Environ, fresh_environ, run, started
from tests.support.orgs import Era, WatchingClient, agent_over, call, closed, loaded, refusal, text_of
from tests.support.plain_http import blocking_http

ROOT = Path(__file__).parent.parent.parent
Transport = Literal["stdio", "HTTP"]

HIDDEN = ("Email", "*birth*", "Contact.Description")
CONTACT = {"object": "Contact", "operation": "insert"}
HEADER = "LastName,Email,Birthdate,Description"
FAILING = f"{HEADER}\nLovelace,{CELL},1815-12-10,about {CELL}\nBabbage,b@x.example,,{CELL}\n"
WRONG = f"{HEADER}\nLovelace,{CELL},{CELL},\nBabbage,,1791-12-26 {CELL},\n"
RESULTS = ("failed-results", "successful-results", "unprocessed-records")


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    hidden = {"BULK_INGEST_HIDE_FIELD": ",".join(HIDDEN), "BULK_INGEST_UPLOAD_ROOT": str(tmp_path)}
    return {**fresh_environ(tmp_path), **hidden}


@asynccontextmanager
async def server_process(transport: Transport, environ: Environ, folder: Path, era: Era) -> AsyncIterator[Client]:
    """A client of a server process with an embedded org in a folder; what it writes to stderr is looked at."""
    data = ("--data-dir", str(folder / "org"))
    async with AsyncExitStack() as stack:
        if transport == "stdio":
            arguments = ["-m", "salesforce_bulk_ingest", "stdio", "--emulator", *data]
            log = stack.enter_context((folder / "stderr.log").open("w"))
            server: Any = stdio_client(StdioServerParameters(command=sys.executable, args=arguments, env=environ), log)
        else:
            process = stack.enter_context(started(environ, *SERVE_EMBEDDED, *data))
            stack.callback(process.end, signal.SIGTERM)
            server = process.url("MCP")
        yield await stack.enter_async_context(WatchingClient(server, mode=era))


async def read_all(client: Client, job_id: str) -> None:
    """Read each result of a job in every way, and the job."""
    for name in RESULTS:
        tool, uri = f"get-{name}-ingest-job", f"salesforce-bulk://jobs/{job_id}/{name}"
        shown = await call(client, tool, jobId=job_id, limit=1)
        await call(client, tool, jobId=job_id, offset=1)
        if "Email" in shown["columns"]:
            await call(client, tool, jobId=job_id, columns=["email", shown["columns"][0].upper()])
            await client.read_resource(f"{uri}?offset=0&limit=1&columns=Email")
        await client.read_resource(uri)
    await client.read_resource(
        f"salesforce-bulk://jobs/{job_id}/failed-results?statusCode=INVALID_EMAIL_ADDRESS&field=Email"
    )
    await client.read_resource(f"salesforce-bulk://jobs/{job_id}")


async def make_mistakes(client: Client, job_id: str) -> None:
    """Make calls that are refused, with cells in the arguments, in a file that is read, and in jobs."""
    data: dict[str, Any]
    for data in (
        {"csv": WRONG},
        {"csv": f"{HEADER}\nLovelace,{CELL}\n\"Babbage,{CELL}\n"},
        {"csv": f"{HEADER}\nLovelace,{CELL},{CELL},{CELL},{CELL}\nx\r,{CELL}\n"},
        {"csv": f"{CELL}"},
        {"records": [{"LastName": "Lovelace", "Email": CELL, "Birthdate": CELL}]},
        {"records": [{"Email": [CELL]}]},
        {"csv": WRONG, "records": [{"Email": CELL}]},
        {"cvs": WRONG},
        {"file": "people.csv"},
        {"file": "people.csv", "columns": {"Mail": "Department", "Birthdate": "Department"}},
        {"file": "people.csv", "columns": {"Mail": None, "Birthdate": "Department"}},
        {"rowsOf": {"jobs": [job_id], "where": {"statusCode": "NO_SUCH_CODE"}}},
    ):  # fmt: skip
        for options in ({}, {"dryRun": True}, {"preflight": "off", "dryRun": True}):
            result = await client.call_tool("create-ingest-job", {"body": CONTACT, "data": data, **options})
            if job := (result.structured_content or {}).get("id"):
                await call(
                    client, "close-abort-ingest-job", jobId=job, body={"state": "UploadComplete"}, waitSeconds=30
                )
                await read_all(client, job)
    await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"csv": WRONG})
    await refusal(client, "close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete", "csv": WRONG})
    await refusal(client, "get-failed-results-ingest-job", jobId=job_id, columns=["NoSuchColumn"])
    for uri in (f"jobs/{job_id}/failed-results?columns=NoSuchColumn", f"jobs/{job_id}/failed-results?limit=x"):
        with pytest.raises(MCPError):
            await client.read_resource(f"salesforce-bulk://{uri}")


@pytest.mark.parametrize(
    ("era", "transport"),
    [
        ("auto", "stdio"),
        ("legacy", "HTTP"),
        pytest.param("legacy", "stdio", marks=pytest.mark.slow),
        pytest.param("auto", "HTTP", marks=pytest.mark.slow),
    ],
)
async def test_no_call_of_a_tool_or_a_resource_shows_it(
    transport: Transport, era: Era, environ: Environ, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text(WRONG.replace("Email", "Mail"))
    async with server_process(transport, environ, tmp_path, era) as client:
        await client.list_tools()
        findings = await call(client, "create-ingest-job", body=CONTACT, data={"csv": WRONG}, dryRun=True)
        assert "[hidden, " in str(findings["findings"])
        job = await loaded(client, FAILING, object="Contact")
        assert "invalid email address: [hidden, " in str(await call(client, "get-failed-results-ingest-job", jobId=job))
        await read_all(client, job)
        await make_mistakes(client, job)
        again = {"rowsOf": {"jobs": [job]}, "values": {"Email": {"": "a@x.example"}}}
        await call(client, "create-ingest-job", body=CONTACT, data=again, dryRun=True)
        retried = await call(client, "create-ingest-job", body=CONTACT, data=again)
        await closed(client, retried["id"])
        await read_all(client, retried["id"])
        await refusal(client, "create-ingest-job", body=CONTACT, data=again)
        aborted = await call(client, "create-ingest-job", body=CONTACT, data={"csv": FAILING}, loadAgain=True)
        await call(client, "close-abort-ingest-job", jobId=aborted["id"], body={"state": "Aborted"})
        await read_all(client, aborted["id"])
        arguments = ("purge", job, "--emulator", "--data-dir", str(tmp_path / "org"), "--yes")
        assert (await anyio.to_thread.run_sync(run, environ, *arguments)).returncode == 0
        await read_all(client, job)
        await call(client, "delete-ingest-job", jobId=job)
        await call(client, "list-all-ingest-jobs")
    # What is kept has it, as a look without the exceptions shows.
    kept = [path async for path in anyio.Path(tmp_path).rglob("spool/**/*.csv") if CELL in await path.read_text()]
    assert kept


def forms_in_messages(content: bytes) -> bytes:
    """Failed rows whose messages quote the cell in every form that an org may give it."""
    cell, header = f"  {CELL} & more ", content.splitlines()[0].decode()
    said = (
        cell, cell.strip(), cell.lower(), cell.strip().upper(), html.escape(cell), f"({CELL} &  more)", f"x{cell.strip()}x"
    )  # fmt: skip
    errors = [
        f"INVALID_FIELD:Foreign key external ID: {text} not found for field Ext__c in entity Contact:--"
        for text in said
    ]
    errors += [f"FIELD_CUSTOM_VALIDATION_EXCEPTION:{text} is taken:Email --" for text in said]
    errors += [f"{text}: was here" for text in said]
    # In another form than any of the row's cells, where the field alone tells that it is one.
    errors += [f"INVALID_EMAIL_ADDRESS:Email: invalid email address: {CELL}.:Email --"]
    rows = [f'"","{error}","Lovelace","{cell}","",""' for error in errors]
    # Cells that stand under other columns, since a comma is too much or too little.
    rows += [f'"","X:y:--","Lovelace","Ada","","","{cell}"', f'"","X:y:--","{cell}","",""']
    return "\n".join((header, *rows, "")).encode()


@pytest.mark.parametrize("no_spool", [False, True])
async def test_no_message_of_the_org_that_quotes_it_shows_it(no_spool: bool, tmp_path: Path) -> None:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")), {"failedResults": [forms_in_messages]})
    async with agent_over(org, hide_fields=HIDDEN, no_spool=no_spool, folder=tmp_path / "kept") as client:
        job = await loaded(client, FAILING, object="Contact")
        shown = [
            await client.call_tool("get-failed-results-ingest-job", {"jobId": job, **columns})
            for columns in ({}, {"columns": ["LastName"]})
        ]
        await client.read_resource(f"salesforce-bulk://jobs/{job}/failed-results")
    # Messages stand in the rows, or, where these come without their errors, in the examples of the causes.
    assert [text_of(page).count("[hidden, ") for page in shown] == [46, 16]


@pytest.mark.parametrize("era", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
async def test_a_crash_inside_the_server_shows_it_to_nobody(era: Era, environ: Environ, tmp_path: Path) -> None:
    arguments = ["-m", "tests.support.crashing_server", str(tmp_path), "stdio"]
    process = StdioServerParameters(command=sys.executable, args=arguments, env=environ, cwd=ROOT)
    with (tmp_path / "stderr.log").open("w") as log:
        async with WatchingClient(stdio_client(process, log), mode=era) as client:
            await crash_everywhere(client)
    told = await anyio.Path(tmp_path / "stderr.log").read_text()
    assert told.count("KeyError\n") > 8 and "ValueError\n" in told


async def crash_everywhere(client: Client) -> None:
    """Make every call of a server whose operations all crash."""
    job = {"jobId": "750000000000001AAA"}
    calls: dict[str, dict[str, Any]] = {
        "list-all-ingest-jobs": {},
        "create-ingest-job": {"body": CONTACT, "data": {"csv": FAILING}},
        "get-ingest-job-status": job,
        "close-abort-ingest-job": {**job, "body": {"state": "Aborted"}},
        "delete-ingest-job": job,
        "upload-data-ingest-job": {**job, "body": {"csv": FAILING}},
        **{f"get-{name}-ingest-job": job for name in RESULTS},
    }
    assert {tool.name for tool in (await client.list_tools()).tools} == calls.keys()
    for tool, given in calls.items():
        assert "failed inside this server" in await refusal(client, tool, **given)
    for name in ("", *(f"/{name}" for name in RESULTS)):
        with pytest.raises(MCPError):
            await client.read_resource(f"salesforce-bulk://jobs/{job['jobId']}{name}")


def test_a_crash_behind_v1_shows_it_to_nobody(environ: Environ, tmp_path: Path) -> None:
    with crashing_server(environ, tmp_path, "v1") as process:
        assert process.stdout is not None
        url = f"{process.stdout.readline().strip()}/v1/jobs/ingest"
        job = "/750000000000001AAA"
        for method, path, body in (
            ("GET", "", ""),
            ("POST", "", json.dumps({**CONTACT, "x": CELL})),
            ("PUT", f"{job}/batches", FAILING),
            ("PATCH", job, json.dumps({"state": CELL})),
            ("GET", f"{job}/failedResults", ""),
        ):
            with blocking_http() as caller:  # the server ends the connection after each
                assert caller.request(method, f"{url}{path}", content=body.encode()).status_code == 500
        printed, errors = process.communicate(timeout=END_SECONDS)
    look("what the server printed", printed + errors)
    assert errors.count("KeyError\n") == errors.count("ValueError\n") == 5


@contextmanager
def crashing_server(environ: Environ, folder: Path, surface: str) -> Iterator[subprocess.Popen[str]]:
    """A server of this surface in a process of its own, whose every operation crashes."""
    arguments = [sys.executable, "-m", "tests.support.crashing_server", str(folder), surface]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, env=environ, cwd=ROOT, encoding="utf-8", **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_cell_is_watched_for() -> None:
    """Without this, all of the above would pass where the plugin is not there."""
    watch = WATCHES["A hidden cell"]
    for form in (CELL, CELL.lower(), b64encode(f"x{CELL}".encode()).decode(), json.dumps({"cell": CELL})):
        watch.look("here", form)
        assert watch.found() == ["here"]
