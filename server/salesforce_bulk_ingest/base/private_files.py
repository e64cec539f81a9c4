"""Files for the eyes of one user alone."""

import os
import stat


def is_private(mode: int) -> bool:
    """Return whether other users of this machine can neither read nor write a file.

    Args:
        mode: `st_mode` of the file; on Windows, where it says nothing about others, every file counts as private.
    """
    return os.name != "posix" or not stat.S_IMODE(mode) & 0o077
