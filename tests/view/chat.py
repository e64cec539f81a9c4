"""A chat in a browser, whose host side is that of `@modelcontextprotocol/ext-apps`, and in which pages of a server are shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Frame, Page, expect
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.asgi_server import running

HERE = Path(__file__).parent
STRICTEST = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' data:; connect-src 'none'"
)
"""The policy that a host has to set for a page that asks for no address (MCP Apps 2026-01-26, Host Behavior)."""
OF_THE_CONNECTION = {"host", "origin", "connection", "content-length", "transfer-encoding"}


@contextmanager
def serving_chat(mcp_url: str) -> Iterator[str]:
    """Serve the pages of the host, which calls the MCP server at this URL under its own address; yield the host's URL."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            yield {"http": http}

    async def mcp(request: Request) -> Response:
        http: httpx2.AsyncClient = request.state.http
        headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
        asked = http.build_request(request.method, mcp_url, headers=headers, content=await request.body())
        answer = await http.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in OF_THE_CONNECTION}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose))

    async def sandbox(request: Request) -> Response:
        return FileResponse(HERE / "sandbox.html", headers={"Content-Security-Policy": STRICTEST})

    async def module(request: Request) -> Response:
        file = HERE / "node_modules" / request.path_params["path"]
        return FileResponse(file, headers={"Cache-Control": "max-age=3600"})  # there are a hundred of them

    async def host(request: Request) -> Response:
        return FileResponse(HERE / request.url.path[1:])

    methods = ["GET", "POST", "DELETE"]
    routes = [
        Route("/mcp", mcp, methods=methods),
        Route("/sandbox.html", sandbox),
        Route("/node_modules/{path:path}", module),
        Route("/host.html", host),
        Route("/host.mjs", host),
    ]
    with running(Starlette(routes=routes, lifespan=lifespan)) as url:
        yield f"{url}/host.html"


class Chat:
    """The chat as a user sees it.

    Args:
        page: the browser's page with the host.
        url: the URL of the host.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(url)
        page.wait_for_function("globalThis.chat !== undefined")
        self.view = page.frame_locator("iframe").frame_locator("iframe")

    def call(self, tool: str, **given: Any) -> dict[str, Any]:
        """The structure of the answer to a call that the model makes."""
        answer: dict[str, Any] = self.page.evaluate("([tool, given]) => chat.call(tool, given)", [tool, given])
        assert not answer.get("isError"), answer
        structure: dict[str, Any] = answer["structuredContent"]
        return structure

    def closed_job(self, object_: str, csv: str) -> str:
        """The id of a closed job with these rows."""
        body = {"object": object_, "operation": "insert"}
        job = self.call("create-ingest-job", body=body, data={"csv": csv}, preflight="off")
        self.call("close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"})
        return str(job["id"])

    def ended_job(self, object_: str, csv: str) -> str:
        """The id of a job with these rows that has ended."""
        job_id = self.closed_job(object_, csv)
        answer = self.call("get-ingest-job-status", jobId=job_id, waitSeconds=30)
        assert answer["state"] in {"JobComplete", "Failed"}, answer
        return job_id

    def show(self, tool: str, given: dict[str, Any], **options: Any) -> None:
        """Call a tool that has a page, as the model does, and wait until its page is there.

        Args:
            tool: the name of the tool.
            given: the arguments.
            options: what `show` in host.mjs takes.
        """
        self.page.evaluate("([tool, given, options]) => chat.show(tool, given, options)", [tool, given, options])
        expect(self.view.locator("main")).to_be_visible()

    def seen(self, what: str) -> list[Any]:
        """What the host has seen of the page: `calls`, `messages`, or `sizes`."""
        found: list[Any] = self.page.evaluate("(what) => chat.seen[what]", what)
        return found

    def step(self) -> None:
        """End the pause of a page that is shown with `steps`, and wait until what it then asks for is answered."""
        self.frame().evaluate("pauses.splice(0).forEach((done) => done())")
        self.settle()

    def settle(self) -> None:
        """Wait until host and page have taken what the other has sent."""
        self.page.evaluate("chat.settle()")

    def frame(self) -> Frame:
        """The frame of the page."""
        return self.page.frames[-1]
