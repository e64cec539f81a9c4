"""Files of this user alone that are there whole or not at all, for some time and up to some size.

A file is there where its label is: that is written last, and put in place in one step, so that a download which broke off
leaves nothing that looks whole.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

LABEL = ".label"
PART = ".part"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file that is here, whole.

    Attributes:
        path: of the file.
        label: what was said of it when it was finished.
    """

    path: Path
    label: bytes


class FileCache:
    """A folder of such files; its methods block.

    Args:
        folder: made on first use, and readable by this user alone.
        most_bytes: of all files together; the ones that were read longest ago go first.
        most_seconds: since a file was last read.
        now: seconds since 1970.

    Every method raises OSError where the folder can't be used. Names are paths below the folder.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int, most_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._now = now

    def find(self, name: str) -> CachedFile | None:
        """The file, if it is here and whole."""
        path = self._folder / name
        try:
            size, _, label = _label(path).read_bytes().partition(b"\n")
            is_whole = json.loads(size) == path.stat().st_size
        except (FileNotFoundError, ValueError):
            return None
        return CachedFile(path, label) if is_whole else None

    def touch(self, name: str) -> None:
        """Count the file as just read, if it is here."""
        with suppress(FileNotFoundError):
            os.utime(self._folder / name, (self._now(), self._now()))

    def lock(self, name: str) -> FileLock:
        """Held by whoever makes the file, against other processes, too."""
        path = self._made(name)
        # Taken and given back in whichever thread is at hand.
        return FileLock(path.with_name(f"{path.name}.lock"), mode=0o600, thread_local=False)

    @contextmanager
    def writing(self, name: str) -> Iterator["NewFile"]:
        """For the time that the file is made, under its lock; what is not finished is gone afterwards."""
        path = self._made(name)
        self._make_room()
        prefix = f"{path.name}."
        for left in path.parent.glob(f"{prefix}*{PART}"):  # by a process that was killed
            left.unlink(missing_ok=True)
        descriptor, part = tempfile.mkstemp(PART, prefix, path.parent)  # readable by this user alone
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield NewFile(file, Path(part), path)
        finally:
            Path(part).unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """Remove one file."""
        _remove(self._folder / name)

    def names(self, pattern: str) -> Iterator[str]:
        """Of the files that match this pattern, whole or not."""
        for label in self._folder.glob(f"{pattern}{LABEL}"):
            yield label.relative_to(self._folder).as_posix().removesuffix(LABEL)

    def remove(self, pattern: str) -> None:
        """Remove all folders that match."""
        for folder in self._folder.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = path.parent
        while folder != self._folder.parent:
            folder.chmod(0o700)
            folder = folder.parent
        return path

    def _make_room(self) -> None:
        """Remove what is too old, and what is too much beside the others."""
        found = sorted(self._entries(), key=lambda entry: entry.read_at, reverse=True)
        room = self._most_bytes
        for entry in found:
            room -= entry.size
            if room < 0 or self._now() - entry.read_at > self._most_seconds:
                _remove(entry.path)

    def _entries(self) -> Iterator["_Entry"]:
        for name in self.names("**/*"):
            path = self._folder / name
            with suppress(OSError):  # another process removed it meanwhile
                found = path.stat()
                yield _Entry(path, found.st_size + _label(path).stat().st_size, found.st_mtime)


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int
    read_at: float


class NewFile:
    """A file that is being made.

    Args:
        file: takes its bytes.
        part: the name of that.
        path: the name that it gets at the end.
    """

    def __init__(self, file: BinaryIO, part: Path, path: Path) -> None:
        self.file = file
        self.path = path
        self._part = part

    @property
    def folder(self) -> Path:
        """For what is needed only while it is made."""
        return self.path.parent

    def finish(self, label: bytes) -> CachedFile:
        """After the last byte: it is whole.

        Args:
            label: to be found with it.
        """
        size = self.file.tell()
        self.file.close()
        part_of_label = self._part.with_suffix(f"{LABEL}{PART}")  # found like the other, if this process is killed here
        with os.fdopen(os.open(part_of_label, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(b"%d\n" % size)
            file.write(label)
        # What is replaced is nothing from now on, whichever of the two a process that is killed here leaves behind.
        _label(self.path).unlink(missing_ok=True)
        self._part.replace(self.path)
        part_of_label.replace(_label(self.path))
        return CachedFile(self.path, label)


def _label(path: Path) -> Path:
    return path.with_name(f"{path.name}{LABEL}")


def _remove(path: Path) -> None:
    # The label first: without it the rest is nothing.
    _label(path).unlink(missing_ok=True)
    with suppress(OSError):  # on Windows, while somebody reads it
        path.unlink(missing_ok=True)
