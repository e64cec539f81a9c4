"""The embedded org as a part of this process."""

from pathlib import Path

from salesforce_bulk_ingest.app.embedded_org import embedded_org, embedded_org_of
from salesforce_bulk_ingest.settings import Settings
from tests.support.plain_http import plain_http


async def test_an_org_without_a_folder_lives_in_one_that_is_gone_afterwards() -> None:
    async with embedded_org(None) as org:
        assert any(org.folder.iterdir())
    assert not org.folder.exists()


async def test_an_org_with_a_folder_stays_there_and_takes_its_credentials(tmp_path: Path) -> None:
    async with embedded_org(tmp_path) as org, plain_http() as http:
        token = org.credentials.current.access_token.get_secret_value()
        url = f"{org.url}/services/data/v63.0/jobs/ingest"
        assert (await http.get(url, headers={"Authorization": f"Bearer {token}"})).status_code == 200
    assert org.folder == tmp_path


async def test_no_org_runs_where_the_settings_ask_for_none() -> None:
    async with embedded_org_of(Settings(), None) as org:
        assert org is None
