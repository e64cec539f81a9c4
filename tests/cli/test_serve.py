"""The command `serve`: what it prints, that it answers, and that nothing keeps it from ending."""

import json
import re
import resource
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from inline_snapshot import snapshot

from tests.cli.conftest import RunHere
from tests.cli.requests import INITIALIZE, create_job, open_request
from tests.support.canary import TOKEN
from tests.support.commands import (
    READY,
    SERVE_EMBEDDED,
    Environ,
    anonymous,
    everything_points_to_a_listener,
    run,
    started,
    write_settings,
)
from tests.support.wire import exchanged

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_serve_answers_on_both_ports_calls_nothing_that_the_environment_names_and_ends_in_mid_upload(
    environ: Environ, tmp_path: Path
) -> None:
    with everything_points_to_a_listener(environ, tmp_path) as pointed, started(pointed, *SERVE_EMBEDDED) as server:
        folder = rf"under {re.escape(str(Path.cwd()))} \(the working folder; --upload-root DIR names another\), up to"
        assert re.search(rf"^files +{folder} 100,000,000 bytes an upload$", server.printed, re.MULTILINE)
        rest = server.url("REST")
        job_id = create_job(rest)
        with open_request(rest, "GET", f"/v1/jobs/ingest/{job_id}", {}) as answer:
            assert json.load(answer)["apiVersion"] == 63.0
        with half_an_upload(rest, job_id), open_stream(server.url("MCP")):
            code, complaints = server.end(signal.SIGINT)
    assert_ended_well(code, complaints, environ)


@pytest.mark.slow
def test_a_read_only_server_says_so_refuses_changes_and_ends_with_an_open_stream(environ: Environ) -> None:
    with started(environ, *SERVE_EMBEDDED, "--read-only") as server:
        assert anonymous(server.printed, environ) == snapshot("""\
MCP        http://127.0.0.1:PORT/mcp
REST       http://127.0.0.1:PORT/v1
org        embedded org, gone when this ends
org's URL  http://127.0.0.1:PORT
window     http://127.0.0.1:PORT/
callers    anyone on this machine
policy     read-only
Ctrl-C ends it.
""")
        with open_request(server.url("REST"), "GET", "/v1/jobs/ingest", {}) as answer:
            assert (answer.status, json.load(answer)["records"]) == (200, [])
        with open_request(server.url("REST"), "POST", "/v1/jobs/ingest", {}, "{}") as answer:
            assert answer.status == 403
        with open_stream(server.url("MCP")):
            code, complaints = server.end(signal.SIGTERM)
    assert_ended_well(code, complaints, environ)


@pytest.mark.slow
def test_a_verbose_server_logs_requests_without_what_is_in_them_and_its_org_has_the_port_that_is_named(
    environ: Environ,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started(environ, *SERVE_EMBEDDED, "--verbose", "--emulator-port", str(port)) as server:
        assert server.url("window") == f"http://127.0.0.1:{port}/"
        with open_request(server.url("REST"), "GET", f"/v1/jobs/ingest?x={TOKEN}", {"X-Token": TOKEN}) as answer:
            assert answer.status == 200
        code, complaints = server.end(signal.SIGTERM)
    assert code == 0
    assert re.sub(r"\d+ ms", "N ms", complaints) == snapshot(
        "INFO salesforce_bulk_ingest.serving.request_log: REST GET /v1/jobs/ingest?...: 200, N ms\n"
    )


def test_the_port_of_an_embedded_org_is_refused_without_one(environ: Environ) -> None:
    done = run(environ, "serve", "--emulator-port", "9999")
    assert (
        done.stderr == "salesforce-bulk-ingest: --emulator-port: that is about the embedded org, so add --emulator.\n"
    )


WARNED_AT_START = """\
salesforce-bulk-ingest: warning: no call reaches the org: The Salesforce CLI ('no-such-sf') is neither on the PATH of this program nor where it is usually installed: install it, or name its full path in SALESFORCE_CLI.
salesforce-bulk-ingest: warning: this server may write into production (login "me" of the Salesforce CLI), whichever org its login opens: paste expect_org = "00D..." into [orgs.prod] of FILE; `salesforce-bulk-ingest check` prints the line with the id.
"""
"""What a server says of `prod_by_the_cli` on stderr."""


def prod_by_the_cli(environ: Environ) -> Path:
    """The settings file of a user whose login of production needs a Salesforce CLI that is not there."""
    return write_settings(environ, "[orgs.prod]\norg = 'me'\ncli = 'no-such-sf'")


def test_serve_warns_of_a_login_that_does_not_work_and_of_production_before_it_opens_its_ports(
    run_here: RunHere, environ: Environ
) -> None:
    file = prod_by_the_cli(environ)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        done = run_here("serve", "--org", "prod", "--mcp-port", str(busy.getsockname()[1]), "--rest-port", "0")
    *warnings, complaint = done.stderr.replace(str(file), "FILE").splitlines(keepends=True)
    assert "".join(warnings) == WARNED_AT_START
    assert "is in use by another program" in complaint


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "stdio"])
def test_a_server_that_can_not_log_in_or_may_write_into_production_says_so_at_its_start(
    command: str, environ: Environ
) -> None:
    """On stderr, without a call to the org."""
    file = prod_by_the_cli(environ)
    ports = ("--mcp-port", "0", "--rest-port", "0") if command == "serve" else ()
    with started(environ, command, "--org", "prod", *ports, until=READY if command == "serve" else "") as server:
        assert server.process.stderr is not None
        warnings = "".join(server.process.stderr.readline() for _ in range(2))
        server.process.send_signal(signal.SIGTERM)
        _, more = server.ended()
    assert more == ""
    assert warnings.replace(str(file), "FILE") == WARNED_AT_START


@contextmanager
def half_an_upload(rest_url: str, job_id: str) -> Iterator[None]:
    """A caller that has sent a part of its body, which the server reads."""
    address = urlsplit(rest_url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=10) as caller:
        head = f"PUT /v1/jobs/ingest/{job_id}/batches HTTP/1.1\r\nHost: {address.netloc}\r\n"
        caller.sendall(f"{head}Content-Type: text/csv\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert caller.recv(1000).startswith(b"HTTP/1.1 100 "), "the server reads the body"
        caller.sendall(b"LastName\nHalf a row")
        yield


@contextmanager
def open_stream(mcp_url: str) -> Iterator[None]:
    """An MCP client that listens for what the server has to say."""
    accepts = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    with open_request(mcp_url, "POST", "/mcp", accepts, INITIALIZE) as answer:
        session = {"Mcp-Session-Id": str(answer.headers["Mcp-Session-Id"])}
    with open_request(mcp_url, "GET", "/mcp", session | {"Accept": "text/event-stream"}) as stream:
        assert stream.status == 200
        yield


def assert_ended_well(code: int, complaints: str, environ: Environ) -> None:
    """The server ended in time, said little, and left no files behind."""
    assert code == 0
    assert "Traceback" not in complaints
    assert len(complaints.splitlines()) <= 4
    assert list(Path(environ["TMPDIR"]).iterdir()) == []


UPLOAD = (
    "PUT /v1/jobs/ingest/{job_id}/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n{length}\r\n\r\nLast"
)
CALL = (
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
    "Accept: application/json, text/event-stream\r\n{more}\r\n{{"
)


@pytest.mark.slow
def test_callers_that_leave_in_the_middle_of_a_body_leave_nothing_in_the_log(environ: Environ) -> None:
    with started(environ, *SERVE_EMBEDDED) as server:
        rest, mcp, org = server.url("REST"), server.url("MCP"), server.url("org's URL")
        uploads = [
            UPLOAD.format(job_id=create_job(rest), length=length)
            for length in ("Content-Length: 1000", "Transfer-Encoding: chunked\r\n\r\n8")
        ]
        calls = [
            CALL.format(more=more) for more in ("", "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n")
        ]
        for url, requests in (
            (rest, uploads),
            (mcp, calls),
            (org, [upload.replace("/v1", DATA) for upload in uploads]),
        ):
            for request in requests:
                for reset in (False, True):
                    leave_after(url, request, reset=reset)
        with open_stream(mcp):
            pass
        with open_request(rest, "GET", "/v1/jobs/ingest", {}) as answer:
            assert answer.status == 200
        code, complaints = server.end(signal.SIGINT)
    assert (code, complaints) == (0, "")


DATA = "/services/data/v63.0"


def leave_after(url: str, request: str, *, reset: bool) -> None:
    """Send these bytes, and close the connection, in good order or not."""
    with connect(url) as caller:
        caller.sendall(request.encode())
        if reset:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), address.port or 0), timeout=10)


@pytest.mark.slow
def test_each_port_closes_the_connection_of_a_request_that_tells_its_length_twice(environ: Environ) -> None:
    lengths = "Content-Length: 2\r\nTransfer-Encoding: chunked"
    with started(environ, *SERVE_EMBEDDED) as server:
        for name, path in (("MCP", "/mcp"), ("REST", "/v1/jobs/ingest"), ("org's URL", f"{DATA}/jobs/ingest")):
            request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            answer = exchanged(server.url(name), request.encode())
            assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_a_server_without_descriptors_says_so_in_one_line_and_goes_on_once_there_are_some(environ: Environ) -> None:
    with started(environ, *SERVE_EMBEDDED) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (40, 40))
        with ExitStack() as idle:
            for url in [server.url("REST"), server.url("MCP"), server.url("org's URL")] * 20:
                idle.enter_context(connect(url))
            assert server.process.stderr is not None
            complaint = server.process.stderr.readline()
        with open_request(server.url("REST"), "GET", "/v1/jobs/ingest", {}) as answer:
            assert answer.status == 200
        code, more = server.end(signal.SIGTERM)
    assert (code, more) == (0, "")
    assert complaint == (
        "ERROR asyncio: Too many open files: new connections and files have to wait until others are closed; "
        "`ulimit -n` shows the limit, and raises it\n"
    )
