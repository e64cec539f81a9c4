"""The command `stdio`: how it ends, and how its client learns what is wrong with the settings."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.cli.conftest import RunHere
from tests.cli.requests import INITIALIZE
from tests.support.canary import TOKEN
from tests.support.commands import (
    AS_MODULE,
    Environ,
    anonymous,
    started,
    write_settings,
)
from tests.support.orgs import ERAS, Era, refusal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.mark.parametrize("way", [pytest.param("SIGTERM", marks=pytest.mark.slow), "the end of stdin"])
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
            _, complaints = server.ended()
            code = process.returncode
        else:
            code, complaints = server.end(signal.Signals[way])
    assert code == 0
    assert anonymous(complaints, environ) == snapshot(
        "salesforce-bulk-ingest: the embedded org is in /home/me/data/salesforce-bulk-ingest/org, its window at http://127.0.0.1:PORT/\n"
    )
    assert (Path(environ["XDG_DATA_HOME"]) / "salesforce-bulk-ingest" / "org" / "org.sqlite").exists()


@pytest.mark.slow
@pytest.mark.parametrize("end", [b"\x04", b"\x03"], ids=["Ctrl-D", "Ctrl-C"])
def test_stdio_on_a_terminal_says_what_it_is_for_and_how_to_end_it(end: bytes, environ: Environ) -> None:
    terminal, for_process = pty.openpty()
    command = [*AS_MODULE, "stdio", "--emulator"]
    with subprocess.Popen(
        command, env=environ, stdin=for_process, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), encoding="utf-8",
    ) as process:  # fmt: skip
        os.close(for_process)
        assert process.stderr is not None
        told, window = process.stderr.readline(), process.stderr.readline()
        os.write(terminal, end)
        printed, more = process.communicate(timeout=30)
    os.close(terminal)
    assert (process.returncode, printed, more.strip()) == (0, "", "")
    assert told == snapshot(
        "salesforce-bulk-ingest: this is for a host such as Claude Desktop, which starts it and speaks MCP over stdin and stdout; `salesforce-bulk-ingest config` shows the entry for yours, and `salesforce-bulk-ingest serve` is for people and HTTP. Ctrl-D ends it.\n"
    )
    assert "its window at http://127.0.0.1:" in window


@pytest.mark.slow
def test_check_looks_at_the_org_that_stdio_opens(environ: Environ, run_here: RunHere) -> None:
    def facts() -> str:
        printed = anonymous(run_here("check", "--emulator").stdout, environ)
        return "\n".join(re.findall(r"^(?:org's folder|organization|ingest jobs) .*$", printed, re.MULTILINE))

    assert facts() == snapshot("""\
org's folder   ~/data/salesforce-bulk-ingest/org (not there yet: `stdio --emulator` makes it at its first start)
ingest jobs    0 on the first page\
""")
    with started(environ, "stdio", "--emulator", until="") as server:
        process = server.process
        assert process.stdin is not None and process.stdout is not None
        print(INITIALIZE, file=process.stdin, flush=True)
        process.stdout.readline()
        print('{"jsonrpc": "2.0", "method": "notifications/initialized"}', file=process.stdin, flush=True)
        arguments = {"body": {"object": "Contact", "operation": "insert"}}
        params = {"name": "create-ingest-job", "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        print(json.dumps(message), file=process.stdin, flush=True)
        process.stdout.readline()
        assert facts() == snapshot("""\
org's folder   ~/data/salesforce-bulk-ingest/org
organization   00DEmxxxxxxxxxxxxx
ingest jobs    1 on the first page\
""")
        server.ended()


def _told(environ: Environ, *args: str) -> tuple[str, str]:
    """What a call of a tool is told by a server that has a mistake in its settings, and what it printed to stderr."""
    with started(environ, "stdio", *args, until="") as server:
        process = server.process
        assert process.stdin is not None and process.stdout is not None
        print(INITIALIZE, file=process.stdin, flush=True)
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "salesforce-bulk-ingest-jobs"
        print('{"jsonrpc": "2.0", "method": "notifications/initialized"}', file=process.stdin, flush=True)
        params = {"name": "list-all-ingest-jobs", "arguments": {}}
        message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        print(json.dumps(message), file=process.stdin, flush=True)
        result = json.loads(process.stdout.readline())["result"]
        printed, complaints = server.ended()
    assert result["isError"] is True
    assert (process.returncode, printed) == (0, "")
    return anonymous(result["content"][0]["text"], environ), anonymous(complaints, environ)


def _broken_org(folder: Path) -> str:
    (folder / "broken").mkdir()
    (folder / "broken" / "org.sqlite").write_text("this is no database, however long it is " * 100)
    return str(folder / "broken")


@pytest.mark.slow
def test_a_mistake_in_the_settings_reaches_the_client_as_the_answer_to_its_call(
    environ: Environ, tmp_path: Path
) -> None:
    shared = write_settings(environ, f'access_token = "{TOKEN}"')
    shared.chmod(0o644)
    (tmp_path / "file").touch()
    in_file = environ | {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    cases: list[tuple[Environ, tuple[str, ...]]] = [
        (environ, ()),
        (in_file | {"SALESFORCE_API_VERSION": TOKEN}, ()),
        (in_file, ("--allow-operation", "upsert")),
        (in_file, ("--max-upload-bytes", "many")),
        (in_file, ("--no-such-flag",)),
        (in_file, ("--org", "uat")),
        (in_file, ("--emulator", "--data-dir", str(tmp_path / "file" / "org"))),
        (in_file, ("--emulator", "--data-dir", _broken_org(tmp_path))),
        (in_file | {"SSL_CERT_FILE": str(tmp_path)}, ()),
    ]
    told = [_told(more, *args) for more, args in cases]
    told = [
        (answer.replace(str(tmp_path), "/tmp/x"), printed.replace(str(tmp_path), "/tmp/x")) for answer, printed in told
    ]
    assert {answer.splitlines()[1] for answer, _ in told} == snapshot(
        {
            "Next: Tell the user: that is a mistake in the settings of this server, and no tool works before it is mended. `salesforce-bulk-ingest check` shows whether it is; then the server has to be restarted."
        }
    )
    answers = [answer.splitlines()[0].removeprefix("SERVER_UNAVAILABLE: ") for answer, _ in told]
    assert answers == snapshot(
        [
            "/home/me/config/salesforce-bulk-ingest/settings.toml holds a secret and others can read it: run `chmod 600 '/home/me/config/salesforce-bulk-ingest/settings.toml'`.",
            "SALESFORCE_API_VERSION: expected a version such as 63.0, 41.0 or later.",
            "--allow-operation: expected 'delete' or 'hardDelete'.",
            "--max-upload-bytes: expected a whole number, in digits alone, such as 100000000.",
            "No such option: --no-such-flag. See `salesforce-bulk-ingest stdio --help`.",
            "--org: there is no table [orgs.NAME] in /tmp/x/none/salesforce-bulk-ingest/settings.toml.",
            "the embedded org can't be kept in /tmp/x/file/org: Not a directory; choose another --data-dir.",
            "the embedded org in /tmp/x/broken can't be opened: file is not a database.",
            "the proxy or certificate settings of the environment can't be used: [Errno 21] Is a directory",
        ]
    )
    assert [printed for _, printed in told] == [f"salesforce-bulk-ingest: {answer}\n" for answer in answers]


@pytest.mark.parametrize("era", [ERAS[0], pytest.param(ERAS[1], marks=pytest.mark.slow)])
async def test_a_client_of_each_protocol_is_told_of_the_mistake_and_leaves_as_usual(
    era: Era, environ: Environ, tmp_path: Path
) -> None:
    program, *module = AS_MODULE
    process = StdioServerParameters(command=program, args=[*module, "stdio", "--spool-days", "0"], env=environ)
    with (tmp_path / "stderr").open("w") as stderr:
        async with Client(stdio_client(process, errlog=stderr), mode=era) as client:
            assert len((await client.list_tools()).tools) == 9
            told = await refusal(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    assert told.startswith("SERVER_UNAVAILABLE: --spool-days: expected 1 or more.\nNext: Tell the user")
    assert (tmp_path / "stderr").read_text() == "salesforce-bulk-ingest: --spool-days: expected 1 or more.\n"
