"""Puts the embedded org together as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from salesforce_emulator.api import control
from salesforce_emulator.api import ingest as routes_ingest
from salesforce_emulator.api import oauth as routes_oauth
from salesforce_emulator.api import query as routes_query
from salesforce_emulator.api import soap as routes_soap
from salesforce_emulator.api import sobjects as routes_sobjects
from salesforce_emulator.api import versions as routes_versions
from salesforce_emulator.api.endpoint import SHOWN, show_error
from salesforce_emulator.api.middleware import LimitInfo, TolerantPaths, WholeBodies
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.faults.injection import FaultInjection
from salesforce_emulator.faults.journal import Journaled
from salesforce_emulator.org import Org
from salesforce_emulator.ui.routes import ROUTES as WINDOW


class _State(TypedDict):
    org: Org
    queries: CapacityLimiter


def create_app(config: EmulatorConfig) -> Starlette:
    """An embedded org; its lifespan opens the folder and the worker, and closes them after the chunk in hand."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[_State]:
        if config.client_public_key is not None:
            routes_oauth.public_key(config.client_public_key)  # a wrong one is told now, not to the first caller
        org = await run_in_threadpool(Org, config)
        try:
            yield {"org": org, "queries": CapacityLimiter(routes_query.AT_ONCE)}
        finally:
            await run_in_threadpool(org.close)

    # Controlling the org and looking at it are no part of Salesforce: not journaled, not counted, nothing goes wrong.
    return Starlette(
        routes=[*control.ROUTES, *WINDOW, Mount("/", _salesforce(config))],
        middleware=[Middleware(TolerantPaths)],
        exception_handlers=dict.fromkeys(SHOWN, show_error),
        lifespan=lifespan,
    )


def _salesforce(config: EmulatorConfig) -> Starlette:
    return Starlette(
        routes=[
            *routes_ingest.ROUTES,
            *routes_versions.ROUTES,
            *routes_sobjects.ROUTES,
            *routes_query.ROUTES,
            *routes_oauth.ROUTES,
            *routes_soap.ROUTES,
        ],
        middleware=[
            Middleware(Journaled),
            Middleware(LimitInfo),
            Middleware(WholeBodies, limit=2 * config.limits.upload_bytes),
            Middleware(FaultInjection),
            Middleware(GZipMiddleware, compresslevel=5),
        ],
        exception_handlers=dict.fromkeys(SHOWN, show_error),
    )
