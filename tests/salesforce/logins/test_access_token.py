"""The token in the settings file, which is read again."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.salesforce.errors import SessionExpired
from salesforce_bulk_ingest.settings_sources import load_settings
from tests.support.asgi_server import running
from tests.support.logins import Place, RefusingToken
from tests.support.orgs import paths_in


async def test_a_new_token_in_the_settings_file_works_without_a_restart(tmp_path: Path) -> None:
    upstream = RefusingToken("NEW", [])
    with running(upstream) as url:
        file = Place(url, tmp_path).write("settings.toml", f"instance_url = '{url}'\naccess_token = 'OLD'".encode())
        async with open_services(load_settings({}, {}, file), paths_in(tmp_path)) as services:
            with pytest.raises(SessionExpired):
                await services.client.list_jobs()
            file.write_text("instance_url = '" + url + "'\naccess_token = 'NEW'")
            await services.client.list_jobs()
            file.write_text("not TOML")
            await services.client.list_jobs()
    assert upstream.given == ["OLD", "OLD", "NEW", "NEW"]
