"""Print the lowest dependencies that pyproject.toml allows, as constraints for pip: `make test-lowest` installs them.

A direct dependency gets its lower bound; every other package keeps its version in constraints.txt. The script runs before
anything is installed, and so imports only the standard library.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent

REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[^]]*\])?>=(?P<lowest>[\w.]+),<")

EXACTLY_REQUIRED = frozenset({"httpcore2", "pydantic-core"})
"""Packages of which httpx2 and pydantic require one exact version, which differs from that in constraints.txt."""


def lowest_versions(requirements: Iterable[str]) -> dict[str, str]:
    """Return the lower bound of each requirement, by the normalized name of its package.

    Raises:
        ValueError: a requirement is not of the form `name>=lowest,<limit`.
    """
    bounds = {}
    for requirement in requirements:
        match = REQUIREMENT.match(requirement)
        if match is None:
            raise ValueError(f"{requirement} should be name>=lowest,<limit")
        bounds[normalized(match["name"])] = match["lowest"]
    return bounds


def lowest_constraints(requirements: Iterable[str], locked: Iterable[str]) -> list[str]:
    """Return the lines of a constraints file.

    Args:
        requirements: the direct dependencies, as pyproject.toml lists them.
        locked: the lines of constraints.txt.
    """
    bounds = lowest_versions(requirements)
    left_out = bounds.keys() | EXACTLY_REQUIRED
    others = [line for line in locked if normalized(line.partition("==")[0]) not in left_out]
    return [*(f"{name}=={lowest}" for name, lowest in bounds.items()), *others]


def normalized(name: str) -> str:
    """Return the name of a package in the one spelling that all its spellings share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Print the constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    print("\n".join(lowest_constraints(project["dependencies"], locked)))


if __name__ == "__main__":
    main()
