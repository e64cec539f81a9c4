"""The resources of the machine, such as file descriptors: which errors mean that none is left."""

import errno
import os
import sqlite3
from collections.abc import Iterator

USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def shortage(error: BaseException) -> OSError | None:
    """Return the error of the system by which a resource is used up, if it is behind this error; None if it is not."""
    for behind in _errors_behind(error):
        if isinstance(behind, OSError) and behind.errno in USED_UP:
            return behind
        if isinstance(behind, sqlite3.Error):  # SQLite does not tell why it can't open a file
            return _shortage_now()
    return None


def _errors_behind(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, the errors that led to it, and the errors of a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _errors_behind(member)
        error = error.__cause__ or error.__context__


def _shortage_now() -> OSError | None:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error if error.errno in USED_UP else None
    return None
