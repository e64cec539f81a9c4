"""Errors of files on this machine in words: what can't be done, where, why, and what mends it."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from salesforce_bulk_ingest.base.errors import StorageFailure

FileError = (OSError, sqlite3.Error)
"""The errors of files, of which SQLite has its own."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a file can't be used.

    Attributes:
        reason: the reason, as a part of a sentence.
        remedy: what mends it, as a sentence.
    """

    reason: str
    remedy: str


_FULL = Cause("the disk is full", "Free space there.")
_READ_ONLY = Cause("the disk can't be written to", "Make it writable, or choose another folder.")
_FORBIDDEN = Cause("this user has no permission", "Give the user that runs the server permission there.")
_BROKEN = Cause("the disk can't be read or written there", "Check the disk, and the limits of this user (ulimit -a).")
_IN_THE_WAY = Cause("a file or a link is in the place of a folder", "Move it away.")
_GONE = Cause("it was removed meanwhile", "Call again.")

_LOST = "Restore it, or move it away: the new one that is made then knows of no earlier rows."

# errno(3); `ulimit` is that of POSIX shells.
_BY_ERRNO: Mapping[int, Cause] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: Cause("this user's share of the disk is full", "Free space there, or have the quota raised."),
    errno.EFBIG: Cause("no file of this user may grow so large", "Raise the limit of file sizes (ulimit -f)."),
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EMFILE: Cause(
        "this server has too many files open", "Make fewer calls at once, or raise the limit of open files (ulimit -n)."
    ),
    errno.ENFILE: Cause("this machine has too many files open", "End other programs, or raise the machine's limit."),
    errno.ENOBUFS: Cause("this machine has no memory left for connections", "Make fewer calls at once."),
    errno.ENOMEM: Cause("this machine has no memory left", "End other programs."),
    errno.EIO: _BROKEN,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: Cause("a folder is in the place of a file", "Name a file, or move the folder away."),
    errno.ELOOP: Cause("links lead in a circle there", "Remove them."),
    errno.ENAMETOOLONG: Cause("the path is too long", "Choose a folder with a shorter path."),
    errno.ENOENT: _GONE,
    errno.ESTALE: _GONE,
}

# Primary result codes (sqlite.org/rescode.html).
_BY_SQLITE_CODE: Mapping[int, Cause] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_IOERR: _BROKEN,
    sqlite3.SQLITE_NOMEM: _BY_ERRNO[errno.ENOMEM],
    sqlite3.SQLITE_BUSY: Cause("another process holds it", "Call again when that has ended."),
    sqlite3.SQLITE_CORRUPT: Cause("it is damaged", _LOST),
    sqlite3.SQLITE_NOTADB: Cause("it is no database", _LOST),
}


def cause_of(error: Exception, where: Path | None = None) -> Cause:
    """Return why a file can't be used.

    Args:
        error: an error of `FileError`.
        where: path of the file, to find out what SQLite does not tell.
    """
    if isinstance(error, OSError):
        other = Cause(error.strerror or str(error), "The server's log has the details.")
        return _BY_ERRNO.get(error.errno or 0, other)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_CANTOPEN and where is not None:
        try:
            _try_to_open(where)
        except OSError as behind:
            return cause_of(behind)
    return _BY_SQLITE_CODE.get(code, Cause(str(error), "The server's log has the details."))


def _try_to_open(path: Path) -> None:
    """Raise the OSError of opening a file for writing, or of making a file in its folder where there is none."""
    try:
        os.close(os.open(path, os.O_RDWR))
    except FileNotFoundError:
        tempfile.TemporaryFile(dir=path.parent).close()


def storage_failure(what: str, error: Exception, where: Path | None = None) -> StorageFailure:
    """Return the error for an error of a file.

    Args:
        what: what can't be done, as the begin of a sentence: `Results can't be kept`.
        error: an error of `FileError`.
        where: path of the file, or of its folder.
    """
    cause = cause_of(error, where)
    place = "" if where is None else f" ({where})"
    return StorageFailure(f"{what}{place}: {cause.reason}.", cause.remedy)


@contextmanager
def storage_failures(what: str, where: Path | None = None) -> Iterator[None]:
    """Raise a StorageFailure in place of an error of a file within the block; for the arguments see `storage_failure`."""
    try:
        yield
    except (TimeoutError, ConnectionError):  # errors of the system, too, but not of a file
        raise
    except FileError as error:
        raise storage_failure(what, error, where) from error
