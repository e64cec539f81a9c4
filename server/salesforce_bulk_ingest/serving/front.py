"""What stands before the application of a port: the checks, in their order, and what is there for everybody."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.serving.caller_guard import CallerGuard, NoteRefusal, RefusalBody, Writes
from salesforce_bulk_ingest.serving.cross_origin import ListedOrigins
from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.health import LIVE, READY, Readiness, Ready, live
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.serving.resource_metadata import METADATA_PATHS, ResourceMetadata
from salesforce_bulk_ingest.serving.sign_in_page import SignInPage

NO_DOCUMENTS: Mapping[str, ASGIApp] = MappingProxyType({})


class OpenPaths:
    """ASGI middleware that answers a few exact paths itself, so that none of their requests reaches the application."""

    def __init__(self, app: ASGIApp, open_paths: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._open_paths.get(scope["path"]) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)


class Front:
    """Makes what stands before the applications of the ports.

    Args:
        door: who is let in.
        allowed: the names and origins that are answered.
        listed_origins: the origins whose pages may read answers.
        readiness: whether the server is ready.
        title: the name of the server for people.
        note_refusal: called for a write of a known caller who may only read.
    """

    def __init__(
        self,
        door: Door,
        allowed: AllowedCallers,
        listed_origins: tuple[str, ...],
        readiness: Readiness,
        title: str,
        note_refusal: NoteRefusal,
    ) -> None:
        self._door = door
        self._title = title
        self._note_refusal = note_refusal
        self._allowed = allowed
        self._listed_origins = listed_origins
        self._open_paths: dict[str, ASGIApp] = {LIVE: live, READY: Ready(readiness, door)}
        self._for_pages: tuple[str, ...] = ()
        if door.public_url is not None:
            self._for_pages = METADATA_PATHS
            self._open_paths |= dict.fromkeys(METADATA_PATHS, ResourceMetadata(door, title))

    def before(
        self,
        app: ASGIApp,
        writes: Writes,
        refusal_body: RefusalBody,
        documents: Mapping[str, ASGIApp] = NO_DOCUMENTS,
    ) -> ASGIApp:
        """Return the application with everything before it.

        Args:
            app: the application.
            writes: see `CallerGuard`.
            refusal_body: see `CallerGuard`.
            documents: exact paths of the port that are there for everybody, also for pages of the listed origins, each with
                what answers there.
        """
        guarded: ASGIApp = CallerGuard(app, self._door, writes, refusal_body, self._note_refusal)
        guarded = SignInPage(guarded, self._door, self._title)
        guarded = OpenPaths(guarded, documents)
        if self._listed_origins:
            guarded = ListedOrigins(guarded, self._listed_origins)
        return HostGuard(OpenPaths(guarded, self._open_paths), self._allowed, self._for_pages)
