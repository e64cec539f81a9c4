"""The signals that stop a server, and a stdin that the server can end."""

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
    """Keep SIGINT and SIGTERM from ending the process in this block, and yield a function that waits for a signal."""
    if sys.platform == "win32":  # Windows has no such signals: Ctrl-C arrives as an exception
        yield anyio.sleep_forever
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        yield signals.__anext__


@contextmanager
def stdin_that_can_end() -> Iterator[Callable[[], None]]:
    """Replace stdin by a socket that receives all of its input, and yield a function that ends the input.

    The MCP SDK reads stdin in a thread that no cancellation reaches; only the end of the input makes that thread return.
    """
    if sys.platform == "win32":  # sockets are no file descriptors on Windows, and nothing sends a signal
        yield lambda: None
        return
    original = os.dup(0)
    writing, reading = socket.socketpair()
    os.dup2(reading.fileno(), 0)
    reading.close()

    def end() -> None:
        with suppress(OSError):
            writing.shutdown(socket.SHUT_WR)

    def pass_on() -> None:
        with suppress(OSError):
            while chunk := os.read(original, 1 << 16):
                writing.sendall(chunk)
        end()

    with writing:
        threading.Thread(target=pass_on, name="stdin", daemon=True).start()
        yield end
