"""The files that callers may have rows saved in: new ones under the folders that the operator names for that."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.loading.roots import OPENS_BELOW, Folder, RootedFile, Roots, is_hidden, shown_path

IN_SAVE_AS = ("saveAs",)
"""The argument at fault in the errors about a path."""

PART = ".part"
SUFFIX = ".csv"

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_COMPARED_BYTES = 1 << 20


class SaveRoots:
    """The folders that rows may be saved in.

    Args:
        roots: the paths of the folders, which may contain links; without any, nothing is saved: whoever named folders to
            read from has not agreed to files that are written there.
        home: home folder of the user that runs the server, which `~` stands for at the begin of a path.
        opens_below: whether files are opened from the root down, see `RootedFile`.
    """

    def __init__(
        self, roots: Sequence[Path] = (), home: Path | None = None, *, opens_below: bool = OPENS_BELOW
    ) -> None:
        self._roots = Roots(roots, home, IN_SAVE_AS[0], opens_below=opens_below)
        self.roots = self._roots.folders

    def find(self, path: str) -> RootedFile:
        """Return the file that a caller names, which need not be there; its folder must be.

        Args:
            path: an absolute path, one that begins with `~/`, or a path relative to a root, of which the first root that has
                the folder counts.

        Raises:
            RefusedByPolicy: the path is not under a root, or the operator has named none.
            InvalidArgument: this is no path of a CSV file, or its folder is not there.
            StorageFailure: the machine keeps this server from looking.
        """
        path = self._roots.whole(path)
        if not self.roots:
            raise RefusedByPolicy(
                "This server saves no files: the operator has named no folder for that (--save-root). Without saveAs, the "
                "rows come in pages."
            )
        inside = self._roots.below(path)
        if not inside:
            raise RefusedByPolicy(f"This server saves files under {self._roots} only; relative paths begin there.")
        found = next((file for file in inside if file.path.parent.is_dir()), None)
        if found is None:
            raise InvalidArgument(
                f"{shown_path(path)} is in a folder that is not there: none is made. Name a file under {self._roots}.",
                IN_SAVE_AS,
            )
        if found.path.suffix.lower() != SUFFIX or is_hidden(Path(*found.parts)):
            raise InvalidArgument(
                f"{shown_path(path)} is no name for rows: it ends in {SUFFIX}, and no part of it begins with a dot.",
                IN_SAVE_AS,
            )
        return found


NO_SAVE_ROOTS = SaveRoots()
"""No folder to save in."""


def save(content: Iterable[bytes], file: RootedFile) -> bool:
    """Write a new file, whole or not at all, that this user alone can read.

    Args:
        content: what is to be in it, in pieces.
        file: the new file.

    Returns:
        False if a file with the same content is there already.

    Raises:
        InvalidArgument: another file is there; it is left as it is.
        StorageFailure: the machine keeps this server from the file.
    """
    with storage_failures("The rows can't be saved", file.path), file.folder() as folder:
        name = file.parts[-1]
        part = f".{name}.{secrets.token_hex(4)}{PART}"
        opened = folder.open(part, _NEW)
        try:
            with os.fdopen(opened, "wb") as written:
                written.writelines(content)
                written.flush()
                os.fsync(written.fileno())
            return _put_in_place(folder, part, name) or _check_is_equal(folder, name, part, file.path)
        finally:
            os.unlink(folder.name(part), dir_fd=folder.opened)


def _put_in_place(folder: Folder, part: str, name: str) -> bool:
    """Give a file its name; return False where that is taken: a link, unlike a rename, replaces nothing."""
    try:
        os.link(folder.name(part), folder.name(name), src_dir_fd=folder.opened, dst_dir_fd=folder.opened)
    except FileExistsError:
        return False
    return True


def _check_is_equal(folder: Folder, name: str, part: str, path: Path) -> bool:
    """Return False where a file has the content of another, or raise InvalidArgument."""
    with suppress(OSError), _opened(folder, name) as there, _opened(folder, part) as written:
        if _is_equal(there, written):
            return False
    raise InvalidArgument(
        f"{shown_path(path)} is there already, with other content, and is not replaced: give another name.", IN_SAVE_AS
    )


def _opened(folder: Folder, name: str) -> BinaryIO:
    """Open a regular file, or raise OSError: it may be something else, a link, or not for this user to read."""
    opened = folder.open(name)
    if stat.S_ISREG(os.fstat(opened).st_mode):
        return os.fdopen(opened, "rb")
    os.close(opened)
    raise OSError(errno.EINVAL, "no regular file")


def _is_equal(one: BinaryIO, other: BinaryIO) -> bool:
    if os.fstat(one.fileno()).st_size != os.fstat(other.fileno()).st_size:
        return False
    blocks = iter(lambda: one.read(_COMPARED_BYTES), b"")
    return all(block == other.read(_COMPARED_BYTES) for block in blocks)
