"""The page of an ingest job for hosts that show pages in a chat (MCP Apps, the extension `io.modelcontextprotocol/ui`).

The page shows what two reading tools answer: the course of a job, where its rows are, why rows failed, and rows in pages. It
reads more through the host, with tools that only read, and it changes nothing: what it makes on a click is a message in the
chat, which the model answers with the calls that it would make anyway, under the approval of the host and the confirmation
of a person. A job that the page made by itself would stay open, unknown to the model, and its rows could be sent a second
time from the chat.

Hosts that know no pages ignore the address in the tool, and show text and structure as before.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from mcp.server.apps import Apps, ResourceCsp

VIEW_URI = "ui://salesforce-bulk/job.html"

_SCRIPTS = ("host.js", "job.js")


def job_view() -> Apps:
    """Return the extension that gives hosts the page, which asks for no address outside and no permission."""
    apps = Apps()
    apps.add_html_resource(
        VIEW_URI,
        page(),
        name="job-view",
        title="Ingest job",
        csp=ResourceCsp(connect_domains=[], resource_domains=[]),
        prefers_border=True,
    )
    return apps


@cache
def page() -> str:
    """Return the page in one piece.

    Its policy holds even in a host that sets none: the browser runs our own script and applies our own style, by their
    hashes, and loads nothing.
    """
    style = _text("job.css")
    script = "".join(map(_text, _SCRIPTS))
    policy = f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}"
    parts = {"policy": f"{policy}; base-uri 'none'; form-action 'none'", "style": style, "script": script}
    whole = _text("job.html")
    for name, text in parts.items():
        whole = whole.replace(f"{{{{ {name} }}}}", text)
    return whole


def _text(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _source(text: str) -> str:
    """Return the source by which a Content-Security-Policy lets this text of an element in."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
