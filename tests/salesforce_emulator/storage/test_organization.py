"""The organization that an org is: one of its own for each folder, told the same on every way."""

import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from salesforce_emulator.config import PASSWORD
from tests.salesforce_emulator.api.logins import CREDENTIALS, USERINFO, ask, ask_soap, soap_login
from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import Caller, an_org


def _ids(org: Caller) -> set[str]:
    """The ids of the organization that an org tells: in its record, its tokens, its users and over SOAP."""
    token = ask(org, CREDENTIALS).json()
    introspected = {"client_id": "emulator-client", "client_secret": "emulator-secret", "token": token["access_token"]}
    ids = {
        org.organization_id,
        token["access_token"].partition("!")[0],
        token["id"].split("/")[-2],
        org.http.get(token["id"]).json()["organization_id"],
        org.http.get(USERINFO).json()["organization_id"],
        ask(org, introspected, "/services/oauth2/introspect").json()["sub"].split("/")[-2],
        _soap(org)["organizationId"],
        _soap(org)["serverUrl"].rpartition("/")[2],
    }
    return {organization_id[:15] for organization_id in ids}


def _soap(org: Caller) -> dict[str, str]:
    answer = ElementTree.fromstring(ask_soap(org, soap_login(password=PASSWORD)).text)
    return {element.tag.rpartition("}")[2]: element.text or "" for element in answer.iter()}


@doc(
    "Object reference, Organization: an id of 18 characters that begins with 00D; Identity URLs; SOAP API guide, login()"
)
def test_each_org_has_an_id_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    with an_org(tmp_path / "one") as one, an_org(tmp_path / "two") as two:
        [first], [second] = _ids(one), _ids(two)
    with an_org(tmp_path / "one") as one:
        [again] = _ids(one)
    assert first == again != second
    assert first.startswith("00D")


@own
def test_a_seed_gives_an_org_the_same_id_in_every_run(tmp_path: Path) -> None:
    ids = []
    for folder, seed in (("one", 7), ("two", 7), ("three", 8)):
        with an_org(tmp_path / folder, seed=seed) as org:
            ids.append(org.organization_id)
    assert ids[0] == ids[1] != ids[2]


@own
def test_an_org_of_an_earlier_version_keeps_the_id_that_all_orgs_had(tmp_path: Path) -> None:
    with an_org(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "org.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE Organization SET Id = '00D000000000001EAA'")
    with an_org(tmp_path) as org:
        assert _ids(org) == {"00D000000000001"}


@doc("Object reference, Organization, IsSandbox; SOAP API guide, LoginResult, sandbox")
def test_a_sandbox_says_so_in_its_organization_and_over_soap(tmp_path: Path) -> None:
    for sandbox, told in ((True, "true"), (False, "false")):
        with an_org(tmp_path / told, sandbox=sandbox) as org:
            assert org.query("SELECT IsSandbox FROM Organization")["records"][0]["IsSandbox"] is sandbox
            assert _soap(org)["sandbox"] == told


@own
def test_an_org_stays_a_sandbox_or_none_however_it_is_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for made, folder in ((True, "sandbox"), (False, "production")):
        for opened in (made, not made):
            with an_org(tmp_path / folder, sandbox=opened) as org:
                assert _soap(org)["sandbox"] == str(made).lower()
    assert "This org was not made as a sandbox" in caplog.text
