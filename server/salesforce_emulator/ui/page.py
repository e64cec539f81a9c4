"""The ASGI endpoint of a web page, and the headers and checks that keep every page safe."""

import ipaddress
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from salesforce_emulator.errors import ApiError, not_found
from salesforce_emulator.ui import formatting

View = Callable[[Request], Mapping[str, Any]]

_PROTECTION = {
    # Loaded data must never run as script in a page; pages load nothing from other sites and send nothing to them.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self';"
        " base-uri 'none'; form-action {form_targets}; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_templates = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    finalize=formatting.printable,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
for _filter in (
    formatting.cell,
    formatting.number,
    formatting.plural,
    formatting.time,
    formatting.duration,
    formatting.size,
):
    _templates.filters[_filter.__name__] = _filter
_templates.globals["CELL_CHARACTERS"] = formatting.CELL_CHARACTERS


class Page:
    """A page: a template, and the view that returns its values. Views run in a thread, because they read the database."""

    def __init__(self, template: str, view: View) -> None:
        self._template = template
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await run_in_threadpool(self._response, Request(scope))
        await response(scope, receive, send)

    def _response(self, request: Request) -> Response:
        if not is_addressed_locally(request):
            return misdirected()
        if request.method not in ("GET", "HEAD"):
            return Response("This page can only be read.\n", 405, {"Allow": "GET, HEAD"}, "text/plain")
        try:
            return html_page(self._template, self._view(request))
        except ApiError as error:
            if error.status != 404:
                raise
            return html_page("missing.html", {}, 404)


def is_addressed_locally(request: Request) -> bool:
    """Return whether the host in the URL is an IP address or a local name.

    Any other name may belong to a site on the internet that points the name at this machine.
    A name without a dot is that of a container or a host nearby; the names of sites have a dot.
    """
    host = request.url.hostname or ""
    if "." not in host or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def misdirected() -> Response:
    """Return the response to a request for a page that is not addressed locally."""
    return Response("Open this page by the org's IP address or as localhost.\n", 421, media_type="text/plain")


def html_page(template: str, values: Mapping[str, Any], status: int = 200, *, form_targets: str = "'none'") -> Response:
    """Return a web page.

    Args:
        template: name of the template.
        values: values of the template.
        status: HTTP status.
        form_targets: where forms of the page may lead, redirects included, as sources of a Content-Security-Policy.
    """
    text = _templates.get_template(template).render(values)
    headers = {**protection(form_targets), "Cache-Control": "no-store"}
    return Response(text.encode("utf-8", "replace"), status, headers, "text/html")


def protection(form_targets: str = "'none'") -> dict[str, str]:
    """Return the headers that keep a page or a file safe."""
    return {name: value.format(form_targets=form_targets) for name, value in _PROTECTION.items()}


class Asset:
    """A static file: the style sheet, the script or the icon."""

    def __init__(self, name: str, media_type: str) -> None:
        self._content = (resources.files(__package__) / "static" / name).read_bytes()
        self._media_type = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {**protection(), "Cache-Control": "no-cache"}
        await Response(self._content, 200, headers, self._media_type)(scope, receive, send)


def number_in_query(request: Request, name: str) -> int | None:
    """Return the number in a query parameter, at which a further page begins; None if the parameter is missing.

    Raises:
        ApiError: the parameter is not a number (404).
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise not_found()
    return int(text)
