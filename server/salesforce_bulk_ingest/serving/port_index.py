"""What `/` of a port says: what is served here, and how to begin."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from salesforce_bulk_ingest.serving.endpoints import Endpoint, origin_of
from salesforce_bulk_ingest.serving.health import LIVE, READY
from salesforce_bulk_ingest.serving.web_page import wants_page, web_page

INDEX = "/"
HEALTH = (
    Endpoint(LIVE, {"GET": "says that the server lives"}),
    Endpoint(READY, {"GET": "says whether the org can be called, and why not"}),
)


@dataclass(frozen=True, slots=True)
class Product:
    """What all ports say of the program.

    Attributes:
        name: its name for programs.
        title: its name for people.
        version: its version.
        description: a sentence that says what it does.
        public_url: the origin by which callers know all ports, where the operator set one.
    """

    name: str
    title: str
    version: str
    description: str
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One way to begin.

    Attributes:
        what: what it does, or for whom it is.
        text: the lines to copy, with `{origin}` in place of the origin of the port.
    """

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class PortIndex:
    """What `/` of one port says: to browsers a page, to others JSON.

    Attributes:
        product: the program.
        serves: what the port is for, in a few words.
        endpoints: the paths of the port; those of its health are added.
        examples: ways to begin.
        others: the URLs of the other ports, by what these are for.
    """

    product: Product
    serves: str
    endpoints: tuple[Endpoint, ...]
    examples: tuple[Example, ...]
    others: Mapping[str, str]

    def add_to(self, app: Starlette) -> None:
        """Let an application answer at `/`."""
        app.router.routes.append(Route(INDEX, self.response, methods=["GET"]))

    async def response(self, request: Request) -> Response:
        """Return what is served here."""
        if wants_page(request.headers):
            return self.page(request)
        return JSONResponse(self._as_data(request), headers={"Cache-Control": "no-store", "Vary": "Accept"})

    def page(self, request: Request, status: int = 200, note: str | None = None) -> Response:
        """Return the page for browsers.

        Args:
            request: the request that it answers.
            status: HTTP status.
            note: a sentence that stands above all else.
        """
        return web_page("index.html", {**self._as_data(request), "note": note}, status)

    def _as_data(self, request: Request) -> dict[str, object]:
        origin = origin_of(request, self.product.public_url)
        return {
            "name": self.product.name,
            "title": self.product.title,
            "version": self.product.version,
            "description": self.product.description,
            "serves": self.serves,
            "endpoints": [
                {"url": f"{origin}{endpoint.path}", "methods": dict(endpoint.methods)}
                for endpoint in (*self.endpoints, *HEALTH)
            ],
            "examples": [
                {"what": example.what, "text": example.text.replace("{origin}", origin)} for example in self.examples
            ],
            "others": dict(self.others),
        }
