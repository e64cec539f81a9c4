"""Which org an answer names."""

import pytest

from salesforce_bulk_ingest.salesforce.org import Org, org_at


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
