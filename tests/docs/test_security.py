"""SECURITY.md: each promise names the tests that hold it, and they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def promises() -> list[tuple[str, list[tuple[str, str]]]]:
    """The promises, each with the files and names of its tests."""
    section = re.search(r"<!-- promises: held to the tests by a test -->\n(.*?)<!-- end -->", SECURITY, re.DOTALL)
    assert section is not None
    rows = [line.strip("| ").split(" | ") for line in section[1].splitlines() if line.startswith("| ")]
    return [(promise, re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)) for promise, tests in rows[1:]]


def test_each_promise_names_tests_that_are_there() -> None:
    found = promises()
    assert len(found) >= 20
    for promise, tests in found:
        assert tests, promise
        for file, name in tests:
            code = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {name}\(", code, re.MULTILINE), (file, name)
