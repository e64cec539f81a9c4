"""The command `stdio`: how it ends."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.requests import INITIALIZE
from tests.support.commands import END_SECONDS, Environ, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


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
