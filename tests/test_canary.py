"""The canaries are found wherever a test writes them: each of these tests would pass without the plugin."""

import re
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.canary import ALLOWED_FILES, CANARY, CELL_FILES, TOKEN, Watch

LEAKS = """
import logging, subprocess, sys
from base64 import b64encode
from pathlib import Path
import anyio
import pytest
from mcp import MCPError
from mcp.server.mcpserver.exceptions import ResourceError
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from tests.support.asgi_server import running
from tests.support.canary import CELL, TOKEN
from tests.support.commands import Started, fresh_environ, run
from tests.support.orgs import WatchingClient
from tests.support.plain_http import blocking_http

SECRET = {secret}

def get_from(text, headers):
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(text, headers=headers))])
    with running(app) as url, blocking_http() as caller:
        assert caller.get(url).status_code == 200

def test_nothing(tmp_path):
    (tmp_path / "settings.toml").write_text(TOKEN)
    (tmp_path / "people.csv").write_text(CELL)

def test_stdout():
    print(f"with {SECRET}")

def test_stderr():
    print(f"with {SECRET}", file=sys.stderr)

def test_log():
    logging.getLogger("some.room").warning("with %s", SECRET)

def test_log_that_nobody_keeps(caplog):
    logging.getLogger("some.room").warning("with %s", SECRET)
    caplog.clear()

def test_file(tmp_path):
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "page").write_bytes(b"x" + b64encode(b"xx" + SECRET.encode() + b"y"))

def test_name(tmp_path):
    (tmp_path / SECRET).mkdir()

def test_command(tmp_path):
    run(fresh_environ(tmp_path), "-c", f"print({SECRET!r})", program=[sys.executable])

def test_tool():
    server = MCPServer("leaking")
    server.tool(name="leak")(lambda: SECRET)
    async def call():
        async with WatchingClient(server) as client:
            await client.call_tool("leak", {})
    anyio.run(call)

def test_resource():
    server = MCPServer("leaking")
    server.resource("x://leak", name="leak")(lambda: SECRET)
    async def read():
        async with WatchingClient(server) as client:
            await client.read_resource("x://leak")
    anyio.run(read)

def test_http():
    get_from("".join(f"%{ord(sign):02X}" for sign in SECRET), {})

def test_streamed():
    async def body():
        yield b"long before" * 100
        yield SECRET[:7].encode()
        yield SECRET[7:].encode() + b"after"
    app = Starlette(routes=[Route("/", lambda request: StreamingResponse(body()))])
    with running(app) as url, blocking_http() as caller, caller.stream("GET", url) as response:
        assert len(list(response.iter_raw())) > 1

def test_command_that_runs_on(tmp_path):
    text = f"import sys; print('up', flush=True); sys.stdin.read(); print({SECRET!r})"
    with subprocess.Popen([sys.executable, "-c", text], stdin=-1, stdout=-1, stderr=-1, encoding="utf-8") as process:
        Started(process, "").ended(30)

def test_resource_error():
    server = MCPServer("leaking")
    @server.resource("x://leak", name="leak")
    def leak():
        raise ResourceError(SECRET)
    async def read():
        async with WatchingClient(server) as client:
            with pytest.raises(MCPError):
                await client.read_resource("x://leak")
    anyio.run(read)

def test_header():
    get_from("", {"X-Token": SECRET})
"""


NO_FILE: frozenset[str] = frozenset()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is not looked at when its test ends."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.mark.parametrize("secret", ["TOKEN", pytest.param("CELL", marks=pytest.mark.slow)])
def test_each_way_to_write_a_canary_lets_the_test_fail_that_wrote_it(secret: str, folder: Path) -> None:
    (folder / "test_leaks.py").write_text(LEAKS.replace("{secret}", secret))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.canary", "-p", "no:cacheprovider",
         "-rE", "--tb=no", "--rootdir", str(folder), f"--basetemp={folder / 'base'}", str(folder / "test_leaks.py")],
        cwd=Path(__file__).parent.parent, capture_output=True, encoding="utf-8", timeout=90,
    )  # fmt: skip
    ways = re.findall(r"^def test_(\w+)", LEAKS, re.MULTILINE)
    caught = re.findall(r"^ERROR .*::test_(\w+)", done.stdout, re.MULTILINE)
    assert caught == [way for way in ways if way != "nothing"], done.stdout + done.stderr
    assert f"{len(ways)} passed, {len(caught)} errors" in done.stdout


@pytest.mark.parametrize("before", ["", "x", "xx", "00D000000000001!", "Bearer 00D000000000001!"])
@pytest.mark.parametrize("after", ["", "y", "yy"])
def test_a_canary_is_known_in_each_form_wherever_in_a_text_it_stands(before: str, after: str) -> None:
    text = f"{before}{CANARY}{after}"
    watch = Watch(CANARY, NO_FILE.__contains__)
    watch.look("plain", text)
    watch.look("lower case", text.lower())
    watch.look("base64", b64encode(text.encode()))
    watch.look("percent", "".join(f"%{ord(sign):02x}" for sign in text))
    watch.look("query", quote(text))
    assert watch.found() == ["plain", "lower case", "base64", "percent", "query"]
    assert watch.found() == []


def test_what_is_not_the_token_is_not_found(folder: Path) -> None:
    watch = Watch(CANARY, ALLOWED_FILES.__contains__)
    watch.look("another token", "00D000000000001!ANOTHER.ONE.OF.THE.TESTS")
    for name in ALLOWED_FILES:
        (folder / name).write_text(TOKEN)
    watch.look_at_files(folder)
    assert watch.found() == []
    (folder / "uploads.sqlite3").write_bytes(b"\0" * 2_000_000 + TOKEN.encode())
    watch.look_at_files(folder)
    assert watch.found() == [f"the file {folder / 'uploads.sqlite3'}"]


def test_another_secret_is_looked_for_until_what_was_found_is_asked_for() -> None:
    watch = Watch(CANARY, NO_FILE.__contains__)
    watch.look_for("sbi_of-a-caller")
    watch.look("both", f"{CANARY} sbi_of-a-caller")
    watch.look("base64", b64encode(b"Bearer sbi_of-a-caller"))
    assert watch.found() == ["both", "base64"]
    watch.look("later", "sbi_of-a-caller")
    assert watch.found() == []


def test_files_of_rows_have_cells_by_design_and_what_is_beside_them_has_none() -> None:
    kept = ("people.csv", "failedResults.csv", "750A-failed-rows.csv", "failedResults.csv.short", "upload.csv.gz")
    unfinished = ("rows.csv.a1b2c3d4.part", "org.sqlite", "org.sqlite-wal")
    beside = ("failedResults.csv.label", "uploads.sqlite3", "index.sqlite3", "audit.jsonl", "csv", "a.csv.lock", "log")
    names = (*kept, *unfinished, *beside)
    assert [name for name in names if not CELL_FILES.fullmatch(name)] == list(beside)
