"""The files that may be read for an upload: files under the folders (roots) that the operator names.

A path has to lie under a root before its links are resolved, or nothing on disk is looked at, and again after its links
are resolved. The file is opened from the root down, one folder after the other and without following links, so that
nobody can exchange a folder for a link in the meantime.
"""

import errno
import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy, StorageFailure
from salesforce_bulk_ingest.base.storage import storage_failure
from salesforce_bulk_ingest.base.text import quoted, visible

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
# Opening must not wait for the writer of a FIFO (O_NONBLOCK), and must not make a terminal the controlling one (O_NOCTTY).
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | _NO_LINK
SYSTEM_FOLDERS = frozenset(
    {"applications", "bin", "boot", "dev", "etc", "lib", "library", "proc", "program files", "program files (x86)", "run",
     "sbin", "sys", "system", "usr", "windows"}
)  # fmt: skip
OF_THE_MACHINE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})
"""The errors in reading a file that no other path mends."""

EXAMPLE_FOLDER = Path("/data/exports")
LONGEST_PATH_SHOWN = 500

IN_FILE = ("file",)
"""The argument at fault in the errors about a path."""

OPENS_BELOW = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this system opens a file relative to an open folder, and without following a link."""


@dataclass(frozen=True, slots=True)
class RootedFile:
    """A file under one of the roots.

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
            raise unreadable(_shown(self.path), error) from None
        mode = os.fstat(opened).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(opened, "rb")
        os.close(opened)
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise InvalidArgument(
            f"{_shown(self.path)} is {kind}: name a file of CSV, or one with gzip around it.", IN_FILE
        )

    def _opened(self) -> int:
        if not self.opens_below:
            return self._opened_by_whole_path()
        folder = os.open(self.root, _FOLDER)
        try:
            for part in self.parts[:-1]:
                below = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            return os.open(self.parts[-1], _FILE, dir_fd=folder)
        finally:
            os.close(folder)

    def _opened_by_whole_path(self) -> int:
        """Open the file on Windows, which can't open a path relative to a folder, and check that no link led elsewhere."""
        opened = os.open(self.path, _FILE)
        if os.path.realpath(self.path) == str(self.path) and os.path.samestat(os.fstat(opened), os.lstat(self.path)):
            return opened
        os.close(opened)
        raise OSError(0, "it was replaced meanwhile")


class UploadRoots:
    """The folders that files may be uploaded from.

    Args:
        roots: the paths of the folders, which may contain links; if there are none, every file is refused.
        home: home folder of the user that runs the server, which `~` stands for at the begin of a path.
        why_none: why there are no roots, as part of a sentence; of no meaning where there are some.
        opens_below: whether files are opened from the root down, see `RootedFile`.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        home: Path | None = None,
        why_none: str = "no folder is known in which it was started",
        *,
        opens_below: bool = OPENS_BELOW,
    ) -> None:
        self._home = home
        self.why_none = why_none
        self._opens_below = opens_below
        self.roots = tuple(dict.fromkeys(Path(os.path.realpath(root)) for root in roots))
        # A caller may write the path of a root with its links, as the operator did.
        self._written = (*(Path(os.path.abspath(root)) for root in roots), *self.roots)

    def open(self, path: str) -> BinaryIO:
        """Open the file that a caller names; errors are those of `find` and `RootedFile.open`."""
        return self.find(path).open()

    def find(self, path: str) -> RootedFile:
        """Return the file that a caller names.

        Args:
            path: an absolute path, one that begins with `~/`, or a path relative to a root, of which the first root that has
                the file counts.

        Raises:
            RefusedByPolicy: the path is not under a root; the error does not say whether the file exists.
            InvalidArgument: there is no file at the path, or something on it was replaced just now.
            StorageFailure: the machine keeps this server from looking.
        """
        _check_text(path)
        path = self._from_home(path)
        inside = [file for file in map(self._below_root, self._candidates(path)) if file is not None]
        if not inside:
            raise RefusedByPolicy(self._refusal(path))
        for file in inside:
            if _may_be_there(file.path):
                return file
        raise InvalidArgument(f"There is no file {_shown(path)} under {self._listed()}.", IN_FILE)

    def _from_home(self, path: str) -> str:
        """Return the path with the home folder in place of `~`; the home of another user is not looked up."""
        if not path.startswith("~"):
            return path
        if path[1:2] not in ("", "/", os.sep) or self._home is None:
            raise InvalidArgument(
                "file begins with ~ and a name, which is not resolved here: write the whole path.", IN_FILE
            )
        return f"{self._home}{path[1:]}"

    def _candidates(self, path: str) -> Iterator[Path]:
        # An absolute path that is joined to a root stays the same absolute path (pathlib).
        for root in self.roots:
            yield Path(os.path.normpath(root / path))

    def _is_written_below(self, candidate: Path) -> bool:
        return any(candidate.is_relative_to(root) for root in self._written)

    def _below_root(self, candidate: Path) -> RootedFile | None:
        if not self._is_written_below(candidate):
            return None
        try:
            real = Path(os.path.realpath(candidate))
        except OSError as error:
            if error.errno in OF_THE_MACHINE:
                raise unreadable(_shown(candidate), error) from None
            raise InvalidArgument(f"{_shown(candidate)} was replaced while it was looked up: call again.") from None
        for root in self.roots:
            if real != root and real.is_relative_to(root):
                return RootedFile(root, real.relative_to(root).parts, self._opens_below)
        return None

    def _refusal(self, path: str) -> str:
        if not self.roots:
            return f"This server may read no files: no folder is named, and {self.why_none}. {self._how_to_allow(path)}"
        reads = f"This server reads files under {self._listed()} only; relative paths begin there."
        if any(map(self._is_written_below, self._candidates(path))):
            return f"{reads} {_shown(path)} leads to none: it is a folder of these, or a link to elsewhere."
        return f"{reads} {self._how_to_allow(path)}"

    def _how_to_allow(self, path: str) -> str:
        folder = Path(os.path.normpath(os.path.join(self.roots[0] if self.roots else "", path))).parent
        if is_of_system(folder) or _is_hidden(folder):
            copied = "The file is in a folder of the system or a hidden one, not to be allowed: have the user copy it"
            if self.roots:
                return f"{copied} into {' or '.join(map(str, self.roots))}."
            return f"{copied} to another folder. {self._how_to_allow(str(EXAMPLE_FOLDER / 'file'))}"
        if not folder.is_absolute() or folder == Path(folder.anchor):
            folder = EXAMPLE_FOLDER
        # A flag counts whatever a variable or the settings file says, and then it has to name all folders.
        flags = " ".join(f"--upload-root {visible(shlex.quote(str(root)))}" for root in (*self.roots, folder))
        return f"To allow {_shown(folder)}, the operator starts it with {flags} among its arguments."

    def _listed(self) -> str:
        return " and ".join(map(str, self.roots))


def unreadable(file: str, error: OSError) -> InvalidArgument | StorageFailure:
    """Return the error for a file of a caller that can't be read: where it is not the machine's fault, the path is.

    Args:
        file: the file, as the subject of a sentence.
        error: the error in reading it.
    """
    if error.errno in OF_THE_MACHINE:
        return storage_failure(f"{file} can't be read", error)
    return InvalidArgument(f"{file} can't be read: {error.strerror or error}.")


def _shown(path: str | Path) -> str:
    return quoted(str(path), LONGEST_PATH_SHOWN)


def is_of_system(folder: Path) -> bool:
    """Return whether the folder is one of the operating system's, where no user keeps files to load."""
    return len(folder.parts) > 1 and folder.parts[1].lower() in SYSTEM_FOLDERS


def _is_hidden(folder: Path) -> bool:
    """Return whether the folder is one that begins with a dot, or in one: programs keep settings and keys there."""
    return any(part.startswith(".") and part != ".." for part in folder.parts)


def _may_be_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        # After any other error, opening the file raises an error with the reason.
        return not isinstance(error, FileNotFoundError | NotADirectoryError)
    return True


def _check_text(path: str) -> None:
    if not path.strip() or "\0" in path:
        raise InvalidArgument("file is empty or no path: give the path of a file on the server's machine.", IN_FILE)
    if path.lower().startswith("file:"):
        raise InvalidArgument("file is a path, not an address: leave file:// out.", IN_FILE)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise InvalidArgument("file holds half of a character: write the path again.", IN_FILE) from None
