"""The audit log: a file of this user alone, or standard error, to which a line of JSON is added for each write."""

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.base.private_files import is_private
from salesforce_bulk_ingest.base.storage import FileError, storage_failure, storage_failures
from salesforce_bulk_ingest.base.threads import run_in_thread

_APPENDING = os.O_RDWR | os.O_APPEND

BEGIN = b'{"time": "'
"""How each line begins, and so a file of lines."""

CAN_NOT_BE_WRITTEN = "The audit log can't be written, so nothing is changed"


class AuditLog:
    """The place of the lines.

    Args:
        path: path of the file, which is made on first use, for this user alone; None for standard error.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    async def add(self, line: Mapping[str, object]) -> None:
        """Add a line, in one piece, whatever other processes add at the same time.

        Args:
            line: the names and values of the line, `time` first; those that are None are left out.

        Raises:
            StorageFailure: the line can't be written, or others could read it.
        """
        text = json.dumps({name: value for name, value in line.items() if value is not None})
        await run_in_thread(self._add, f"{text}\n".encode())

    def check_writable(self) -> None:
        """Raise StorageFailure where no line could be added; this adds none, and makes no file."""
        if self._path is None:
            return
        with storage_failures(CAN_NOT_BE_WRITTEN, self._path):
            if self._path.exists():
                with _opened(self._path, _APPENDING):
                    pass
            else:
                _look_at_folder_for(self._path)

    def _add(self, line: bytes) -> None:
        try:
            if self._path is None:
                sys.stderr.write(line.decode())
                sys.stderr.flush()
            else:
                self._append(self._path, line)
        except (*FileError, ValueError) as error:  # ValueError: standard error is closed
            what = CAN_NOT_BE_WRITTEN if self._path else f"{CAN_NOT_BE_WRITTEN} (standard error)"
            raise storage_failure(what, error, self._path) from error

    def _append(self, path: Path, line: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Opened for each line, so that a program which rotates logs may move the file away at any time.
        with _opened(path, _APPENDING | os.O_CREAT) as file:
            if os.write(file, line) != len(line):
                raise OSError(f"only a part of a line was written to {path}")


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open the file within the block, if it is an audit log, and nobody else can read it."""
    file = os.open(path, flags, 0o600)
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISREG(mode) and os.read(file, len(BEGIN)) not in (b"", BEGIN):
            raise StorageFailure(f"{path} is no audit log, so nothing is changed.", "Name another file as --audit.")
        if not is_private(mode):
            raise StorageFailure(
                f"Other users of this machine could read the audit log {path}, so nothing is changed.",
                f"Run `chmod 600 '{path}'`.",
            )
        yield file
    finally:
        os.close(file)


def _look_at_folder_for(path: Path) -> None:
    """Raise the OSError of making the file, whose folder need not exist."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
