"""Settings: their names, their defaults, and which values they take."""

import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.settings import ENV_NAMES, Settings
from salesforce_bulk_ingest.settings_sources import load_settings
from tests.support.canary import TOKEN


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings().model_dump() == snapshot(
        {
            "org_name": None,
            "access_token": None,
            "instance": None,
            "instance_url": None,
            "org": None,
            "cli": "sf",
            "client_id": None,
            "client_secret": None,
            "username": None,
            "jwt_key_file": None,
            "certificate_file": None,
            "refresh_token": None,
            "login_url": None,
            "redirect_uri": "http://localhost:1717/OauthRedirect",
            "expect_org": None,
            "api_version": "63.0",
            "read_only": False,
            "allow_operation": (),
            "deny_operations": (),
            "allow_objects": (),
            "deny_objects": (),
            "deny_fields": (),
            "max_job_rows": 0,
            "max_job_bytes": 0,
            "allow_preflight_off": False,
            "hide_fields": (),
            "confirm": ("delete", "hardDelete", "production update > 1000", "production upsert > 1000"),
            "confirm_without_dialog": "sentence",
            "confirm_key": None,
            "audit": None,
            "upload_roots": (),
            "max_upload_bytes": 100_000_000,
            "no_spool": False,
            "no_kept_uploads": False,
            "spool_max_bytes": 2000000000,
            "spool_days": 7,
            "mcp_host": "127.0.0.1",
            "mcp_port": 9090,
            "rest_host": "127.0.0.1",
            "rest_port": 8080,
            "token_file": None,
            "oauth_issuer": None,
            "public_url": None,
            "oauth_jwks_url": None,
            "read_scope": "bulk:read",
            "write_scope": "bulk:write",
            "max_connections": 512,
            "allow_unauthenticated": False,
            "allowed_host": (),
            "allowed_origin": (),
            "emulator": False,
            "data_dir": None,
            "schema_file": None,
            "emulator_port": 0,
            "verbose": False,
        }
    )


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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_no_permission(host: str) -> None:
    assert load_settings({"mcp_host": host, "rest_host": host}, {}).mcp_host == host


def test_other_machines_are_served_where_both_flags_say_so() -> None:
    flags = {"mcp_host": "0.0.0.0", "allow_unauthenticated": True, "allowed_host": ["bulk.example"]}
    assert load_settings(flags, {}).mcp_host == "0.0.0.0"


def test_every_variable_about_salesforce_is_one_that_the_emulator_drops() -> None:
    names = set(ENV_NAMES.values())
    assert {name for name in names if name.startswith("SALESFORCE_")} == snapshot(
        {
            "SALESFORCE_API_VERSION",
            "SALESFORCE_AUTOMATION_API_KEY",
            "SALESFORCE_CERTIFICATE_FILE",
            "SALESFORCE_CLI",
            "SALESFORCE_CLIENT_ID",
            "SALESFORCE_CLIENT_SECRET",
            "SALESFORCE_EXPECT_ORG",
            "SALESFORCE_INSTANCE",
            "SALESFORCE_INSTANCE_URL",
            "SALESFORCE_JWT_KEY_FILE",
            "SALESFORCE_LOGIN_URL",
            "SALESFORCE_ORG",
            "SALESFORCE_REDIRECT_URI",
            "SALESFORCE_REFRESH_TOKEN",
            "SALESFORCE_USERNAME",
        }
    )
    assert all(name.startswith(("SALESFORCE_", "BULK_INGEST_")) for name in names)


def test_the_token_is_masked() -> None:
    settings = load_settings({}, {"SALESFORCE_AUTOMATION_API_KEY": f" {TOKEN}\n"})
    assert settings.access_token is not None and settings.access_token.get_secret_value() == TOKEN
    for shown in (repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()):
        assert "SECRET" not in shown
