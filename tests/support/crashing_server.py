"""A program: a server whose every operation fails as a mistake in it would, with an error that quotes a hidden cell.

Its arguments are the folder of its files and what it serves: `stdio`, or `v1` on a port that it prints, until
its stdin ends.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import anyio
import httpx2

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.cli.log import open_log
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening
from salesforce_bulk_ingest.settings import Settings
from tests.support.canary import CELL
from tests.support.orgs import paths_in


def crash() -> NoReturn:
    """Raise an error with a cell in it, from another one with a cell."""
    try:
        raise ValueError(f"invalid literal: {CELL!r}")
    except ValueError as error:
        raise KeyError(CELL, {"row": ["Ada", CELL]}) from error


class CrashingOperations:
    """Stands for any operations."""

    def __getattr__(self, name: str) -> Any:
        async def operation(*_: object, **__: object) -> NoReturn:
            crash()

        return operation


class CrashingGateway:
    """Stands for the gateway, and for each of its calls."""

    def forward(self, *_: object) -> "CrashingGateway":
        """Return a call that crashes when it is made."""
        return self

    async def __aenter__(self) -> NoReturn:
        crash()

    async def __aexit__(self, *_: object) -> None:
        pass


@asynccontextmanager
async def crashing_services(folder: Path) -> AsyncIterator[Services]:
    """The services of such a server, which keeps its files in a folder; it calls no org."""
    nowhere = httpx2.AsyncBaseTransport()
    async with open_services(Settings(no_spool=True), paths_in(folder), transport=nowhere) as services:
        crashing: Any = CrashingOperations()
        operations = Operations(Policy(), crashing, crashing, crashing, crashing)
        yield replace(services, operations=operations, gateway=cast(Gateway, CrashingGateway()))


async def _serve(folder: Path, surface: str) -> None:
    async with crashing_services(folder) as services:
        if surface == "stdio":
            return await build_mcp(services, None).run_stdio_async()
        with bound_socket("127.0.0.1", 0) as bound:
            async with listening([Listener(build_rest(services.gateway), bound)]):
                sys.stdout.write(f"http://127.0.0.1:{bound.getsockname()[1]}\n")
                sys.stdout.flush()
                await anyio.to_thread.run_sync(sys.stdin.read)


if __name__ == "__main__":
    open_log()
    anyio.run(_serve, Path(sys.argv[1]), sys.argv[2])
