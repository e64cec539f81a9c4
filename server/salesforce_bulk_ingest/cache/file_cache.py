"""A folder of cached files, private to this user, limited in size and age.

A cached file is two files: its content, and a label beside it. The label is written last and put in place by one rename:
a file without a label is incomplete, and is treated as missing. So is one whose label is damaged. An index (`file_index.py`)
tells which files make room.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from salesforce_bulk_ingest.cache.file_index import Entry, FileIndex
from salesforce_bulk_ingest.cache.file_use import FileUse, unused

LABEL = ".label"
PART = ".part"
LOCK = ".lock"
SECONDS_BETWEEN_SCANS = 24 * 3600

LABELS_KEPT = 8
"""The number of labels that are kept in memory: those of the results that somebody is paging through."""


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A whole file in the cache.

    Attributes:
        path: path of the content.
        label: bytes that the maker of the file stored beside the content.
        use: keeps the file from being removed for want of room, as long as somebody refers to it.
    """

    path: Path
    label: bytes
    use: FileUse | None = field(default=None, compare=False, repr=False)


class FileCache:
    """A folder of cached files; every method blocks, and raises OSError where the folder can't be used.

    The name of a file is its path below the folder: one or more plain names, see `is_plain_name`.

    Args:
        folder: the folder, made on first use and readable by this user alone.
        most_bytes: limit of all files together; the files that were read longest ago are removed first, but none in use.
        most_seconds: how long a file is kept after it was last read.
        now: the clock, in seconds since 1970.

    Attributes:
        folder: the folder.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int, most_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._now = now
        self._index = FileIndex(folder)
        self._read_label = lru_cache(LABELS_KEPT)(_read_label)

    def find(self, name: str) -> CachedFile | None:
        """Return the cached file under this name, or None if there is none that is whole."""
        path = self._path_of(name)
        try:
            use = FileUse(path)
            label_path = _label_path(path)
            size, label = self._read_label(label_path, _version(label_path))
            return CachedFile(path, label, use) if path.stat().st_size == size else None
        except (FileNotFoundError, IsADirectoryError, ValueError):
            return None

    def touch(self, name: str) -> None:
        """Count the file as read just now, if there is one."""
        with suppress(FileNotFoundError):
            os.utime(self._path_of(name), (self._now(), self._now()))

    def lock(self, name: str) -> FileLock:
        """Return the lock that a process holds while it makes the file; other processes wait for it."""
        path = self._path_in_folder(name)
        # One thread may acquire the lock, and another release it.
        return FileLock(path.with_name(f"{path.name}{LOCK}"), mode=0o600, thread_local=False)

    @contextmanager
    def new_file(self, name: str) -> Iterator["NewFile"]:
        """Make a file; the caller holds its lock. A file that is not finished within the block is removed."""
        path = self._path_in_folder(name)
        self._index.make_room(self._most_bytes, self._now() - self._most_seconds, self._entry, self._remove_unless_used)
        prefix = f"{path.name}."
        for left_over in path.parent.glob(f"{prefix}*{PART}"):  # of a process that was killed
            left_over.unlink(missing_ok=True)
        descriptor, part = tempfile.mkstemp(PART, prefix, path.parent)  # readable by this user alone
        file = os.fdopen(descriptor, "wb")
        new_file = NewFile(file, Path(part), path, self._enter)
        try:
            yield new_file
        finally:
            with suppress(OSError):  # on a full disk, about bytes in its buffer that nobody needs any more
                file.close()
            new_file.remove_parts()

    def remove(self, name: str) -> None:
        """Remove the file, if there is one."""
        self._remove(name)
        self._index.remove(name)

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files that begin with a prefix, of files that are gone among them."""
        return [name for name in self._index.names(prefix) if is_plain_name(name)]

    def rename_folder(self, name: str, new_name: str) -> None:
        """Give a folder with all its files another name; nothing happens where there is none, or the name is taken."""
        if not self._path_of(new_name).exists():
            with suppress(FileNotFoundError):
                self._path_of(name).rename(self._path_of(new_name))
                self._index.rename(f"{name}/", f"{new_name}/")

    def remove_folders(self, prefix: str) -> None:
        """Remove the folders of all files whose names begin with a prefix, which ends inside the name of the folder."""
        depth = prefix.count("/") + 1
        for name in self.names(prefix):
            shutil.rmtree(self._path_of("/".join(name.split("/")[:depth])), ignore_errors=True)
            self._index.remove(name)

    def folders(self) -> list[str]:
        """Return the names of the folders inside the folders at the top, with files in them or not."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.glob("*/*") if _is_folder(path))
        return sorted(name for name in found if is_plain_name(name))

    def sizes(self, folder: str) -> list[int]:
        """Return the number of bytes of each file below a folder: contents and labels, and what was never finished."""
        return [size for _, size in self._files_below(folder)]

    def empty(self, folder: str) -> int:
        """Remove the files below a folder, and the folder; return how many are left, since somebody makes them just now.

        Whoever has a file open reads it to its end; whoever opens it next makes it anew.
        """
        by_name: dict[str, list[Path]] = {}
        for path, _ in self._files_below(folder):
            name = path.with_name(_made_name(path.name)).relative_to(self.folder).as_posix()
            by_name.setdefault(name, []).append(path)
        left = sum(len(paths) for name, paths in by_name.items() if not self._remove_all(name, paths))
        for inner, _, _ in os.walk(self._path_of(folder), topdown=False):
            with suppress(OSError):  # it is not empty
                os.rmdir(inner)
        return left

    def scan(self) -> None:
        """Enter the files in the index that it lacks, unless that was done not long ago.

        These are files of an earlier version, and files whose entries were lost.
        """
        if self.folder.exists() and self._now() - self._index.scanned_at() >= SECONDS_BETWEEN_SCANS:
            self._index.add(self._entries())
            self._index.note_scan(self._now())

    def _path_in_folder(self, name: str) -> Path:
        """Return the path of a file to be made, in a folder that exists and is private."""
        path = self._path_of(name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        folder = self.folder
        for part in path.parent.relative_to(self.folder).parts:
            folder = folder / part
            _make_private(folder)
        return path

    def _path_of(self, name: str) -> Path:
        """Return the path of a file, or raise ValueError: no other text becomes a path, whoever chose it."""
        if not is_plain_name(name):
            raise ValueError("this is not the name of a cached file")
        return self.folder / name

    def _entry(self, name: str) -> Entry | None:
        """Return the entry of a file as it is now, or None if there is no such file."""
        try:
            path = self._path_of(name)
            status = path.stat()
            return Entry(name, status.st_size + _label_path(path).stat().st_size, status.st_mtime)
        except (FileNotFoundError, ValueError):
            return None

    def _entries(self) -> Iterator[Entry]:
        for label in self.folder.glob(f"**/*{LABEL}"):
            with suppress(OSError):  # another process removed it meanwhile
                name = label.relative_to(self.folder).as_posix().removesuffix(LABEL)
                if entry := self._entry(name):
                    yield entry

    def _enter(self, path: Path, part: Path, label: Path) -> None:
        """Enter a file that is about to be put in place, and count it as read just now."""
        os.utime(part, (self._now(), self._now()))
        status = part.stat()
        name = path.relative_to(self.folder).as_posix()
        self._index.add([Entry(name, status.st_size + label.stat().st_size, status.st_mtime)])

    def _remove(self, name: str) -> None:
        path = self._path_of(name)
        # The label goes first: without a label, content that can't be removed is treated as missing.
        _clear(_label_path(path))
        with suppress(OSError):  # on Windows, while another process reads it
            path.unlink(missing_ok=True)

    def _files_below(self, folder: str) -> Iterator[tuple[Path, int]]:
        """Yield the path and the size of each file of the cache below a folder, but for locks."""
        for parent, _, names in os.walk(self._path_of(folder)):
            for path in map(Path(parent).joinpath, names):
                if is_plain_name(path.relative_to(self.folder).as_posix()) and path.suffix != LOCK:
                    with suppress(FileNotFoundError):  # it was removed meanwhile
                        yield path, path.lstat().st_size

    def _remove_all(self, name: str, paths: list[Path]) -> bool:
        """Remove a file with all its parts and its lock, and return true; return false if somebody makes it."""
        lock = self.lock(name)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        try:
            self.remove(name)
            for path in (*paths, Path(lock.lock_file)):
                with suppress(OSError):  # on Windows, while it is open
                    path.unlink(missing_ok=True)
            return not any(map(os.path.lexists, paths))
        finally:
            lock.release()

    def _remove_unless_used(self, name: str) -> bool:
        """Remove a file that nobody uses; return whether nobody does."""
        with unused(self._path_of(name)) as may_go:
            if may_go:
                self._remove(name)
            return may_go


class NewFile:
    """A file that is being made.

    Args:
        file: the open file, which takes the content.
        part: path of the open file, until the content is whole.
        path: path that the content gets when it is whole.
        enter: enters the file in the index, given its path and those of its parts, before these are put in place: a process
            that is killed between the two leaves an entry without a file, not a file that nobody knows of.
    """

    def __init__(self, file: BinaryIO, part: Path, path: Path, enter: Callable[[Path, Path, Path], None]) -> None:
        self.file = file
        self.path = path
        self._enter = enter
        self._part = part
        # With the suffix of a part, the label is removed like other parts if this process is killed.
        self._label_part = part.with_suffix(f"{LABEL}{PART}")

    @property
    def folder(self) -> Path:
        """The folder of the file, for temporary files that are needed while it is made."""
        return self.path.parent

    def finish(self, label: bytes, *, suffix: str = "") -> CachedFile:
        """Put the whole content in place, and the label beside it.

        Args:
            label: bytes to store beside the content.
            suffix: text to put after the name that the file was made for, where it must not pass for that file.
        """
        if suffix:
            self.path = self.path.with_name(f"{self.path.name}{suffix}")
        size = self.file.tell()
        self.file.close()
        with os.fdopen(os.open(self._label_part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_label_with_size(label, size))
        self._enter(self.path, self._part, self._label_part)
        use = FileUse(self._part)  # before the file has its name, by which it could be removed
        # Without its label, an earlier file under this name is treated as missing, even if this process is killed between
        # the two renames.
        _clear(_label_path(self.path))
        self._part.replace(self.path)
        self._label_part.replace(_label_path(self.path))
        return CachedFile(self.path, label, use)

    def remove_parts(self) -> None:
        """Remove what is not in place."""
        self._part.unlink(missing_ok=True)
        self._label_part.unlink(missing_ok=True)


def is_plain_name(name: str) -> bool:
    """Return whether the text is the name of a cached file: names of ASCII letters, digits and `._-`, with slashes between.

    None of these begins with a dot, so none leads out of the folder.
    """
    return _PLAIN_NAME.fullmatch(name) is not None


_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", re.ASCII)

_PART_NAME = re.compile(rf"(.+)\.[^.]+(?:{re.escape(LABEL)})?{re.escape(PART)}")


def _made_name(name: str) -> str:
    """Return the name of the file that a file is the content, the label or a part of."""
    part = _PART_NAME.fullmatch(name)
    return name.removesuffix(LABEL) if part is None else part[1]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can read, if it is missing; raise OSError where a link is in its place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, "a link is in the place of a folder", str(folder))
    folder.chmod(0o700)


def _clear(path: Path) -> None:
    """Remove what is at a path, if anything: a damaged file system may have a folder in the place of a file."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        if not path.is_dir():
            raise
        shutil.rmtree(path)


def _label_path(path: Path) -> Path:
    return path.with_name(f"{path.name}{LABEL}")


def _label_with_size(label: bytes, size: int) -> bytes:
    """Return what is stored beside a content of this size: its size, the SHA-256 of the label, and the label."""
    return b"%d %s\n%s" % (size, _digest(label), label)


def _version(path: Path) -> tuple[int, ...]:
    """Return what tells a file from those that were or will be at its path: each label is a new file put in place."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _read_label(label_path: Path, version: tuple[int, ...]) -> tuple[int, bytes]:
    """Return the size of the content that a label stands beside, and the label.

    Args:
        label_path: path of the label.
        version: version of the label, for which it is read once: a large result has a long label, and many pages.

    Raises:
        ValueError: the label is damaged.
        OSError: there is no label, or it can't be read.
    """
    line, line_end, label = label_path.read_bytes().partition(b"\n")
    size, _, digest = line.partition(b" ")
    # Earlier versions stored the size alone.
    if not line_end or digest not in (b"", _digest(label)):
        raise ValueError("the label is damaged")
    return int(size), label


def _digest(label: bytes) -> bytes:
    return hashlib.sha256(label).hexdigest().encode()
