"""The commands as a user runs them: what they print, how they end. Each has a home of its own."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.cli.check import check_up
from salesforce_bulk_ingest.settings import LocalPaths, Settings
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.commands import (
    AS_MODULE,
    END_SECONDS,
    INSTALLED,
    SERVE_EMBEDDED,
    TOKEN,
    Environ,
    anonymous,
    everything_points_to_a_listener,
    fresh_environ,
    run,
    started,
)

END_OF_CASE = "\x1e"
ONE_AFTER_THE_OTHER = f"""
import json, os, sys
from salesforce_bulk_ingest.cli.main import main
codes, environ = "", dict(os.environ)
for sys.argv[1:], more in json.loads(sys.argv[1]):
    os.environ.clear()
    os.environ.update(environ | more)
    try:
        main()
    except SystemExit as end:
        codes += str(end.code)
    sys.stderr.write({END_OF_CASE!r})
sys.stderr.write(codes)
"""
"""Runs many commands in one process, which loads the program once."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    return fresh_environ(tmp_path)


@contextmanager
def open_request(url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> Iterator[HTTPResponse]:
    """One request; the answer's head is there, its body unread."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request(method, path, body.encode() or None, headers)
        yield connection.getresponse()


def create_job(rest_url: str) -> str:
    headers = {"Content-Type": "application/json"}
    body = '{"object": "Contact", "operation": "insert"}'
    with open_request(rest_url, "POST", "/v1/jobs/ingest", headers, body) as answer:
        return str(json.load(answer)["id"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def screen_lines(text: str) -> int:
    """How many lines of a terminal with 80 columns the text takes."""
    return sum(max(math.ceil(len(line) / 80), 1) for line in text.splitlines())


def test_the_version_is_one_line(environ: Environ) -> None:
    done = run(environ, "--version", program=INSTALLED)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"salesforce-bulk-ingest {__version__}\n", "")


def test_a_command_without_arguments_shows_what_there_is(environ: Environ) -> None:
    done = run(environ)
    assert (done.returncode, done.stderr) == (2, "")
    for command in ("serve", "stdio", "emulator", "demo", "config", "check"):
        assert re.search(rf"\b{command}\b", done.stdout)


def test_what_a_user_got_wrong_is_one_line_and_exit_code_2(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "org.sqlite").write_text("this is no database, however long it is " * 100)
    acme = {"SALESFORCE_INSTANCE": "acme.my", "SALESFORCE_AUTOMATION_API_KEY": TOKEN}
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        cases: list[tuple[list[str], Environ]] = [
            (["serve", "--emulator", "--mcp-port", port, "--rest-port", "0"], {}),
            (["serve", "--emulator", "--mcp-port", "0"], {"BULK_INGEST_REST_PORT": port}),
            (["emulator", "--port", port], {}),
            (["serve"], {"SALESFORCE_API_VERSION": TOKEN}),
            (["serve", "--rest-host", "0.0.0.0"], {}),
            (["serve", "--mcp-port", "x"], {}),
            (["stdio", "--emulator", "--data-dir", str(tmp_path / "file" / "org")], {}),
            (["srve"], {}),
            (["stdio", "--upload-root", str(tmp_path / "none")], {}),
            (["emulator", "--port", "99999"], {}),
            (["emulator", "--data-dir", str(tmp_path / "broken")], {}),
            (["emulator", "--data-dir", str(tmp_path)], {}),
            (["emulator", "--assume", "second_upload=never"], {}),
            (["emulator", "--assume", "second_upload"], {}),
            (["emulator", "--limit", "daily_batches"], {}),
            (["emulator", "--limit", "daily_batches="], {}),
            (["emulator", "--public-key", str(tmp_path / "file")], {}),
            (["check"], {**acme, "ALL_PROXY": "socks5://127.0.0.1:9"}),
            (["check"], {**acme, "SSL_CERT_FILE": str(tmp_path)}),
        ]
        ended = subprocess.run(
            [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(cases)],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
    *ends, rest = ended.stderr.split(END_OF_CASE)
    assert (ended.stdout, rest) == ("", "2" * len(cases))
    assert [anonymous(complaint, environ).replace(str(tmp_path), "/tmp/x") for complaint in ends] == snapshot(
        [
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --mcp-port.\n",
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --rest-port.\n",
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --port.\n",
            "salesforce-bulk-ingest: SALESFORCE_API_VERSION: expected a version such as 63.0, 41.0 or later.\n",
            "salesforce-bulk-ingest: --rest-host: other machines would reach this server without signing in; if that is meant, add --allow-unauthenticated and --allowed-host NAME (and --allowed-origin for browsers).\n",
            "salesforce-bulk-ingest: Invalid value for '--mcp-port': Input should be a valid integer, unable to parse string as an integer. See `salesforce-bulk-ingest serve --help`.\n",
            "salesforce-bulk-ingest: the embedded org can't be kept in /tmp/x/file/org: Not a directory; choose another --data-dir.\n",
            "salesforce-bulk-ingest: No such command 'srve'. Did you mean 'serve'? See `salesforce-bulk-ingest --help`.\n",
            "salesforce-bulk-ingest: --upload-root: expected a folder that exists, not /tmp/x/none.\n",
            "salesforce-bulk-ingest: Invalid value for '--port': Input should be less than or equal to 65535. See `salesforce-bulk-ingest emulator --help`.\n",
            "salesforce-bulk-ingest: the embedded org in /tmp/x/broken can't be opened: file is not a database.\n",
            "salesforce-bulk-ingest: /tmp/x holds other things and no org; choose an empty or a new folder as --data-dir.\n",
            "salesforce-bulk-ingest: --assume: second_upload: Input should be 'at-close' or 'at-once'.\n",
            "salesforce-bulk-ingest: --assume: 'second_upload' has no value: write it as in second_upload=at-close.\n",
            "salesforce-bulk-ingest: --limit: 'daily_batches' has no value: write it as in daily_batches=15000.\n",
            "salesforce-bulk-ingest: --limit: 'daily_batches' has no value: write it as in daily_batches=15000.\n",
            "salesforce-bulk-ingest: --public-key: /tmp/x/file: expected an RSA public key, or a certificate for one, as PEM text.\n",
            "salesforce-bulk-ingest: the proxy or certificate settings of the environment can't be used: Using SOCKS proxy, but the 'socksio' package is not installed. Make sure to install httpx using `pip install httpx[socks]`.\n",
            "salesforce-bulk-ingest: the proxy or certificate settings of the environment can't be used: [Errno 21] Is a directory\n",
        ]
    )


def test_a_reader_that_leaves_after_the_first_line_ends_the_command_without_a_trace(environ: Environ) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*AS_MODULE, "emulator"]
    ended = subprocess.run(command, env=environ, stdout=writing, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_serving_nothing_but_the_embedded_org_answers_on_both_ports(environ: Environ) -> None:
    with started(environ, *SERVE_EMBEDDED, "--read-only") as server:
        assert anonymous(server.printed, environ) == snapshot("""\
MCP        http://127.0.0.1:PORT/mcp
REST       http://127.0.0.1:PORT/v1
org        embedded org, gone when this ends
org's URL  http://127.0.0.1:PORT
window     http://127.0.0.1:PORT/
policy     read-only
Ctrl-C ends it.
""")
        assert server.url("MCP").endswith("/mcp")
        with open_request(server.url("REST"), "GET", "/v1/jobs/ingest", {}) as answer:
            assert (answer.status, json.load(answer)["records"]) == (200, [])
        with open_request(server.url("REST"), "POST", "/v1/jobs/ingest", {}, "{}") as answer:
            assert answer.status == 403
        assert server.end(signal.SIGTERM) == (0, "")
    assert list(Path(environ["TMPDIR"]).iterdir()) == []


INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_upload_and_an_open_stream_do_not_keep_the_server_from_ending(
    number: signal.Signals, environ: Environ
) -> None:
    with started(environ, *SERVE_EMBEDDED) as server:
        rest, mcp = server.url("REST"), server.url("MCP")
        address = urlsplit(rest)
        with socket.create_connection((str(address.hostname), address.port or 0), timeout=10) as caller:
            head = f"PUT /v1/jobs/ingest/{create_job(rest)}/batches HTTP/1.1\r\nHost: {address.netloc}\r\n"
            caller.sendall(
                f"{head}Content-Type: text/csv\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert caller.recv(1000).startswith(b"HTTP/1.1 100 "), "the server reads the body"
            caller.sendall(b"LastName\nHalf a row")
            accepts = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
            with open_request(mcp, "POST", "/mcp", accepts, INITIALIZE) as answer:
                session = {"Mcp-Session-Id": str(answer.headers["Mcp-Session-Id"])}
            with open_request(mcp, "GET", "/mcp", session | {"Accept": "text/event-stream"}) as stream:
                assert stream.status == 200
                code, complaints = server.end(number)
    assert code == 0
    assert "Traceback" not in complaints
    assert len(complaints.splitlines()) <= 4
    assert list(Path(environ["TMPDIR"]).iterdir()) == []


def test_the_emulator_answers_at_the_url_and_with_the_token_that_it_prints_and_keeps_its_org_where_it_is_told(
    environ: Environ, tmp_path: Path
) -> None:
    with started(environ, "emulator", "--data-dir", str(tmp_path / "org")) as org:
        assert anonymous(org.printed, environ) == snapshot("""\
base URL  http://127.0.0.1:PORT
token     00D000000000001!EMULATOR.ACCESS.TOKEN
client    emulator-client / emulator-secret
window    http://127.0.0.1:PORT/
Ctrl-C ends it.
""")
        url = org.url("base URL")
        path = "/services/data/v63.0/jobs/ingest"
        with open_request(url, "GET", path, {"Authorization": f"Bearer {ACCESS_TOKEN}"}) as answer:
            assert answer.status == 200
        with open_request(url, "GET", path, {"Authorization": "Bearer another"}) as answer:
            assert answer.status == 401
        with open_request(url, "GET", path, {"Host": "evil.example"}) as answer:
            assert answer.status == 421
        assert org.end(signal.SIGINT) == (0, "")
    assert (tmp_path / "org" / "org.sqlite").exists()


@pytest.mark.parametrize("way", ["SIGTERM", "the end of stdin"])
def test_stdio_ends_when_it_is_told_or_its_client_leaves_also_in_the_middle_of_a_call(
    way: str, environ: Environ
) -> None:
    with started(environ, "stdio", "--emulator", until="") as server:
        process = server.process
        assert process.stdin is not None and process.stdout is not None

        def call(number: int, tool: str, arguments: dict[str, Any]) -> None:
            params = {"name": tool, "arguments": arguments}
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            assert process.stdin is not None
            print(json.dumps(message), file=process.stdin, flush=True)

        print(INITIALIZE, file=process.stdin, flush=True)
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "salesforce-bulk-ingest-jobs"
        print('{"jsonrpc": "2.0", "method": "notifications/initialized"}', file=process.stdin, flush=True)
        call(2, "create-ingest-job", {"body": {"object": "Contact", "operation": "insert"}})
        job_id = json.loads(process.stdout.readline())["result"]["structuredContent"]["id"]
        call(3, "get-ingest-job-status", {"jobId": job_id, "waitSeconds": 45})
        if way == "the end of stdin":
            _, complaints = process.communicate(timeout=END_SECONDS)
            code = process.returncode
        else:
            code, complaints = server.end(signal.Signals[way])
    assert (code, complaints) == (0, "")
    assert (Path(environ["XDG_DATA_HOME"]) / "salesforce-bulk-ingest" / "org" / "org.sqlite").exists()


def test_config_prints_entries_that_a_host_takes_as_they_are(environ: Environ) -> None:
    printed = run(environ, "config", "--emulator", program=INSTALLED)
    assert (printed.returncode, printed.stderr) == (0, "")
    entries = re.findall(r"^\{.*?^\}", printed.stdout, re.MULTILINE | re.DOTALL)
    for entry in (json.loads(text) for text in entries):
        (servers,) = entry.values()
        server = servers["salesforce-bulk"]
        assert (server["command"], server["args"]) == (INSTALLED[0], ["stdio", "--emulator"])
        assert Path(server["command"]).is_absolute() and os.access(server["command"], os.X_OK)
    assert len(entries) == 3
    assert printed.stdout.replace(INSTALLED[0], "/opt/bulk").replace(environ["HOME"], "/home/me") == snapshot("""\
Claude Desktop: merge into /home/me/config/Claude/claude_desktop_config.json
{
  "mcpServers": {
    "salesforce-bulk": {
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

Claude Code: run once
claude mcp add salesforce-bulk -- /opt/bulk stdio --emulator

VS Code: merge into .vscode/mcp.json of the workspace
{
  "servers": {
    "salesforce-bulk": {
      "type": "stdio",
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

Cursor: merge into /home/me/.cursor/mcp.json
{
  "mcpServers": {
    "salesforce-bulk": {
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

""")


def test_config_of_a_program_run_as_a_module_names_a_command_that_runs(environ: Environ) -> None:
    printed = run(environ, "config").stdout
    entry = json.loads(printed[printed.index("{") : printed.index("\n}\n") + 2])["mcpServers"]["salesforce-bulk"]
    assert (entry["command"], entry["args"]) == (sys.executable, ["-m", "salesforce_bulk_ingest", "stdio"])


def test_config_names_the_folders_to_upload_from_wherever_a_host_starts_it(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    done = run(environ, "config", "--upload-root", "exports", folder=tmp_path)
    assert done.stdout.count(f'"--upload-root",\n        "{tmp_path / "exports"}"') == 3
    assert f"stdio --upload-root {tmp_path / 'exports'}\n" in done.stdout
    done = run(environ, "config", "--upload-root", "nope", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"salesforce-bulk-ingest: --upload-root: expected a folder that exists, not {tmp_path / 'nope'}.\n",
    )


def _check(environ: Environ, *args: str, **more: str) -> tuple[int, str]:
    ports = {"BULK_INGEST_MCP_PORT": str(free_port()), "BULK_INGEST_REST_PORT": str(free_port())}
    done = run({**environ, **ports, **more}, "check", *args, folder=Path(environ["HOME"]))
    assert done.stderr == ""
    assert screen_lines(done.stdout) <= 24
    assert "SECRET" not in done.stdout
    return done.returncode, anonymous(done.stdout, environ)


def test_check_with_nothing_set_says_what_to_do(environ: Environ) -> None:
    code, printed = _check(environ)
    assert (code, printed) == snapshot(
        (
            1,
            """\
version        1.2.3
settings file  /home/me/config/salesforce-bulk-ingest/settings.toml (not there)
org            none
API version    63.0
policy         read and write; refused operations: delete, hardDelete
files          none are read, since the working folder is /, a home or the system's and no --upload-root is named
MCP port       127.0.0.1:PORT is free
REST port      127.0.0.1:PORT is free

wrong: No Salesforce org is configured. Set SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (an access token), or SALESFORCE_ORG (an alias of the Salesforce CLI's login), in the environment or as instance, access_token and org in /home/me/config/salesforce-bulk-ingest/settings.toml; or start the server with --emulator to try it on an embedded org.
""",
        )
    )


def test_check_of_the_embedded_org_finds_nothing_wrong(environ: Environ) -> None:
    code, printed = _check(environ, "--emulator", SALESFORCE_INSTANCE_URL="http://127.0.0.1:1")
    assert (code, printed) == snapshot(
        (
            0,
            """\
version        1.2.3
settings file  /home/me/config/salesforce-bulk-ingest/settings.toml (not there)
org            embedded org
user           Administrator (admin@emulator.example)
organization   00D000000000001EAA
ingest jobs    0 on the first page
API version    63.0
policy         read and write; refused operations: none
files          none are read, since the working folder is /, a home or the system's and no --upload-root is named
MCP port       127.0.0.1:PORT is free
REST port      127.0.0.1:PORT is free

Nothing is wrong.
""",
        )
    )


def test_check_of_an_org_that_refuses_the_token_says_where_to_put_a_new_one(environ: Environ, tmp_path: Path) -> None:
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url:
        code, printed = _check(environ, SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "Session expired or invalid. Put a new access token where the old one was (SALESFORCE_AUTOMATION_API_KEY or access_token in the settings file), or log in again with the Salesforce CLI.\n",
        )
    )


def test_check_of_an_org_that_can_not_be_reached_says_so(environ: Environ) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, printed = _check(environ, SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "127.0.0.1:PORT could not be reached: All connection attempts failed. Check SALESFORCE_INSTANCE_URL (or instance_url in the settings file), the network and the proxy.\n",
        )
    )


def _html(scope: dict[str, Any], status: int) -> list[dict[str, Any]]:
    return [
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]},
        {"type": "http.response.body", "body": b"<html>[/bold] welcome"},
    ]


async def _website(scope: Any, receive: Any, send: Any) -> None:
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    for message in _html(scope, 404):
        await send(message)


async def _org_with_brackets(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await _website(scope, receive, send)
    status = 200 if scope["path"].endswith("userinfo") else 400
    body: Any = {"name": "Ann [/x] [red]", "preferred_username": "ann@[bold].example", "organization_id": "00D"}
    if status == 400:
        body = [{"errorCode": "API_ERROR", "message": "no [/such] thing"}]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def test_check_of_a_website_says_that_it_is_no_org(environ: Environ) -> None:
    with running(_website) as url:
        code, printed = _check(environ, SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "Salesforce answered with status 404 and no explanation. The host answers, but not as a Salesforce org: check SALESFORCE_INSTANCE_URL (or instance_url in the settings file).\n",
        )
    )


def test_check_of_an_org_without_the_api_version_says_so(environ: Environ, tmp_path: Path) -> None:
    org = {"SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN, "SALESFORCE_API_VERSION": "99.0"}
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url:
        code, printed = _check(environ, SALESFORCE_INSTANCE_URL=url, **org)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "The org has no API version 99.0: choose one that it has in SALESFORCE_API_VERSION (or api_version in the settings file), such as 63.0.\n",
        )
    )


def test_check_shows_which_files_may_be_uploaded_and_how_much_at_once(environ: Environ, tmp_path: Path) -> None:
    def files(*args: str, **more: str) -> str:
        _, printed = _check(environ, *args, **more)
        (found,) = re.findall(r"^files +(.*)$", printed, re.MULTILINE)
        return str(found).replace(str(tmp_path), "/tmp/x")

    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    served = {
        "BULK_INGEST_MCP_HOST": "0.0.0.0",
        "BULK_INGEST_ALLOW_UNAUTHENTICATED": "1",
        "BULK_INGEST_ALLOWED_HOST": "bulk.example",
    }
    assert files("--upload-root", str(one), "--max-upload-bytes", "5000", **served) == snapshot(
        "under /tmp/x/one, up to 5,000 bytes an upload"
    )
    assert files("--upload-root", str(one), "--upload-root", str(two)) == snapshot(
        "under /tmp/x/one and /tmp/x/two, up to 100,000,000 bytes an upload"
    )
    assert files("--read-only") == snapshot("none are read, since nothing is uploaded")


async def test_check_shows_the_working_folder_where_it_stands_in_and_why_it_does_not(tmp_path: Path) -> None:
    work = LocalPaths(tmp_path / "settings.toml", tmp_path, tmp_path, tmp_path, tmp_path)
    facts = dict((await check_up(Settings(mcp_port=0, rest_port=0), work, None)).facts)
    assert facts["files"] == f"under {tmp_path} (the working folder), up to 100,000,000 bytes an upload"
    others = Settings(mcp_port=0, mcp_host="0.0.0.0", allow_unauthenticated=True, allowed_host=("bulk.example",))
    facts = dict((await check_up(others, work, None)).facts)
    assert facts["files"] == "none are read, since other machines are served and no --upload-root is named"


def test_what_may_not_be_what_was_meant_is_a_warning(environ: Environ) -> None:
    """Whatever is set: the command runs on."""
    odd = {
        "BULK_INGEST_ALLOWED_HOSTS": TOKEN,
        "BULK_INGEST_COLOUR": "red",
        "SALESFORCE_INSTANCE_ULR": "https://acme.my.salesforce.com",
        "SALESFORCE_ORG_ID": "00D000000000001",
        "SALESFORCE_USERNAME": "ann@acme.example",
    }
    for args in ([], ["--emulator"]):
        done = run(environ | odd, "check", "--upload-root", environ["HOME"], "--upload-root", "/", *args)
        ours = """\
salesforce-bulk-ingest: warning: BULK_INGEST_ALLOWED_HOSTS is not read: did you mean BULK_INGEST_ALLOWED_HOST?
salesforce-bulk-ingest: warning: BULK_INGEST_COLOUR is not read: there is no such setting.
"""
        theirs = """\
salesforce-bulk-ingest: warning: SALESFORCE_INSTANCE_ULR is not read: did you mean SALESFORCE_INSTANCE_URL?
"""
        roots = """\
salesforce-bulk-ingest: warning: every file under /home/me may be uploaded: name the folder of the data alone as --upload-root.
salesforce-bulk-ingest: warning: every file under / may be uploaded: name the folder of the data alone as --upload-root.
"""
        assert anonymous(done.stderr, environ) == f"{ours}{'' if args else theirs}{roots}"
        assert "policy" in done.stdout


def test_what_an_org_says_is_shown_as_it_is(environ: Environ) -> None:
    with running(_org_with_brackets) as url:
        code, printed = _check(environ, SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert code == 1
    assert "Ann [/x] [red] (ann@[bold].example)" in printed
    assert "wrong: no [/such] thing." in printed


def test_serving_the_embedded_org_calls_nothing_that_the_environment_names(environ: Environ, tmp_path: Path) -> None:
    with everything_points_to_a_listener(environ, tmp_path) as pointed, started(pointed, *SERVE_EMBEDDED) as server:
        job_id = create_job(server.url("REST"))
        with open_request(server.url("REST"), "GET", f"/v1/jobs/ingest/{job_id}", {}) as answer:
            assert json.load(answer)["apiVersion"] == 63.0
        assert server.end(signal.SIGTERM) == (0, "")
