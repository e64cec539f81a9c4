"""Measure many clients at once: the time of a tool beside a bare tool on the same SDK that makes the same call to Salesforce."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from tests.bench.bare_tool import TOOL
from tests.bench.processes import bare_tool, still_org, tools
from tests.bench.still_org import JOB_ID

CLIENTS = 200
ROUNDS = 2
MOST_TIMES_THE_BARE_TOOL = 1.5

_CALL = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": TOOL,
            "arguments": {"jobId": JOB_ID},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
)
REQUEST = (
    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Type: application/json\r\n"
    "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
    f"Mcp-Name: {TOOL}\r\nContent-Length: {len(_CALL)}\r\n\r\n{_CALL}"
).encode()


async def _client(port: int, until: float, seconds: list[float]) -> None:
    """Call the tool over one connection, again and again; append the seconds of each call."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (started := time.perf_counter()) < until:
        writer.write(REQUEST)
        answer = await _answer(reader)
        seconds.append(time.perf_counter() - started)
        if JOB_ID.encode() not in answer or b'"isError":true' in answer:
            raise RuntimeError(f"no answer of the tool: {answer[:500]!r}")
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read the body of one response, of known length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length: " in head:
        return await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def many(port: int, clients: int, duration: float) -> list[float]:
    """Return the seconds of each call that so many clients made within the duration."""
    seconds: list[float] = []
    until = time.perf_counter() + duration
    await asyncio.gather(*(_client(port, until, seconds) for _ in range(clients)))
    return seconds


@contextmanager
def both_tools(clients: int) -> Iterator[tuple[int, int]]:
    """The bare tool and this server before the same org, each warm from a second of calls; yields their ports of MCP."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        org_port = stack.enter_context(still_org(folder))
        bare_port = stack.enter_context(bare_tool(folder, org_port))
        our_port, _ = stack.enter_context(tools(folder, org_port))
        for port in (bare_port, our_port):
            asyncio.run(many(port, clients, 1))
        yield bare_port, our_port


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]


def _show(name: str, seconds: list[float], duration: float) -> None:
    print(
        f"  {name:<10} {median(seconds) * 1000:7.0f} ms median {_p99(seconds) * 1000:7.0f} ms p99 "
        f"{max(seconds) * 1000:7.0f} ms at most {len(seconds) / duration:7.0f} calls/s",
        flush=True,
    )


def run(*, quick: bool) -> bool:
    """Measure both in turn; return whether the tool is near enough to the bare one."""
    duration = 5.0 if quick else 15.0
    bare: list[float] = []
    ours: list[float] = []
    with both_tools(CLIENTS) as (bare_port, our_port):
        print(f"\n{CLIENTS} clients of {TOOL}, {ROUNDS} times {duration:.0f} s each, in turn:\n", flush=True)
        for _ in range(ROUNDS):
            bare += asyncio.run(many(bare_port, CLIENTS, duration))
            ours += asyncio.run(many(our_port, CLIENTS, duration))
    _show("bare tool", bare, ROUNDS * duration)
    _show("this tool", ours, ROUNDS * duration)
    ratio = _p99(ours) / _p99(bare)
    met = ratio <= MOST_TIMES_THE_BARE_TOOL
    print(f"  {median(ours) / median(bare):.2f} x the median, {ratio:.2f} x the p99")
    print(f"{'pass' if met else 'FAIL'}  p99 at most {MOST_TIMES_THE_BARE_TOOL} x that of the bare tool", flush=True)
    return met
