"""Assembles the embedded org as an ASGI application."""

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
from salesforce_emulator.api import out_of_scope as routes_out_of_scope
from salesforce_emulator.api import query as routes_query
from salesforce_emulator.api import soap as routes_soap
from salesforce_emulator.api import sobjects as routes_sobjects
from salesforce_emulator.api import versions as routes_versions
from salesforce_emulator.api.error_handlers import EXCEPTION_HANDLERS
from salesforce_emulator.api.grants import public_key
from salesforce_emulator.api.middleware import LimitInfoHeader, PathNormalization, RequestDrain
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.faults.injection import FaultInjection
from salesforce_emulator.faults.journal import JournalMiddleware
from salesforce_emulator.org import Org
from salesforce_emulator.ui import authorize as routes_authorize
from salesforce_emulator.ui import routes as routes_ui


class _State(TypedDict):
    org: Org
    queries: CapacityLimiter


def create_app(config: EmulatorConfig) -> Starlette:
    """Return the ASGI application of an embedded org.

    Its lifespan opens the data folder and starts the worker. At shutdown the worker first finishes its chunk of rows.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[_State]:
        if config.client_public_key is not None:
            public_key(config.client_public_key)  # so that a bad key stops the start, not the first login
        org = await run_in_threadpool(Org, config)
        try:
            yield {"org": org, "queries": CapacityLimiter(routes_query.CONCURRENT_QUERIES)}
        finally:
            await run_in_threadpool(org.close)

    # The journal, the request limit and the plan of faults do not apply to the control resources and the pages of the
    # window, which are no part of Salesforce.
    return Starlette(
        routes=[*control.ROUTES, *routes_ui.ROUTES, Mount("/", _salesforce(config))],
        middleware=[Middleware(PathNormalization)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )


def _salesforce(config: EmulatorConfig) -> Starlette:
    """Return the resources that Salesforce has, behind the middleware that every request to them passes."""
    return Starlette(
        routes=[
            *routes_ingest.ROUTES,
            *routes_versions.ROUTES,
            *routes_sobjects.ROUTES,
            *routes_query.ROUTES,
            *routes_oauth.ROUTES,
            *routes_authorize.ROUTES,
            *routes_soap.ROUTES,
            *routes_out_of_scope.ROUTES,
        ],
        middleware=[
            Middleware(JournalMiddleware),
            Middleware(LimitInfoHeader),
            Middleware(RequestDrain, limit=2 * config.limits.upload_bytes),
            Middleware(FaultInjection),
            Middleware(GZipMiddleware, compresslevel=5),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
