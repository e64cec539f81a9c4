"""How requests carry bearer tokens."""

import pytest
from starlette.types import Scope

from salesforce_bulk_ingest.serving.bearer_tokens import Refused, Scopes, bearer_token, is_elsewhere

TOKEN = "sbi_0123456789"


def request(*headers: tuple[str, str], query: str = "", path: str = "/v1") -> Scope:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {
        "type": "http", "headers": raw, "query_string": query.encode(), "path": path, "raw_path": path.encode(),
    }  # fmt: skip


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}"])
def test_the_token_is_what_follows_the_scheme_in_any_case(value: str) -> None:
    assert bearer_token(request(("Authorization", value))) == TOKEN


REFUSED = [
    ([], 401),
    ([""], 401),
    ([TOKEN], 401),
    (["Bearer"], 401),
    (["Bearer "], 401),
    ([f"Bearer\t{TOKEN}"], 401),
    ([f"Bearer {TOKEN} more"], 401),
    ([f"Bearer {TOKEN}, Bearer {TOKEN}"], 401),
    ([f"Bearer {TOKEN}\xa0"], 401),
    ([f"Basic {TOKEN}"], 401),
    ([f"OAuth {TOKEN}"], 401),
    ([f"DPoP {TOKEN}"], 401),
    ([f"Bearer {TOKEN}", f"Bearer {TOKEN}"], 400),
    ([f"Basic {TOKEN}", f"Bearer {TOKEN}"], 400),
]


@pytest.mark.parametrize(("values", "status"), REFUSED)
def test_any_other_header_is_refused(values: list[str], status: int) -> None:
    with pytest.raises(Refused) as raised:
        bearer_token(request(*(("Authorization", value) for value in values)))
    assert raised.value.status == status and TOKEN not in str(raised.value)


@pytest.mark.parametrize("query", [f"access_token={TOKEN}", "access_token=", f"a=b&access%5Ftoken={TOKEN}"])
def test_a_token_in_the_address_is_refused_with_and_without_the_header(query: str) -> None:
    for headers in ((), (("Authorization", f"Bearer {TOKEN}"),)):
        with pytest.raises(Refused) as raised:
            bearer_token(request(*headers, query=query))
        assert raised.value.status == 400


SECOND_PLACES = [
    request(("Sforce-Call-Options", f"client={TOKEN}")),
    request(("Cookie", f"sid={TOKEN}")),
    request(("X-Session", TOKEN.replace("_", "%5f"))),
    request(query=f"sid={TOKEN}"),
    request(path=f"/v1/{TOKEN}"),
    request(path=f"/v1/{TOKEN.replace('s', '%73')}"),
]


@pytest.mark.parametrize("scope", SECOND_PLACES)
def test_a_token_is_found_in_a_second_place(scope: Scope) -> None:
    assert is_elsewhere(TOKEN, scope)


def test_a_token_in_its_header_alone_is_in_no_second_place() -> None:
    assert not is_elsewhere(TOKEN, request(("Authorization", f"Bearer {TOKEN}"), ("Cookie", "sid=1")))


def test_the_scope_for_writing_includes_reading_and_no_other_scope_does() -> None:
    scopes = Scopes()
    assert scopes.may_read(["bulk:write"]) and scopes.may_read(["openid", "bulk:read"])
    assert not scopes.may_read([]) and not scopes.may_read(["bulk", "bulk:read bulk:write", "BULK:READ"])
    assert scopes.may_write(["bulk:write"]) and not scopes.may_write(["bulk:read", "write"])
