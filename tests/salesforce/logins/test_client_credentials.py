"""The login of an app, at an embedded org."""

from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET
from tests.support.logins import Place


async def test_an_app_logs_in_with_its_key_and_secret(place: Place) -> None:
    assert (await place.organization_with(client_id=CLIENT_ID, client_secret=CLIENT_SECRET))[:3] == "00D"
