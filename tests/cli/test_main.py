"""The program: its commands, and how errors end them."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest import __version__
from tests.cli.conftest import RunHere
from tests.support.asgi_server import running
from tests.support.canary import TOKEN
from tests.support.commands import (
    AS_MODULE,
    INSTALLED,
    Environ,
    anonymous,
    run,
)
from tests.support.wire import pass_lifespan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_the_version_is_one_line(run_here: RunHere) -> None:
    done = run_here("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"salesforce-bulk-ingest {__version__}\n", "")


def test_a_command_without_arguments_shows_what_there_is(run_here: RunHere) -> None:
    done = run_here()
    assert (done.returncode, done.stderr) == (2, "")
    for command in ("serve", "stdio", "emulator", "demo", "config", "check"):
        assert re.search(rf"\b{command}\b", done.stdout)


def test_what_a_user_got_wrong_is_one_line_and_exit_code_2(run_here: RunHere, environ: Environ, tmp_path: Path) -> None:
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
            (["serve", "--emulator", "--data-dir", str(tmp_path / "file" / "org")], {}),
            (["srve"], {}),
            (["serve", "--upload-root", str(tmp_path / "none")], {}),
            (["emulator", "--port", "99999"], {}),
            (["emulator", "--port", "x"], {}),
            (["emulator", "--rows-per-second", "0"], {}),
            (["emulator", "--allowed-host", "http://org"], {}),
            (["emulator", "--data-dir", str(tmp_path / "broken")], {}),
            (["emulator", "--data-dir", str(tmp_path)], {}),
            (["emulator", "--assume", "second_upload=never"], {}),
            (["emulator", "--assume", "second_upload"], {}),
            (["emulator", "--limit", "daily_batches"], {}),
            (["emulator", "--limit", "daily_batches="], {}),
            (["emulator", "--public-key", str(tmp_path / "file")], {}),
            (["emulator", "--callback-url", "localhost"], {}),
            (["check"], {**acme, "ALL_PROXY": "socks5://127.0.0.1:9"}),
            (["check"], {**acme, "SSL_CERT_FILE": str(tmp_path)}),
        ]
        ends = [run_here(*args, more=more) for args, more in cases]
    assert {(end.returncode, end.stdout) for end in ends} == {(2, "")}
    complaints = [anonymous(end.stderr, environ).replace(str(tmp_path), "/tmp/x") for end in ends]
    assert [re.sub(r"(Using SOCKS proxy)[^.]*\.", r"\1 …", text) for text in complaints] == snapshot(
        [
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --mcp-port.\n",
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --rest-port.\n",
            "salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --port.\n",
            "salesforce-bulk-ingest: SALESFORCE_API_VERSION: expected a version such as 63.0, 41.0 or later.\n",
            "salesforce-bulk-ingest: --rest-host: other machines would reach this server without signing in: make a token for each caller (`salesforce-bulk-ingest token add NAME`), name an issuer of access tokens (--oauth-issuer and --public-url), or, if nobody has to sign in, add --allow-unauthenticated.\n",
            "salesforce-bulk-ingest: --mcp-port: expected a whole number, in digits alone, such as 9090.\n",
            "salesforce-bulk-ingest: the embedded org can't be kept in /tmp/x/file/org: Not a directory; choose another --data-dir.\n",
            "salesforce-bulk-ingest: No such command 'srve'. Did you mean 'serve'? See `salesforce-bulk-ingest --help`.\n",
            "salesforce-bulk-ingest: --upload-root: expected a folder that exists, not /tmp/x/none.\n",
            "salesforce-bulk-ingest: --port: expected 65535 or less.\n",
            "salesforce-bulk-ingest: --port: expected a whole number, in digits alone.\n",
            "salesforce-bulk-ingest: --rows-per-second: expected 1 or more.\n",
            "salesforce-bulk-ingest: --allowed-host: expected a name as in a Host header, such as bulk.example or bulk.example:8443.\n",
            "salesforce-bulk-ingest: the embedded org in /tmp/x/broken can't be opened: file is not a database.\n",
            "salesforce-bulk-ingest: /tmp/x holds other things and no org; choose an empty or a new folder as --data-dir.\n",
            "salesforce-bulk-ingest: --assume: second_upload: expected at-close or at-once.\n",
            "salesforce-bulk-ingest: --assume: 'second_upload' has no value: write it as in second_upload=at-close.\n",
            "salesforce-bulk-ingest: --limit: 'daily_batches' has no value: write it as in daily_batches=15000.\n",
            "salesforce-bulk-ingest: --limit: 'daily_batches' has no value: write it as in daily_batches=15000.\n",
            "salesforce-bulk-ingest: --public-key: /tmp/x/file: expected an RSA public key, or a certificate for one, as PEM text.\n",
            "salesforce-bulk-ingest: --callback-url: expected a URL such as http://localhost:PORT/OauthRedirect, without a fragment.\n",
            "salesforce-bulk-ingest: the proxy or certificate settings of the environment can't be used: Using SOCKS proxy … Make sure to install httpx using `pip install httpx[socks]`.\n",
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


@pytest.mark.parametrize("program", [AS_MODULE, INSTALLED], ids=["module", "installed"])
def test_a_command_that_is_interrupted_while_it_is_loaded_ends_at_once_and_says_nothing(
    environ: Environ, tmp_path: Path, program: tuple[str, ...]
) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nbrought = 1 / 0")
    done = run({**environ, "PYTHONPATH": str(tmp_path)}, "config", program=program)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupted_command_ends_with_the_exit_code_that_shells_give_it(run_here: RunHere) -> None:
    async def interrupt(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        os.kill(os.getpid(), signal.SIGINT)
        while (await receive())["type"] != "http.disconnect":
            pass

    with running(interrupt) as url:
        done = run_here("check", more={"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": TOKEN})
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
