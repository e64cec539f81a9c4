"""The command `demo`: the main job on the embedded org, start to end, as an agent and then curl would do it."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from salesforce_bulk_ingest.cli.console import complain, out, say
from salesforce_bulk_ingest.cli.interrupts import INTERRUPTED, until_interrupted
from salesforce_bulk_ingest.cli.loading import loading
from salesforce_bulk_ingest.cli.program import as_typed
from salesforce_bulk_ingest.local_paths import SETTINGS_FILE, LocalPaths, default_local_paths
from salesforce_bulk_ingest.results.row_errors import parse_row_error
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import ACCESS_TOKEN

if TYPE_CHECKING:
    from mcp import Client

    from salesforce_bulk_ingest.app.ports import Addresses

SAMPLE = "contacts.csv"
WAIT_SECONDS = 40
CORRECTIONS = {
    "Birthdate": {"14.03.1979": "1979-03-14", "02.11.1984": "1984-11-02", "1990-02-30": ""},
    "Email": {"tomasz.kowalski(at)example.com": "tomasz.kowalski@example.com", "hana.sato@": ""},
    "Phone": {
        "+33 4 72 10 55 12 (reception, ask for extension 4471, not before 10 am)": "+33 4 72 10 55 12 ext. 4471",
    },
}
"""What a person would answer about the failed rows of the sample: field to its cells, old to new."""


def demo() -> None:
    """Load a sample file into the embedded org and look at what happened."""
    if not anyio.run(_demo):
        complain("interrupted; the demo's org is gone.")
        raise typer.Exit(INTERRUPTED)


async def _demo() -> bool:
    with until_interrupted() as wait_for_signal:
        return await run_demo(out, as_typed(sys.argv[0]), default_local_paths(), wait_for_signal)


async def run_demo(console: Console, program: str, paths: LocalPaths, told: Callable[[], Awaitable[object]]) -> bool:
    """Load the sample through MCP over HTTP, read the same job through `/v1`, and show what happened.

    Args:
        console: the terminal to show the job on.
        program: what the user types to start this program, for the lines to type next.
        paths: files and folders of this user; none is used, since the org is the demo's own.
        told: waits until a signal asks the program to stop.

    Returns:
        Whether the demo went through to the end.
    """
    settings = Settings(emulator=True, mcp_port=0, rest_port=0)
    finished = False
    async with _running_for_itself(settings, paths) as addresses:
        for name, url in (("org", addresses.org_url), ("MCP", addresses.mcp_url), ("REST", addresses.rest_url)):
            say(f"{name:<5} {url}", console)
        say("", console)
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                await told()
                tasks.cancel_scope.cancel()

            tasks.start_soon(stop)
            await _main_job(console, addresses)
            finished = True
            tasks.cancel_scope.cancel()
    if finished:
        _show_next(console, program)
    return finished


@asynccontextmanager
async def _running_for_itself(settings: Settings, paths: LocalPaths) -> AsyncIterator["Addresses"]:
    """Run both ports without the settings file of this user, beside which tokens may lie that the demo does not have."""
    with loading():  # only here, as in `serve`
        from salesforce_bulk_ingest.app.ports import running

    with TemporaryDirectory() as folder:
        async with running(settings, replace(paths, settings_file=Path(folder) / SETTINGS_FILE)) as addresses:
            yield addresses


async def _main_job(console: Console, addresses: "Addresses") -> None:
    with loading():  # only here, as in `serve`
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

    # A proxy that the environment names must not be used for requests to this machine.
    async with httpx2.AsyncClient(trust_env=False, timeout=WAIT_SECONDS + 20) as http:
        async with Client(streamable_http_client(addresses.mcp_url, http_client=http)) as agent:
            job_id = await _load(agent, console)
            _show_causes(console, await _failed_rows(agent, job_id))
            corrected_id = await _send_again(agent, console, job_id)
            _show_left(console, await _failed_rows(agent, corrected_id))
        await _read_through_rest(http, addresses, job_id, console)
        await _count(http, addresses, console)


async def _load(agent: "Client", console: Console) -> str:
    sample = files("salesforce_bulk_ingest").joinpath("sample", SAMPLE).read_text(encoding="utf-8")
    job = await _step(agent, console, "create-ingest-job", {"body": {"object": "Contact", "operation": "insert"}})
    job_id = str(job["id"])
    upload = await _step(agent, console, "upload-data-ingest-job", {"jobId": job_id, "body": {"csv": sample}})
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("loading", total=upload["rows"])

        async def on_progress(done: float, total: float | None, message: str | None) -> None:
            progress.update(task, completed=done)

        closed = await _call(agent, "close-abort-ingest-job", _closing(job_id), on_progress)
        progress.update(task, completed=closed["numberRecordsProcessed"])
    _say(console, "close-abort-ingest-job", closed)
    return job_id


def _closing(job_id: str) -> dict[str, Any]:
    return {"jobId": job_id, "body": {"state": "UploadComplete"}, "waitSeconds": WAIT_SECONDS}


async def _failed_rows(agent: "Client", job_id: str) -> Mapping[str, Any]:
    return await _call(agent, "get-failed-results-ingest-job", {"jobId": job_id, "limit": 1000})


async def _send_again(agent: "Client", console: Console, job_id: str) -> str:
    """Send the failed rows of a job again, corrected as a person would say, and return the id of their job."""
    say(_title("The failed rows, corrected and sent again"), console)
    cells = sum(len(values) for values in CORRECTIONS.values())
    say(f"  {cells} cells are corrected on the way, in {', '.join(CORRECTIONS)}.\n", console)
    arguments = {
        "body": {"object": "Contact", "operation": "insert"},
        "data": {"rowsOf": {"jobs": [job_id]}, "values": CORRECTIONS},
    }
    job = await _step(agent, console, "create-ingest-job", arguments)
    corrected_id = str(job["id"])
    await _step(agent, console, "close-abort-ingest-job", _closing(corrected_id))
    return corrected_id


async def _step(agent: "Client", console: Console, tool: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
    answer = await _call(agent, tool, arguments)
    _say(console, tool, answer)
    return answer


async def _call(agent: "Client", tool: str, arguments: dict[str, Any], on_progress: Any = None) -> Mapping[str, Any]:
    result = await agent.call_tool(tool, arguments, progress_callback=on_progress)
    if result.is_error or result.structured_content is None:
        raise RuntimeError(f"{tool} failed in the demo: {result.content}")
    answer: dict[str, Any] = result.structured_content
    return answer


def _say(console: Console, tool: str, answer: Mapping[str, Any]) -> None:
    say(Text.assemble((tool, "bold cyan"), f"\n  {answer['summary']}"), console)


def _title(text: str) -> Text:
    return Text.assemble("\n", (text, "bold"))


def _show_causes(console: Console, failed: Mapping[str, Any]) -> None:
    key, error = (failed["columns"].index(name) for name in ("External_Id__c", "sf__Error"))
    say(_title(f"Why {failed['total']} rows failed"), console)
    for cause in failed["causes"]:
        example = cause["examples"][0]
        row = failed["rows"][example["offset"]]
        fields = f" on {', '.join(cause['fields'])}" if cause["fields"] else ""
        say(f"  {cause['count']} x {cause['statusCode']}{fields}, such as {row[key]}:", console)
        say(f"      {parse_row_error(row[error]).message}", console)


def _show_left(console: Console, failed: Mapping[str, Any]) -> None:
    causes = ", ".join(f"{cause['count']} x {cause['statusCode']}" for cause in failed["causes"])
    say(_title("Left for a person to decide"), console)
    say(f"  {causes}", console)


async def _read_through_rest(http: httpx2.AsyncClient, addresses: "Addresses", job_id: str, console: Console) -> None:
    url = f"{addresses.rest_url}/jobs/ingest/{job_id}"
    job = (await http.get(url)).raise_for_status().json()
    told = f"{job['state']}: {job['numberRecordsProcessed']} rows processed, {job['numberRecordsFailed']} failed"
    say(Text.assemble("\n", (f"curl {url}", "bold cyan"), f"\n  {told}"), console)


async def _count(http: httpx2.AsyncClient, addresses: "Addresses", console: Console) -> None:
    soql = "SELECT COUNT() FROM Contact"
    answer = await http.get(
        f"{addresses.org_url}/services/data/v63.0/query",
        params={"q": soql},
        headers={"Authorization": f"Bearer {ACCESS_TOKEN}"},
    )
    total = answer.raise_for_status().json()["totalSize"]
    say(Text.assemble("\n", (soql, "bold cyan"), f"\n  {total}"), console)


def _show_next(console: Console, program: str) -> None:
    say(_title("The org is gone now. Next:"), console)
    for command, meaning in (
        ("serve --emulator", "both ports, with an org to try things on"),
        ("emulator", "the org alone, for your own loader"),
        ("config --emulator", "the entry for Claude Desktop, Claude Code, VS Code, Cursor"),
        ("check", "your own org: what is set, what is missing"),
    ):
        line = Text.assemble(f"  {program} {command:<17}  ", (meaning, "dim"))
        say(line, console)
