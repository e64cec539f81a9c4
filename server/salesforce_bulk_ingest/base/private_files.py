"""Files for the eyes of one user alone."""

import os
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


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, in a folder that is made for this user alone where there is none.

    Once this returns, the content is on the disk: a machine that fails then has the new one.

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
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
