"""The caller of the operation that runs: who asked for it, and whether they may write."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who calls this server.

    Attributes:
        name: the name of a token, the subject of an access token, or a word for callers without either.
        may_write: whether operations that change something are allowed.
        over_http: whether the call came through one of the two ports.
    """

    name: str
    may_write: bool = True
    over_http: bool = False


LOCAL = Caller("local")
"""Whoever started the program: over stdio, by a command, or in the same process."""

ANONYMOUS = Caller("anonymous", over_http=True)
"""Anyone on a port where nobody signs in."""

_current: ContextVar[Caller] = ContextVar("caller", default=LOCAL)


def current_caller() -> Caller:
    """Return the caller of the code that runs."""
    return _current.get()


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """Run the block, and the tasks that it starts, as called by this caller."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)
