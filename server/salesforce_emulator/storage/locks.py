"""Locks between processes that the operating system drops when their holder dies, however it dies."""

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
def held(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of this file for the block.

    Raises:
        OSError: someone else holds it, and `wait` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, wait=wait)
        yield
    finally:
        os.close(descriptor)


class Presence:
    """Shows the other processes that use this org that this one is alive, so that they leave its jobs alone.

    To be made by one process at a time: it sweeps away the files of those that were killed, and could not tell them
    from one that is just being made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        for path in folder.glob("*.lock"):
            if self.is_gone(path.stem):
                path.unlink(missing_ok=True)
        self.name = uuid4().hex
        self._descriptor = os.open(self._path(self.name), os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._descriptor, wait=False)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def is_gone(self, name: str) -> bool:
        """Whether the process that worked under this name has ended."""
        if not self._path(name).exists():
            return True
        try:
            with held(self._path(name), wait=False):
                return True
        except OSError:
            return False

    def close(self) -> None:
        """Be gone, in good order."""
        os.close(self._descriptor)
        self._path(self.name).unlink(missing_ok=True)
