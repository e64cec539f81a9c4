"""Which org an answer names."""

import pytest

from salesforce_bulk_ingest.salesforce.org import Org, checked_organization_id, org_at


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://acme.my.salesforce.com", "acme.my.salesforce.com (production)"),
        ("https://na139.salesforce.com", "na139.salesforce.com (production)"),
        ("https://acme.my.salesforce.mil", "acme.my.salesforce.mil (production)"),
        ("https://acme--uat.sandbox.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com (sandbox)"),
        ("https://acme--uat.my.salesforce.com", "acme--uat.my.salesforce.com (sandbox)"),
        ("https://acme--uat.cs42.my.salesforce.com", "acme--uat.cs42.my.salesforce.com (sandbox)"),
        ("https://cs42.salesforce.com", "cs42.salesforce.com (sandbox)"),
        ("https://acme.scratch.my.salesforce.com", "acme.scratch.my.salesforce.com (scratch org)"),
        ("https://acme-dev-ed.develop.my.salesforce.com",
         "acme-dev-ed.develop.my.salesforce.com (developer or demo org)"),
        ("https://acme.trailblaze.my.salesforce.com", "acme.trailblaze.my.salesforce.com (developer or demo org)"),
        ("https://proxy.example:8443", "proxy.example (unknown kind of org)"),
        ("https://acme.my.salesforce.com.evil.example", "acme.my.salesforce.com.evil.example (unknown kind of org)"),
        ("http://127.0.0.1:8081", "127.0.0.1:8081 (local org)"),
    ],
)  # fmt: skip
def test_an_org_is_named_by_host_and_kind(url: str, shown: str) -> None:
    """Host forms: sfdx-core's sfdcUrl.ts (API reference, 7.5)."""
    assert str(org_at(url, embedded=False)) == shown


def test_an_org_that_told_its_name_goes_by_it() -> None:
    host = "acme--uat.sandbox.my.salesforce.com"
    assert str(Org(host, "sandbox", name='Acme "North"')) == (
        '"Acme \\"North\\"" (sandbox, acme--uat.sandbox.my.salesforce.com)'
    )
    assert str(Org("127.0.0.1:8081", "sandbox", name="Acme\n\u202e")) == '"Acme\\n\\u202e" (sandbox)'
    assert str(Org("embedded org", "embedded org", name="Acme")) == "embedded org"


def test_the_embedded_org_is_not_named_by_its_port() -> None:
    assert str(org_at("http://127.0.0.1:8081", embedded=True)) == "embedded org"


def test_an_organization_has_one_key_by_whatever_host_and_form_of_its_id() -> None:
    ids = ("00D000000000001", "00D000000000001EAA")
    keys = {
        Org(host, "production", told).key for host in ("acme.my.salesforce.com", "na1.salesforce.com") for told in ids
    }
    assert keys == {"00D000000000001"}


def test_an_org_whose_organization_is_not_known_goes_by_its_host() -> None:
    assert Org("acme.my.salesforce.com", "production").key == "acme.my.salesforce.com"


@pytest.mark.parametrize("given", ["00D000000000001", "00D000000000001EAA", " 00D7F000000Ka9p\n", "00D7F000000Ka9pUAC"])
def test_the_id_of_an_organization_has_either_length(given: str) -> None:
    assert checked_organization_id(given) == given.strip()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("", "15 or 18 letters and digits that begin with 00D"),
        ("005000000000001AAA", "15 or 18 letters and digits that begin with 00D"),
        ("00D0000000000012", "15 or 18 letters and digits that begin with 00D"),
        ("00D000000000001!SECRET", "15 or 18 letters and digits that begin with 00D"),
        ("00D000000000001eaa", "15 or 18 letters and digits that begin with 00D"),
        ("00D000000000001EAB", "its last three characters do not fit the others"),
        ("00d000000000001AAA", "15 or 18 letters and digits that begin with 00D"),
        ("00D7f000000Ka9pUAC", "its last three characters do not fit the others"),
    ],
)
def test_what_is_no_id_of_an_organization_or_mistyped_is_told_without_it(given: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as raised:
        checked_organization_id(given)
    assert "SECRET" not in str(raised.value)
