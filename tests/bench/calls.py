"""Measure calls: how many of a tool go in a second beside a bare tool on the same SDK, and how soon stdio lists its tools."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.bare_tool import TOOL
from tests.bench.many import both_tools, many
from tests.bench.processes import OURS, environment

CLIENTS = 16
ROUNDS = 5
LEAST_OF_THE_BARE_TOOL = 0.7
STARTS = 9
MOST_TIMES_THE_IMPORT = 1.2

LIST_TOOLS = [
    {
        "jsonrpc": "2.0",
        "id": "start",
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": "list", "method": "tools/list"},
]


def _rates(seconds: float) -> bool:
    """Call both tools in turn, and return whether this one is near enough to the bare one."""
    bare: list[float] = []
    ours: list[float] = []
    with both_tools(CLIENTS) as (bare_port, our_port):
        for _ in range(ROUNDS):
            bare.append(len(asyncio.run(many(bare_port, CLIENTS, seconds))) / seconds)
            ours.append(len(asyncio.run(many(our_port, CLIENTS, seconds))) / seconds)
    ratio = median(mine / least for mine, least in zip(ours, bare, strict=True))
    met = ratio >= LEAST_OF_THE_BARE_TOOL
    print(f"  bare tool {median(bare):7.0f} calls/s\n  this tool {median(ours):7.0f} calls/s")
    print(f"{'pass' if met else 'FAIL'}  {ratio:.2f} x the rate of the bare tool, at least {LEAST_OF_THE_BARE_TOOL}")
    return met


def _starts() -> bool:
    """Import the SDK and start stdio in turn, and return whether the start takes hardly longer."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        both = [(_seconds(_import_sdk, home), _seconds(_list_tools, home)) for _ in range(STARTS)]
    imports, starts = (median(each) for each in zip(*both, strict=True))
    ratio = median(start / imported for imported, start in both)
    met = ratio <= MOST_TIMES_THE_IMPORT
    print(f"  import mcp               {imports:7.2f} s\n  stdio, up to tools/list  {starts:7.2f} s")
    print(f"{'pass' if met else 'FAIL'}  {ratio:.2f} x the import, at most {MOST_TIMES_THE_IMPORT}", flush=True)
    return met


def _seconds(work: Callable[[str], None], home: str) -> float:
    began = time.perf_counter()
    work(home)
    return time.perf_counter() - began


def _import_sdk(home: str) -> None:
    subprocess.run([sys.executable, "-c", "import mcp"], env=environment(Path(home)), check=True)


def _list_tools(home: str) -> None:
    """Start the server on stdio and return when it has listed its tools; it ends by itself where stdin ends."""
    command = [*OURS, "stdio"]
    with subprocess.Popen(
        command, env=environment(Path(home)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        for message in LIST_TOOLS:
            server.stdin.write(json.dumps(message).encode() + b"\n")
        server.stdin.flush()
        while json.loads(server.stdout.readline()).get("id") != "list":
            pass
        server.kill()


def run(*, quick: bool) -> bool:
    """Measure rates and starts; return whether both are near enough to those of the SDK alone."""
    seconds = 2.0 if quick else 5.0
    print(
        f"\nCalls of {TOOL} over {CLIENTS} connections, medians of {ROUNDS} rounds of {seconds:.0f} s each, in turn:\n"
    )
    rates = _rates(seconds)
    print(f"\nStarts, medians of {STARTS}, in turn:\n", flush=True)
    starts = _starts()
    return rates and starts
