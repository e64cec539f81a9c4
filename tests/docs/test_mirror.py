"""Tests mirror the code: the tests of a module are in the file of its name."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = {
    ROOT / "server" / "salesforce_bulk_ingest": ROOT / "tests",
    ROOT / "server" / "salesforce_emulator": ROOT / "tests" / "salesforce_emulator",
}
DATA_ALONE = {
    "operations/change_rules.py",
    "operations/load_outcome.py",
    "operations/operations.py",
    "operations/send_once.py",
    "results/retry_request.py",
    "schema/field_types.py",
    "ui/routes.py",
}
"""Modules that declare data and do nothing with it."""


def test_each_module_has_a_test_file_of_its_name() -> None:
    missing = {
        module.relative_to(package).as_posix()
        for package, tests in PACKAGES.items()
        for module in package.rglob("*.py")
        if not module.name.startswith("__")
        and not (tests / module.relative_to(package).with_name(f"test_{module.name}")).exists()
    }
    assert missing == DATA_ALONE
