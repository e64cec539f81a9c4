"""The login with a refresh token."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.salesforce.upstream import Answer, Upstream
from tests.support.asgi_server import running
from tests.support.logins import Place
from tests.support.orgs import paths_in


async def test_a_user_logs_in_with_a_refresh_token_with_and_without_the_app_s_secret(place: Place) -> None:
    for secret in (None, CLIENT_SECRET):
        key = await place.organization_with(client_id=CLIENT_ID, refresh_token=REFRESH_TOKEN, client_secret=secret)
        assert key[:3] == "00D"


async def test_a_replaced_refresh_token_is_used_from_then_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def granted(number: int) -> Answer:
        return Answer.of({"access_token": f"A{number}", "instance_url": url, "refresh_token": f"R{number}"})

    upstream = Upstream([])
    with running(upstream) as url:
        upstream.answers += [granted(1), Answer(401), granted(2), Answer.of({"records": []})]
        file = Place(url, tmp_path).write(
            "settings.toml", f"instance_url = '{url}'\nclient_id = 'x'\nrefresh_token = 'R0'".encode()
        )
        async with open_services(load_settings({}, {}, file), paths_in(tmp_path)) as services:
            await services.client.list_jobs()
    forms = [seen.body.decode() for seen in upstream.seen if seen.method == "POST"]
    assert ["refresh_token=R0" in forms[0], "refresh_token=R1" in forms[1]] == [True, True]
    assert "the org has replaced the refresh token" in caplog.text
