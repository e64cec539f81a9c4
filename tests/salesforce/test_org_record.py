"""The name and kind of an org as its Organization record tells them."""

from typing import Any

import pytest

from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.org_record import as_named
from salesforce_bulk_ingest.salesforce.transport import open_http
from tests.salesforce.upstream import Answer, Upstream, fixed, served

OURS = "00D000000000001EAA"
BY_HOST = Org("acme.my.salesforce.com", "production", OURS)


async def _named(upstream: Any, org: Org = BY_HOST) -> Org:
    with served(upstream) as url:
        async with open_http(trust_env=False) as http:
            return await as_named(org, http, fixed(url).current, "63.0")


def _record(**fields: object) -> Upstream:
    return Upstream([Answer.of({"totalSize": 1, "done": True, "records": [{"Id": OURS, "Name": "Acme", **fields}]})])


@pytest.mark.parametrize(
    ("by_host", "told", "kind"),
    [
        ("production", {"IsSandbox": False, "OrganizationType": "Enterprise Edition"}, "production"),
        ("production", {"IsSandbox": True}, "sandbox"),
        ("sandbox", {"IsSandbox": False}, "production"),
        ("local org", {"IsSandbox": True}, "sandbox"),
        ("unknown kind of org", {"IsSandbox": False}, "production"),
        ("production", {"IsSandbox": False, "OrganizationType": "Developer Edition"}, "developer or demo org"),
        ("developer or demo org", {"IsSandbox": False, "OrganizationType": None}, "developer or demo org"),
        ("scratch org", {"IsSandbox": True}, "scratch org"),
        ("sandbox", {}, "sandbox"),
    ],
)
async def test_what_the_org_says_of_its_kind_beats_its_host(by_host: str, told: dict[str, Any], kind: str) -> None:
    assert await _named(_record(**told), Org("x.my.salesforce.com", by_host)) == Org(
        "x.my.salesforce.com", kind, name="Acme"
    )


@pytest.mark.parametrize(
    "upstream",
    [
        pytest.param(Upstream([Answer(401)]), id="401"),
        pytest.param(Upstream([Answer(403)]), id="403"),
        pytest.param(Upstream([Answer.of([{"errorCode": "INVALID_TYPE", "message": "no"}], 400)]), id="400"),
        pytest.param(Upstream([Answer(503)]), id="503"),
        pytest.param(Upstream([Answer(200, b"<html>")]), id="a page"),
        pytest.param(Upstream([Answer(302, b"", [("Location", "https://elsewhere")])]), id="a redirect"),
        pytest.param(Upstream([Answer.of({"records": []})]), id="no record"),
        pytest.param(_record(Name=None), id="no name"),
        pytest.param(_record(Name=""), id="an empty name"),
        pytest.param(_record(Id="00D000000000002EAA"), id="another organization"),
    ],
)
async def test_an_org_that_does_not_tell_its_name_goes_by_its_host(upstream: Upstream) -> None:
    assert await _named(upstream) == BY_HOST


async def test_an_org_that_is_not_there_goes_by_its_host() -> None:
    async with open_http(trust_env=False) as http:
        assert await as_named(BY_HOST, http, fixed("http://127.0.0.1:1").current, "63.0") == BY_HOST
