"""Where the official CLI is looked for."""

from pathlib import Path

from salesforce_bulk_ingest.salesforce.logins.cli_folders import UNIX, cli_folders


def _made(*folders: Path) -> tuple[Path, ...]:
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def _in(folder: Path, environ: dict[str, str]) -> tuple[Path, ...]:
    """The folders below this one: what this machine has elsewhere is not known to a test."""
    found = cli_folders(folder, environ)
    assert {str(other) for other in found if not other.is_relative_to(folder)} <= set(UNIX)
    return tuple(other for other in found if other.is_relative_to(folder))


def test_the_newest_version_of_node_is_first_and_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    versions = [
        tmp_path / ".nvm" / "versions" / "node" / version / "bin" for version in ("v9.11.2", "v20.1.0", "v20.10.0")
    ]
    nine, twenty_one, twenty_ten = _made(*versions)
    local, volta, sf = _made(tmp_path / ".local" / "bin", tmp_path / ".volta" / "bin", tmp_path / "sf" / "bin")
    assert _in(tmp_path, {}) == (local, volta, sf, twenty_ten, twenty_one, nine)


def test_on_windows_the_variables_name_the_folders(tmp_path: Path) -> None:
    npm, sf = _made(tmp_path / "Roaming" / "npm", tmp_path / "Programs" / "sf" / "bin")
    environ = {"APPDATA": str(tmp_path / "Roaming"), "ProgramFiles": str(tmp_path / "Programs")}
    assert _in(tmp_path, environ) == (npm, sf)


def test_a_home_without_any_is_no_mistake(tmp_path: Path) -> None:
    assert _in(tmp_path, {"APPDATA": ""}) == ()
