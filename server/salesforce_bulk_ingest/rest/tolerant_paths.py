"""ASGI middleware for paths: the spellings that Salesforce accepts, and no impossible API version."""

import re
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.salesforce.models import ResultKind

RESULTS: tuple[ResultKind, ...] = get_args(ResultKind)
"""The last segments of the paths of results, in Salesforce's spelling."""

API_VERSION = re.compile(r"[0-9]{2}\.[0-9]")


class TolerantPaths:
    """ASGI middleware that normalizes a path without a redirect: slashes at the end, doubled slashes, a result's case."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = re.sub("/+", "/", scope["path"]).rstrip("/")
            parent, _, last = path.rpartition("/")
            result = next((name for name in RESULTS if name.lower() == last.lower()), last)
            path = f"{parent}/{result}"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


class KnownVersion:
    """ASGI middleware that answers 404 to every path under an impossible API version."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not API_VERSION.fullmatch(scope["path_params"]["version"]):
            raise HTTPException(404)
        await self._app(scope, receive, send)
