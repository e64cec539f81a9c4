"""How a process is told to stop, and how it gets itself to."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import anyio


@contextmanager
def told_to_stop() -> Iterator[Callable[[], Awaitable[object]]]:
    """From here on, SIGINT and SIGTERM only end the wait for what this yields."""
    if sys.platform == "win32":  # no such signals there: Ctrl-C arrives as an exception
        yield anyio.sleep_forever
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        yield signals.__anext__


@contextmanager
def stdin_that_can_end() -> Iterator[Callable[[], None]]:
    """Put something before stdin that can be told to end.

    The SDK reads stdin in a thread that no cancellation reaches, so that only the end of the input lets it go.
    """
    if sys.platform == "win32":  # sockets are no file descriptors there, and nothing sends a signal
        yield lambda: None
        return
    given = os.dup(0)
    way_in, way_out = socket.socketpair()
    os.dup2(way_out.fileno(), 0)
    way_out.close()

    def end() -> None:
        with suppress(OSError):
            way_in.shutdown(socket.SHUT_WR)

    def pass_on() -> None:
        with suppress(OSError):
            while chunk := os.read(given, 1 << 16):
                way_in.sendall(chunk)
        end()

    threading.Thread(target=pass_on, name="stdin", daemon=True).start()
    yield end
