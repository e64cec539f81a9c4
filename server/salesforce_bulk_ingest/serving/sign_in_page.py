"""The page for people whose browser is not let in: what this is, and how to sign in."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.serving.bearer_tokens import Refused
from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.web_page import wants_page, web_page


class SignInPage:
    """ASGI middleware that answers browsers whose request is not let in; all others get the answer of the guard behind it.

    Args:
        app: the guarded application.
        door: tells who is let in.
        title: the name of the server for people.
    """

    def __init__(self, app: ASGIApp, door: Door, title: str) -> None:
        self._app = app
        self._door = door
        self._title = title

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and wants_page(Headers(scope=scope)):
            try:
                await self._door.admit(scope)
            except Refused as refused:
                headers = self._door.refusal_headers(refused, scope["path"])
                values = {"title": self._title, "reason": refused.description, "issuer": self._door.issuer}
                return await web_page("sign_in.html", values, refused.status, headers)(scope, receive, send)
        await self._app(scope, receive, send)
