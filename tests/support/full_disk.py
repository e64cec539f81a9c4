"""Code in a process of its own whose files can't grow beyond a size, as on a full disk."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the limit of the size of files")

_LIMIT = """\
import resource
def limit_files(most_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
"""


def printed_on_a_full_disk(code: str, *arguments: object) -> list[str]:
    """The lines that Python code prints, with these arguments in sys.argv.

    The code calls `limit_files(most_bytes)`; from then on no file can have more bytes.
    """
    program = [sys.executable, "-c", _LIMIT + code, *map(str, arguments)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
