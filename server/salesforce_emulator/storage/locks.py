"""File locks between processes; the operating system releases them when their holder dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of this file for the block.

    Raises:
        OSError: another process holds the lock, and `wait` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, wait=wait)
        yield
    finally:
        os.close(descriptor)


class ProcessLock:
    """A lock file that shows other processes with the same org that this process is alive and works on its jobs.

    Only one process at a time may create a ProcessLock: the constructor removes the lock files of killed processes, and
    could not tell such a file from one that another process has created and not locked yet.

    Attributes:
        name: the name of this process, unique among all processes that ever opened the org.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        for path in folder.glob("*.lock"):
            if self.has_ended(path.stem):
                path.unlink(missing_ok=True)
        self.name = uuid4().hex
        self._descriptor = os.open(self._path(self.name), os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._descriptor, wait=False)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def has_ended(self, name: str) -> bool:
        """Return whether the process of this name has ended."""
        if not self._path(name).exists():
            return True
        try:
            with locked(self._path(name), wait=False):
                return True
        except OSError:
            return False

    def close(self) -> None:
        """Release the lock and remove its file."""
        os.close(self._descriptor)
        self._path(self.name).unlink(missing_ok=True)
