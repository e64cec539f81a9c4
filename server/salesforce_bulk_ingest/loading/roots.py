"""The folders (roots) below which callers may name files, and the way to a file there that no link leads away from.

A path has to lie under a root before its links are resolved, or nothing on disk is looked at, and again after its links
are resolved. The file is opened from the root down, one folder after the other and without following links, so that
nobody can exchange a folder for a link in the meantime.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, StorageFailure
from salesforce_bulk_ingest.base.storage import storage_failure
from salesforce_bulk_ingest.base.text import quoted

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | NO_LINK
# Opening must not wait for the writer of a FIFO (O_NONBLOCK), and must not make a terminal the controlling one (O_NOCTTY).
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | NO_LINK
OF_THE_MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})
"""The errors in reading a file that no other path mends."""

LONGEST_PATH_SHOWN = 500

MOST_LISTED = 1_000
"""The most entries of a folder that are looked at for a name that may be meant."""

OPENS_BELOW = {os.open, os.link, os.unlink} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system opens a file relative to an open folder, and without following a link."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder below a root, in which files are named without a link in between.

    Attributes:
        path: the path of the folder.
        opened: the folder as it was opened from the root down; None where files are opened by their whole paths.
    """

    path: Path
    opened: int | None

    def name(self, name: str) -> str:
        """Return what a file in the folder is called by, together with `opened` as `dir_fd`."""
        return str(self.path / name) if self.opened is None else name

    def open(self, name: str, flags: int = _FILE, mode: int = 0o600) -> int:
        """Open a file in the folder, or raise OSError."""
        return os.open(self.name(name), flags | NO_LINK, mode, dir_fd=self.opened)

    @contextmanager
    def listed(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """Yield what is in the folder, or raise OSError."""
        if self.opened is None:
            with os.scandir(self.path) as entries:
                yield entries
            return
        readable = self.open(".", os.O_RDONLY)  # the folder itself is open to be passed through alone
        try:
            with os.scandir(readable) as entries:
                yield entries
        finally:
            os.close(readable)


@dataclass(frozen=True, slots=True)
class RootedFile:
    """A file under one of the roots, which may not be there yet.

    Attributes:
        root: the path of the root, with its links resolved.
        parts: the names of the folders below the root and of the file, with links resolved; never empty.
        opens_below: whether the file is opened from the root down; if not, the file that the whole path opened is checked
            for links afterwards.
    """

    root: Path
    parts: tuple[str, ...]
    opens_below: bool = OPENS_BELOW

    @property
    def path(self) -> Path:
        """The whole path of the file."""
        return self.root.joinpath(*self.parts)

    def open(self) -> BinaryIO:
        """Open the file at its start.

        Raises:
            InvalidArgument: the file does not exist, is no regular file, or can't be read.
            StorageFailure: the machine keeps this server from the file.
        """
        try:
            opened = self._opened()
        except OSError as error:
            raise unreadable(shown_path(self.path), error) from None
        mode = os.fstat(opened).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(opened, "rb")
        os.close(opened)
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise InvalidArgument(
            f"{shown_path(self.path)} is {kind}: name a file of CSV, or one with gzip around it.", ("file",)
        )

    @contextmanager
    def folder(self) -> Iterator[Folder]:
        """Open the folder of the file for the block; raise OSError where there is none, or a link is on the way."""
        if not self.opens_below:
            folder = self.path.parent
            if os.path.realpath(folder) != str(folder):
                raise _replaced()
            yield Folder(folder, None)
            return
        opened = os.open(self.root, _FOLDER)
        try:
            for part in self.parts[:-1]:
                below = os.open(part, _FOLDER, dir_fd=opened)
                os.close(opened)
                opened = below
            yield Folder(self.path.parent, opened)
        finally:
            os.close(opened)

    def names_beside(self) -> list[str]:
        """Return the names of the files in the folder of the file, as far as it can be read: of regular, not hidden ones."""
        try:
            with self.folder() as folder, folder.listed() as entries:
                files = (entry.name for entry in islice(entries, MOST_LISTED) if entry.is_file(follow_symlinks=False))
                return [name for name in files if not name.startswith(".")]
        except OSError:
            return []

    def _opened(self) -> int:
        with self.folder() as folder:
            opened = folder.open(self.parts[-1])
        if self.opens_below or self._is_of_path(opened):
            return opened
        os.close(opened)
        raise _replaced()

    def _is_of_path(self, opened: int) -> bool:
        """Return whether no link led elsewhere: Windows can't open a path relative to a folder."""
        is_without_link = os.path.realpath(self.path) == str(self.path)
        return is_without_link and os.path.samestat(os.fstat(opened), os.lstat(self.path))


class Roots:
    """The folders of the operator below which callers may name files.

    Args:
        roots: the paths of the folders, which may contain links.
        home: home folder of the user that runs the server, which `~` stands for at the begin of a path.
        argument: the argument that names files, for errors.
        opens_below: whether files are opened from the root down, see `RootedFile`.

    Attributes:
        folders: the paths of the folders, with links resolved, each once.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        home: Path | None = None,
        argument: str = "file",
        *,
        opens_below: bool = OPENS_BELOW,
    ) -> None:
        self._home = home
        self._argument = argument
        self._opens_below = opens_below
        self.folders = tuple(dict.fromkeys(Path(os.path.realpath(root)) for root in roots))
        # A caller may write the path of a root with its links, as the operator did.
        self._written = (*(Path(os.path.abspath(root)) for root in roots), *self.folders)

    def below(self, path: str) -> list[RootedFile]:
        """Return the files that a caller may mean by a path: one for each root that it leads below.

        Args:
            path: a path with the home folder in place of `~`, absolute or relative to a root; see `whole`.

        Raises:
            InvalidArgument: something on the path was replaced just now.
            StorageFailure: the machine keeps this server from looking.
        """
        return [file for file in map(self._below_root, self._candidates(path)) if file is not None]

    def has_one_at(self, path: str) -> bool:
        """Return whether a path leads to one of the folders itself; see `below` for what it raises."""
        return any(self._real(candidate) in self.folders for candidate in self._candidates(path))

    def are_written_above(self, path: str) -> bool:
        """Return whether a path is one below a root, before its links are resolved."""
        return any(map(self._is_written_below, self._candidates(path)))

    def whole(self, path: str) -> str:
        """Return the path with the home folder in place of `~`; the home of another user is not looked up.

        Raises:
            InvalidArgument: this is no path.
        """
        if not path.strip() or "\0" in path:
            raise self._mistake("is empty or no path: give the path of a file on the server's machine.")
        if path.lower().startswith("file:"):
            raise self._mistake("is a path, not an address: leave file:// out.")
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise self._mistake("holds half of a character: write the path again.") from None
        if not path.startswith("~"):
            return path
        if path[1:2] not in ("", "/", os.sep) or self._home is None:
            raise self._mistake("begins with ~ and a name, which is not resolved here: write the whole path.")
        return f"{self._home}{path[1:]}"

    def __str__(self) -> str:
        return " and ".join(map(str, self.folders))

    def _mistake(self, what: str) -> InvalidArgument:
        return InvalidArgument(f"{self._argument} {what}", (self._argument,))

    def _candidates(self, path: str) -> Iterator[Path]:
        # An absolute path that is joined to a root stays the same absolute path (pathlib).
        for root in self.folders:
            yield Path(os.path.normpath(root / path))

    def _is_written_below(self, candidate: Path) -> bool:
        return any(candidate.is_relative_to(root) for root in self._written)

    def _below_root(self, candidate: Path) -> RootedFile | None:
        real = self._real(candidate)
        for root in self.folders:
            if real is not None and real != root and real.is_relative_to(root):
                return RootedFile(root, real.relative_to(root).parts, self._opens_below)
        return None

    def _real(self, candidate: Path) -> Path | None:
        """Return a path with its links resolved; None for one that is not written as one below a root."""
        if not self._is_written_below(candidate):
            return None
        try:
            return Path(os.path.realpath(candidate))
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise unreadable(shown_path(candidate), error) from None
            raise InvalidArgument(f"{shown_path(candidate)} was replaced while it was looked up: call again.") from None


def unreadable(file: str, error: OSError) -> InvalidArgument | StorageFailure:
    """Return the error for a file of a caller that can't be read: where it is not the machine's fault, the path is.

    Args:
        file: the file, as the subject of a sentence.
        error: the error in reading it.
    """
    if error.errno in OF_THE_MACHINE:
        return storage_failure(f"{file} can't be read", error)
    return InvalidArgument(f"{file} can't be read: {error.strerror or error}.")


def shown_path(path: str | Path) -> str:
    """Return a path as a part of a sentence."""
    return quoted(str(path), LONGEST_PATH_SHOWN)


def is_hidden(path: Path) -> bool:
    """Return whether a name on the path begins with a dot: programs keep settings and keys there."""
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _replaced() -> OSError:
    return OSError(0, "it was replaced meanwhile")
