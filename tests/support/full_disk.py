"""Code in a process of its own whose files can't grow beyond a size, as on a full disk."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the limit of the size of files")

_LIMITED = """\
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))
"""


def printed_on_a_full_disk(code: str, *arguments: object, most_bytes: int) -> str:
    """What Python code prints, with these arguments in sys.argv, where no file can have more than these bytes."""
    program = [sys.executable, "-c", _LIMITED.format(most_bytes=most_bytes) + code, *map(str, arguments)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
