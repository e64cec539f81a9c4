"""Files of the cache that somebody works with, in this process or in another: none of them is removed for want of room."""

import os
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":

    def _lock(opened: int, *, exclusive: bool) -> bool:
        """Return true: Windows removes no file that is open, so no lock is needed."""
        return True

else:
    import fcntl

    def _lock(opened: int, *, exclusive: bool) -> bool:
        """Lock an open file for as long as it is open; return whether nobody's lock is in the way."""
        try:
            fcntl.flock(opened, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True


class FileUse:
    """The use of a file, from now until nobody refers to this object any more; a shared lock on the file shows it.

    Args:
        path: path of the file.

    Raises:
        FileNotFoundError: the file is not there, or is being removed.
        OSError: the file can't be opened.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, path: Path) -> None:
        opened = os.open(path, _READ)
        weakref.finalize(self, os.close, opened)
        if not _lock(opened, exclusive=False):
            raise FileNotFoundError(f"{path} is being removed")


@contextmanager
def unused(path: Path) -> Iterator[bool]:
    """Yield whether nobody uses a file; if so, no use of it begins within the block."""
    try:
        opened = os.open(path, _READ)
    except OSError:
        yield True
        return
    try:
        yield _lock(opened, exclusive=True)
    finally:
        os.close(opened)
