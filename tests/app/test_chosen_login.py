"""The way to log in that settings choose."""

import logging
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr

from salesforce_bulk_ingest.app.chosen_login import login_mistake, login_store
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SessionExpired
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import load_settings
from tests.support.asgi_server import running
from tests.support.logins import Place, RefusingToken
from tests.support.orgs import paths_in


async def test_the_token_of_another_org_in_the_file_is_not_sent_to_this_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    upstream = RefusingToken("NEW", [])
    with running(upstream) as url:
        file = Place(url, tmp_path).write("settings.toml", f"instance_url = '{url}'\naccess_token = 'OLD'".encode())
        async with open_services(load_settings({}, {}, file), paths_in(tmp_path)) as services:
            for changed in ("instance = 'acme.my'\naccess_token = 'NEW'", "access_token = "):
                file.write_text(changed)
                with pytest.raises(SessionExpired):
                    await services.client.list_jobs()
    assert set(upstream.given) == {"OLD"}
    assert "can't be used" in caplog.text


async def test_a_token_from_the_environment_is_not_looked_for_in_the_file(tmp_path: Path) -> None:
    upstream = RefusingToken("NEW", [])
    with running(upstream) as url:
        file = Place(url, tmp_path).write("settings.toml", f"instance_url = '{url}'\naccess_token = 'NEW'".encode())
        settings = load_settings({}, {"SALESFORCE_AUTOMATION_API_KEY": "OLD"}, file)
        async with open_services(settings, paths_in(tmp_path)) as services:
            with pytest.raises(SessionExpired):
                await services.client.list_jobs()
    assert upstream.given == ["OLD"]


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"org": "uat", "cli": "no-such-sf"}, "The Salesforce CLI ('no-such-sf') is neither on the PATH"),
        ({"access_token": "x"}, "There is an access token but no instance."),
        (
            {"client_id": "x", "username": "a@b.example", "jwt_key_file": "/no/such/key.pem"},
            "/no/such/key.pem can't be read (jwt_key_file)",
        ),
        ({"client_id": "x", "refresh_token": "x"}, None),
        ({"instance": "acme.my", "access_token": "x"}, None),
        ({}, None),
    ],
)
def test_a_login_that_lacks_something_on_this_machine_is_known_without_a_call(
    settings: dict[str, Any], mistake: str | None, tmp_path: Path
) -> None:
    found = login_mistake(Settings(**settings), paths_in(tmp_path))
    assert found is None if mistake is None else (found or "").startswith(mistake)


def test_a_saved_login_that_can_not_be_read_is_known_without_a_call(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    store = login_store(Settings(), paths)
    store.file.parent.mkdir(parents=True)
    store.file.write_text("{")
    store.file.chmod(0o600)
    assert "is damaged: log in again" in (login_mistake(Settings(), paths) or "")
    assert login_mistake(Settings(instance="acme.my", access_token=SecretStr("x")), paths) is None


async def test_without_a_login_the_error_names_every_way(tmp_path: Path) -> None:
    async with open_services(load_settings({}, {}), paths_in(tmp_path)) as services:
        with pytest.raises(NoCredentials) as raised:
            await services.client.org()
    assert str(raised.value).replace(str(tmp_path), "DIR") == snapshot(
        "No Salesforce org is configured. Log in with `salesforce-bulk-ingest login`, or set SALESFORCE_ORG (a login of the Salesforce CLI), or SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (a token); in DIR/settings.toml these are org, instance and access_token. docs/credentials.md has every way; --emulator tries it without an org."
    )


async def _missing_login(flags: dict[str, str], text: str, folder: Path) -> str:
    file = Place("http://127.0.0.1", folder).write("settings.toml", text.encode())
    async with open_services(load_settings(flags, {}, file), paths_in(folder)) as services:
        with pytest.raises(NoCredentials) as raised:
            await services.client.org()
    return str(raised.value).replace(str(folder), "DIR")


async def test_where_only_tables_name_orgs_none_is_chosen_also_where_it_is_the_only_one(tmp_path: Path) -> None:
    assert await _missing_login({}, "[orgs.prod]\n[orgs.uat]", tmp_path) == snapshot(
        "No org is chosen, add --org NAME to the command, or set BULK_INGEST_ORG: DIR/settings.toml has 'prod' and 'uat'."
    )
    assert await _missing_login({}, "[orgs.uat]\norg = 'acme'", tmp_path) == snapshot(
        "No org is chosen, add --org NAME to the command, or set BULK_INGEST_ORG: DIR/settings.toml has 'uat'."
    )


async def test_a_table_without_a_login_is_named(tmp_path: Path) -> None:
    text = "[orgs.uat]\ninstance = 'acme.my'\n[orgs.dev]\naccess_token = 'x'\n[orgs.none]"
    assert await _missing_login({"org_name": "uat"}, text, tmp_path) == snapshot(
        "There is an instance but no login. Log in with `salesforce-bulk-ingest login --org uat`, or set org (an alias of the Salesforce CLI's login), or instance (such as acme.my) and access_token, in [orgs.uat] of DIR/settings.toml; docs/credentials.md has every way."
    )
    assert await _missing_login({"org_name": "dev"}, text, tmp_path) == snapshot(
        "There is an access token but no instance. Log in with `salesforce-bulk-ingest login --org dev`, or set org (an alias of the Salesforce CLI's login), or instance (such as acme.my) and access_token, in [orgs.dev] of DIR/settings.toml; docs/credentials.md has every way."
    )
    assert await _missing_login({"org_name": "none"}, text, tmp_path) == snapshot(
        "No Salesforce org is configured. Log in with `salesforce-bulk-ingest login --org none`, or set org (an alias of the Salesforce CLI's login), or instance (such as acme.my) and access_token, in [orgs.none] of DIR/settings.toml; docs/credentials.md has every way."
    )


async def test_a_new_token_in_the_table_of_the_chosen_org_is_read_without_a_restart(tmp_path: Path) -> None:
    upstream = RefusingToken("NEW", [])
    text = "access_token = 'TOP'\n[orgs.uat]\ninstance_url = '{url}'\naccess_token = '{token}'"
    with running(upstream) as url:
        file = Place(url, tmp_path).write("settings.toml", text.format(url=url, token="OLD").encode())
        async with open_services(load_settings({"org_name": "uat"}, {}, file), paths_in(tmp_path)) as services:
            with pytest.raises(SessionExpired):
                await services.client.list_jobs()
            file.write_text(text.format(url=url, token="NEW"))
            await services.client.list_jobs()
    assert (upstream.given[0], upstream.given[-1], len(set(upstream.given))) == ("OLD", "NEW", 2)
