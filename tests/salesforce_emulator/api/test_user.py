"""The user of the org, as its record is."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from salesforce_emulator.config import PASSWORD, USER_ID, USERNAME
from tests.salesforce_emulator.api.logins import CLIENT, USERINFO, ask, ask_soap, soap_login, works
from tests.salesforce_emulator.behaviours import assumed, doc
from tests.salesforce_emulator.caller import Caller, an_org, csv_text
from tests.salesforce_emulator.clocks import Clock

CHANGED = {
    "Username": "ada@loads.example",
    "FirstName": "Ada",
    "LastName": "O'Neil & Daughter",
    "Email": "mail@loads.example",
    "CommunityNickname": "ada",
    "TimeZoneSidKey": "America/Los_Angeles",
    "LocaleSidKey": "de_DE",
    "LanguageLocaleKey": "de",
}


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Caller]:
    """An org whose user an update job has changed; it is summer in Los Angeles."""
    clock = Clock()
    clock.forward(days=180)
    with an_org(tmp_path, clock=clock) as org:
        job = org.load(csv_text([["Id", *CHANGED], [USER_ID, *CHANGED.values()]]), "User", "update")
        assert org.errors(job) == []
        yield org


@doc("OpenID Connect User Info; Identity URLs, for utcOffset, which is that of standard time")
def test_user_info_tells_what_an_update_has_changed(changed: Caller) -> None:
    body = changed.http.get(USERINFO).json()
    told = ("preferred_username", "given_name", "family_name", "email", "nickname", "zoneinfo", "locale", "language")
    assert tuple(body[name] for name in told) == tuple(CHANGED.values())
    assert (body["name"], body["utcOffset"]) == ("Ada O'Neil & Daughter", -8 * 3600 * 1000)


@doc("Identity URLs")
def test_the_identity_tells_what_an_update_has_changed(changed: Caller) -> None:
    body = changed.http.get(f"/id/{changed.organization_id}/{USER_ID}").json()
    told = ("username", "first_name", "last_name", "email", "nick_name", "timezone", "locale", "language")
    assert tuple(body[name] for name in told) == tuple(CHANGED.values())
    assert (body["display_name"], body["utcOffset"]) == ("Ada O'Neil & Daughter", -8 * 3600 * 1000)


@assumed("the same user logs in, by the name that the record has now")
def test_a_user_whose_name_an_update_has_changed_logs_in_by_the_new_one(changed: Caller) -> None:
    form = {"grant_type": "password", **CLIENT, "password": PASSWORD}
    assert works(changed, ask(changed, form | {"username": CHANGED["Username"]}).json()["access_token"])
    assert ask(changed, form | {"username": USERNAME}).json()["error"] == "invalid_grant"
    answer = ElementTree.fromstring(ask_soap(changed, soap_login(CHANGED["Username"])).text)
    told = {element.tag.rpartition("}")[2]: element.text for element in answer.iter()}
    assert (told["userName"], told["userFullName"]) == (CHANGED["Username"], "Ada O'Neil & Daughter")


@assumed("which time zones have no offset of their own")
def test_a_time_zone_that_is_none_is_told_with_that_of_greenwich(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.load(f"Id,TimeZoneSidKey\n{USER_ID},../Nowhere\n", "User", "update")
        body = org.http.get(USERINFO).json()
        assert (body["zoneinfo"], body["utcOffset"]) == ("../Nowhere", 0)
