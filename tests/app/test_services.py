"""The services that both surfaces share."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import paths_in


async def test_an_embedded_org_is_never_elsewhere(tmp_path: Path) -> None:
    elsewhere = EmbeddedOrg("https://acme.my.salesforce.com", tmp_path)
    with pytest.raises(ValueError, match="on this machine"):
        await open_services(Settings(emulator=True), paths_in(tmp_path), elsewhere).__aenter__()
