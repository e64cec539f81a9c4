"""Settings: their names, their defaults, and which belong together."""

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
            "only_recipes": False,
            "allow_undo": True,
            "hide_fields": (),
            "confirm": ("delete", "hardDelete", "production update > 1000", "production upsert > 1000"),
            "confirm_without_dialog": "sentence",
            "confirm_key": None,
            "audit": None,
            "upload_roots": (),
            "save_roots": (),
            "recipes": None,
            "max_upload_bytes": 100_000_000,
            "compare_rows": 10000,
            "undo_rows": 10000,
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
