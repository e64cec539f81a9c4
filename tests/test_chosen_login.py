"""The way to log in that settings choose."""

import logging
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.app import open_services
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SessionExpired
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


async def test_without_a_login_the_error_names_every_way(tmp_path: Path) -> None:
    async with open_services(load_settings({}, {}), paths_in(tmp_path)) as services:
        with pytest.raises(NoCredentials) as raised:
            await services.client.org()
    assert str(raised.value).replace(str(tmp_path), "DIR") == snapshot(
        "No Salesforce org is configured. Set SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (an access token), or SALESFORCE_ORG (an alias of the Salesforce CLI's login), in the environment or as instance, access_token and org in DIR/settings.toml; or start the server with --emulator to try it on an embedded org."
    )
