"""Run an ASGI application on a real socket, so that a test crosses the same wire as a user."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from salesforce_bulk_ingest.serving.http_protocol import HttpProtocol

START_SECONDS = 30
STOP_SECONDS = 10


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`; a refused start leaves `started` false and does not end the process."""
        with suppress(SystemExit):
            super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then wake the waiting thread, whether the application serves or refused to start."""
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


def _listener() -> socket.socket:
    # asyncio turns off Nagle's algorithm only where the protocol is spelled out; otherwise each answer that goes out
    # in two writes waits 40 ms for the other side's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread, on a free port of 127.0.0.1, and yield its base URL without a slash.

    Raises:
        RuntimeError: the application did not start within START_SECONDS, or did not stop within STOP_SECONDS.
    """
    listener = _listener()
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        log_level="warning",
        lifespan="on",
        ws="none",
        timeout_keep_alive=60,  # with the default of 5 s, clients that poll every 5 s sometimes find the connection reset
        timeout_graceful_shutdown=3,  # a body cut off by the end of a test must not hold up the rest of the run
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="served-app", daemon=True)
    thread.start()
    try:
        if not server.settled.wait(START_SECONDS) or not server.started:
            raise RuntimeError(f"the application did not start within {START_SECONDS} s; see its log")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        listener.close()
        if thread.is_alive():
            raise RuntimeError(f"the application did not stop within {STOP_SECONDS} s")
