"""Turns every exception of a request into an error response, and logs the exceptions that are mistakes of the org itself."""

import errno
import logging
import sqlite3

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from salesforce_emulator import errors
from salesforce_emulator.errors import ApiError
from salesforce_emulator.responses import error_response

DATABASE_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger(__name__)


async def handle_error(request: Request, error: Exception) -> Response:
    """Return the response to a request that ended in this exception."""
    match error:
        case ClientDisconnect():  # nobody reads the response
            return Response(status_code=400)
        case ApiError():
            refusal = error
        case HTTPException(status_code=404):
            refusal = errors.not_found()
        case HTTPException():
            refusal = errors.unknown_exception(error.detail, error.status_code)
        case sqlite3.Error() if _result_code(error) in DATABASE_BUSY:  # another process holds a lock for too long
            refusal = errors.server_unavailable()
        case _:
            _log(request, error)
            refusal = errors.unknown_exception()
    return error_response(request, refusal)


EXCEPTION_HANDLERS = dict.fromkeys((ApiError, HTTPException, ClientDisconnect, sqlite3.Error, OSError), handle_error)
"""The handler of each exception, for a Starlette application."""


def _result_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code, without the upper bytes; None if the error came from Python, not SQLite."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _log(request: Request, error: Exception) -> None:
    if _is_disk_full(error):
        log.error("The disk that holds the org is full (%s): make room on it, then try again", error)
    else:
        log.error("%s %s failed for a reason of the org's own", request.method, request.url.path, exc_info=error)


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return _result_code(error) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in DISK_FULL
