"""The rooms and arrows of docs/architecture.md, held to the folders and to import-linter's contracts."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SERVER = ROOT / "server"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
PACKAGES = ("salesforce_bulk_ingest", "salesforce_emulator")

# Modules beside the rooms that the tables leave out.
ENTRY_POINTS = {"__init__.py", "__main__.py"}
READ_BY_SETTINGS = {"setting_types.py", "local_paths.py", "settings_sources.py"}
HELPERS_OF_THE_ORG = {"clock.py", "caller_disconnects.py", "errors.py", "ids.py", "responses.py", "user_files.py"}
NO_ROOMS = ENTRY_POINTS | READ_BY_SETTINGS | HELPERS_OF_THE_ORG


def section(name: str) -> str:
    """The text between a marker and the next `end`."""
    match = re.search(rf"<!-- {name}: held to .*? -->\n(.*?)<!-- end -->", ARCHITECTURE, re.DOTALL)
    assert match, f"docs/architecture.md has no section {name}"
    return match[1]


def rooms(package: str) -> dict[str, list[str]]:
    """The rooms in the table of a package, each with its main files."""
    rows = [line.strip("|").split("|") for line in section(f"rooms of {package}").splitlines()[2:]]
    return {re.findall(r"`(.*?)`", row[0])[0]: re.findall(r"`(.*?)`", row[2]) for row in rows}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_table_of_rooms_names_every_folder_and_module_at_the_top(package: str) -> None:
    folder = SERVER / package
    found = {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}
    found |= {path.name for path in folder.glob("*.py")} - NO_ROOMS
    assert set(rooms(package)) == found


@pytest.mark.parametrize("package", PACKAGES)
def test_the_main_files_of_each_room_exist(package: str) -> None:
    missing = [
        f"{room}/{name}"
        for room, names in rooms(package).items()
        for name in names
        if not (SERVER / package / room / name).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_arrows_are_those_that_import_linter_checks(package: str) -> None:
    [layers] = [
        contract["layers"]
        for contract in CONTRACTS
        if contract["type"] == "layers" and contract["layers"][0].startswith(f"{package}.")
    ]
    expected = [[name.strip().removeprefix(f"{package}.") for name in layer.split("|")] for layer in layers]
    drawn = [re.findall(r"[a-z_]+", line) for line in section(f"arrows of {package}").splitlines()[1:-1]]
    assert [names for names in drawn if names] == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_is_in_the_arrows_or_has_a_sentence_of_its_own(package: str) -> None:
    drawn = set(re.findall(r"[a-z_]+", section(f"arrows of {package}")))
    beside = {room for room in rooms(package) if room.removesuffix(".py") not in drawn}
    assert all(f"- `{room}`" in ARCHITECTURE for room in beside)


def test_every_file_that_is_named_exists() -> None:
    names = set(re.findall(r"[\w/]+\.(?:py|md|toml)\b", ARCHITECTURE)) - {"ROOM/MODULE.py", "tests/ROOM/test_MODULE.py"}
    there = [
        f"/{path.relative_to(ROOT)}" for folder in ("server", "tests", "docs") for path in (ROOT / folder).rglob("*")
    ]
    there += [f"/{path.name}" for path in ROOT.iterdir()]
    missing = [name for name in sorted(names) if not any(path.endswith(f"/{name.lstrip('/')}") for path in there)]
    assert missing == ["settings.toml"]  # a user's file
