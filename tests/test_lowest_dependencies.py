"""The constraints of `make test-lowest`, held to pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.lowest_dependencies import EXACTLY_REQUIRED, lowest_constraints, lowest_versions, normalized

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKED = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


def test_a_dependency_gets_its_lower_bound_and_everything_else_stays_as_it_is_locked() -> None:
    requirements = ["PyJWT[crypto]>=2.15,<3", "mcp-types>=2.3,<3"]
    locked = ["anyio==4.16.0", "mcp_types==2.3.9", "pydantic_core==2.50.4", "pyjwt==2.15.1"]
    assert lowest_constraints(requirements, locked) == ["pyjwt==2.15", "mcp-types==2.3", "anyio==4.16.0"]


@pytest.mark.parametrize("requirement", ["rich", "rich<16", "rich==15", "rich>=15"])
def test_a_dependency_without_both_bounds_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(requirement)} should be name>=lowest,<limit$"):
        lowest_versions([requirement])


def test_every_dependency_of_the_product_has_both_bounds_and_a_locked_version() -> None:
    locked = {normalized(line.partition("==")[0]) for line in LOCKED}
    assert lowest_versions(PROJECT["dependencies"]).keys() | EXACTLY_REQUIRED <= locked


def test_constraints_are_versions_alone_in_order() -> None:
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in LOCKED)
    assert LOCKED == sorted(LOCKED, key=str.lower)
