"""The few web pages of the ports: without scripts, and without anything that is fetched from elsewhere."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import Response

if TYPE_CHECKING:
    from jinja2 import Environment


def wants_page(headers: Headers) -> bool:
    """Return whether a request is for people: browsers name HTML in their Accept header, and programs do not."""
    kinds = (kind.partition(";")[0].strip().lower() for kind in headers.get("accept", "").split(","))
    return "text/html" in kinds


def web_page(
    template: str, values: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a web page.

    Args:
        template: name of the template.
        values: values of the template.
        status: HTTP status.
        headers: further headers of the response.
    """
    text = templates_of(__package__).get_template(template).render(values, style=_style())
    return page_with(_style(), text, status, headers)


def page_with(style: str, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a page that has this style, and is allowed nothing else.

    Args:
        style: what is in the only `style` element of the page.
        text: the page.
        status: HTTP status.
        headers: further headers of the response.
    """
    return Response(text, status, {**_protection(style), "Cache-Control": "no-store", **(headers or {})}, "text/html")


@cache
def templates_of(package: str) -> "Environment":
    """Return the templates in the folder `templates` of a package; they escape what they show."""
    # Only a request for a page needs the templates, and a host that starts `stdio` never sends one.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    """Return the style sheet, which is a part of each page, so that a page is whole even for those who are not let in."""
    return (resources.files(__package__) / "templates" / "page.css").read_text("utf-8")


@cache
def _protection(style: str) -> dict[str, str]:
    """Return the headers that keep a page safe: a browser applies our own style, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    return {
        "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept",
    }
