"""Files for the eyes of one user alone."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def is_private(mode: int) -> bool:
    """Return whether other users of this machine can neither read nor write a file.

    Args:
        mode: `st_mode` of the file; on Windows, where it says nothing about others, every file counts as private.
    """
    return os.name != "posix" or not stat.S_IMODE(mode) & 0o077


def write_private_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file that is there whole or not at all, in a folder that is made for this user alone where there is none.

    Once this returns, the content is on the disk: a machine that fails then has the new one.

    Args:
        path: the file; a link is replaced, not followed.
        content: all that is in it then.
        mode: who may read and write it, in place of this user alone.

    Raises:
        OSError: the file can't be written; an earlier one stays as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(".part", f"{path.name}.", path.parent)  # readable by this user alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(part, mode)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


KEY_BYTES = 32
"""The length of a secret key."""


def key_in(path: Path) -> bytes:
    """Return the secret key in a file, which is made at first use: one for all processes that start at the same time.

    Raises:
        OSError: the file can't be made or read, or is not private, or holds no key.
    """
    with suppress(FileExistsError):
        _make_key(path)
    with open(path, "rb") as file:
        if not is_private(os.fstat(file.fileno()).st_mode):
            raise PermissionError(f"other users of this machine could read {path}")
        key = file.read(KEY_BYTES)
    if len(key) != KEY_BYTES:
        raise OSError(f"{path} holds no key")
    return key


def _make_key(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(".part", f"{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        os.link(part, path)  # unlike a rename, a link takes no other's place
    finally:
        os.unlink(part)
