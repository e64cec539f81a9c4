"""The types of the settings: which values they take."""

import os
from pathlib import Path

import pytest

from salesforce_bulk_ingest.settings_sources import load_settings


def test_folders_to_upload_from_are_absolute_wherever_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one, and more", tmp_path / "two"
    one.mkdir()
    two.symlink_to(one, target_is_directory=True)
    environ = {"BULK_INGEST_UPLOAD_ROOT": os.pathsep.join(map(str, (one, two / ".." / "two")))}
    assert load_settings({}, environ).upload_roots == (one, two)
    (file := tmp_path / "settings.toml").write_text(f"upload_roots = ['{two}']", encoding="utf-8")
    assert load_settings({}, {}, file).upload_roots == (two,)
    monkeypatch.chdir(tmp_path)
    assert load_settings({"upload_roots": [Path("two")]}, environ).upload_roots == (Path.cwd() / "two",)


def test_a_tilde_in_a_folder_is_the_operator_s_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load_settings({}, {"BULK_INGEST_UPLOAD_ROOT": "~"}).upload_roots == (tmp_path,)


@pytest.mark.parametrize("host", ["bulk.example", "Bulk.Example:8443", "10.0.0.1", "[2001:db8::1]:80", "a_b"])
def test_a_host_is_taken_as_a_host_header_names_it(host: str) -> None:
    assert load_settings({"allowed_host": [host]}, {}).allowed_host == (host,)


@pytest.mark.parametrize("origin", ["https://app.example", "http://[::1]:3000", "vscode-webview://0abc", "null"])
def test_an_origin_is_taken_as_browsers_send_it(origin: str) -> None:
    assert load_settings({"allowed_origin": [origin]}, {}).allowed_origin == (origin,)
