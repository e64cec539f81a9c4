"""Access tokens: what comes with one, what it says of its user, and how it ends."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CALLBACK_URL, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.salesforce_emulator.api.logins import (
    CLIENT,
    CREDENTIALS,
    REVOKE,
    USERINFO,
    ask,
    authorization_code,
    exchange,
    refresh,
    works,
)
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.clocks import Clock

NOW = datetime(2026, 3, 4, 9, 15, 27, 123_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org in which it is always NOW."""
    with an_org(tmp_path_factory.mktemp("org"), clock=Clock(NOW)) as org:
        yield org


@doc("Connect REST API guide, quick start")
def test_client_credentials_get_a_token_that_works(login: Caller) -> None:
    answer = ask(login, CREDENTIALS)
    body = answer.json()
    base = str(login.http.base_url).rstrip("/")
    assert answer.headers["Cache-Control"] == "no-cache, no-store"
    assert body["instance_url"] == base
    assert works(login, body["access_token"])
    shown = body | {"access_token": body["access_token"][:16], "signature": "<signature>"}
    assert plain(login, shown) == snapshot(
        {
            "access_token": "<org-15>!",
            "signature": "<signature>",
            "scope": "api id",
            "instance_url": "<url>",
            "id": "<url>/id/<org>/005000000000001AAA",
            "token_type": "Bearer",
            "issued_at": "1772615727123",
            "token_format": "opaque",
        }
    )


@doc("OAuth 2.0 client credentials flow, token answer")
def test_the_signature_is_that_of_identity_and_time_with_the_clients_secret(login: Caller) -> None:
    body = ask(login, CREDENTIALS).json()
    expected = hmac.digest(CLIENT_SECRET.encode(), (body["id"] + body["issued_at"]).encode(), hashlib.sha256)
    assert base64.b64decode(body["signature"]) == expected


@seen("a captured 401 of an expired session (heroku-applink)")
@assumed("that a session ends after its time even in use")
def test_a_token_ends_after_its_time_but_the_published_one_never_does(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, token_seconds=60) as org:
        token = ask(org, CREDENTIALS).json()["access_token"]
        clock.forward(seconds=59)
        assert works(org, token)
        clock.forward(seconds=1)
        assert not works(org, token)
        clock.forward(days=1000)
        assert works(org, ACCESS_TOKEN)


@own
def test_a_token_outlives_a_restart_of_the_org(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        token = ask(org, CREDENTIALS).json()["access_token"]
    with an_org(tmp_path) as org:
        assert works(org, token)


@own
def test_tokens_and_codes_are_kept_as_hashes_only(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        issued = exchange(org, authorization_code(org)).json()
        secrets = [issued["access_token"][16:], issued["refresh_token"], authorization_code(org)]
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CALLBACK_URL.encode() in stored  # so what a code stands for is there, but not the code
    assert not [secret for secret in secrets if secret.encode() in stored]


@seen("logout of jsforce, oauth2.ts")
@assumed("the error of a token that is none")
def test_a_revoked_token_is_at_its_end(org: Caller) -> None:
    token = ask(org, CREDENTIALS).json()["access_token"]
    answer = ask(org, {"token": token}, REVOKE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not works(org, token)
    again = ask(org, {"token": token}, REVOKE)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


@own
def test_the_published_token_can_not_be_revoked(org: Caller) -> None:
    assert ask(org, {"token": ACCESS_TOKEN}, REVOKE).status_code == 200
    assert works(org, ACCESS_TOKEN)


@doc("Revoke OAuth Tokens: a refresh token ends with the access tokens that came from it")
def test_a_revoked_refresh_token_ends_with_its_access_tokens(org: Caller) -> None:
    first = exchange(org, authorization_code(org)).json()
    second, other = refresh(org, first["refresh_token"]).json(), exchange(org, authorization_code(org)).json()
    answer = ask(org, {"token": first["refresh_token"]}, REVOKE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(org, first["refresh_token"]).json()["error_description"] == "expired access/refresh token"
    assert not works(org, first["access_token"]) and not works(org, second["access_token"])
    assert works(org, other["access_token"]) and works(org, refresh(org, other["refresh_token"]).json()["access_token"])
    assert ask(org, {"token": first["refresh_token"]}, REVOKE).json()["error"] == "invalid_token"


@assumed("that a refresh token outlives its access token")
def test_a_revoked_access_token_leaves_its_refresh_token(org: Caller) -> None:
    issued = exchange(org, authorization_code(org)).json()
    ask(org, {"token": issued["access_token"]}, REVOKE)
    assert not works(org, issued["access_token"])
    assert works(org, refresh(org, issued["refresh_token"]).json()["access_token"])


@own
def test_the_published_refresh_token_can_not_be_revoked(org: Caller) -> None:
    assert ask(org, {"token": REFRESH_TOKEN}, REVOKE).status_code == 200
    assert works(org, refresh(org, REFRESH_TOKEN).json()["access_token"])


@doc("OpenID Connect Token Introspection")
@seen("an answer in the official Postman collection")
@assumed("the form of sub")
def test_introspection_tells_until_when_a_token_is_valid(login: Caller) -> None:
    token = ask(login, CREDENTIALS).json()["access_token"]
    hint = {"token_type_hint": "access_token"}
    body = ask(login, CLIENT | hint | {"token": token}, "/services/oauth2/introspect").json()
    assert plain(login, body) == snapshot(
        {
            "active": True,
            "scope": "api id",
            "client_id": "emulator-client",
            "username": "admin@emulator.example",
            "sub": "<url>/id/<org>/005000000000001AAA",
            "token_type": "access_token",
            "exp": 1772622927,
            "iat": 1772615727,
            "nbf": 1772615727,
        }
    )
    published = ask(
        login, hint | {"token": ACCESS_TOKEN}, "/services/oauth2/introspect", auth=(CLIENT_ID, CLIENT_SECRET)
    )
    assert published.json()["active"] and "exp" not in published.json()


@doc("OpenID Connect Token Introspection")
def test_introspection_tells_the_scope_that_the_user_has_allowed(org: Caller) -> None:
    issued = exchange(org, authorization_code(org, scope="full refresh_token")).json()
    for token in (issued["access_token"], refresh(org, issued["refresh_token"]).json()["access_token"]):
        assert (
            ask(org, CLIENT | {"token": token}, "/services/oauth2/introspect").json()["scope"] == "full refresh_token"
        )


@doc("OpenID Connect Token Introspection")
def test_introspection_of_a_token_that_is_none_finds_it_inactive(login: Caller) -> None:
    body = ask(login, CLIENT | {"token": "nonsense"}, "/services/oauth2/introspect").json()
    assert body == {"active": False}


@assumed("introspection is for the app that asked for the token: which error others get")
def test_introspection_is_not_for_strangers(login: Caller) -> None:
    answer = ask(login, {"token": ACCESS_TOKEN}, "/services/oauth2/introspect")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_id")


OF_BOTH = {
    "urls": {
        "rest": "<url>/services/data/v{version}/",
        "sobjects": "<url>/services/data/v{version}/sobjects/",
        "query": "<url>/services/data/v{version}/query/",
        "custom_domain": "<url>",
    },
    "active": True,
    "user_type": "STANDARD",
    "language": "en_US",
    "locale": "en_US",
    "utcOffset": 0,
}


@doc("OpenID Connect User Info")
@assumed("which of its fields there are")
def test_the_user_of_the_token_is_told(org: Caller) -> None:
    body = org.http.get(USERINFO).json()
    assert plain(org, body) == {
        "sub": "<url>/id/<org>/005000000000001AAA",
        "user_id": "005000000000001AAA",
        "organization_id": "<org>",
        "preferred_username": "admin@emulator.example",
        "nickname": "admin",
        "name": "Administrator",
        "email": "admin@emulator.example",
        "email_verified": True,
        "family_name": "Administrator",
        "zoneinfo": "GMT",
        **OF_BOTH,
    }
    assert org.record(body["user_id"], "User")["Username"] == body["preferred_username"]


@doc("Identity URLs")
def test_the_id_of_a_token_answer_leads_to_the_user(org: Caller) -> None:
    url = ask(org, CREDENTIALS).json()["id"]
    assert plain(org, org.http.get(url).json()) == {
        "id": "<url>/id/<org>/005000000000001AAA",
        "asserted_user": True,
        "user_id": "005000000000001AAA",
        "organization_id": "<org>",
        "username": "admin@emulator.example",
        "nick_name": "admin",
        "display_name": "Administrator",
        "email": "admin@emulator.example",
        "email_verified": True,
        "first_name": None,
        "last_name": "Administrator",
        "timezone": "GMT",
        **OF_BOTH,
        "is_app_installed": True,
    }


@seen("userinfo with a bad token answers 403, in plain text")
@doc("Identity URLs")
@pytest.mark.parametrize(
    ("header", "told"),
    [("Bearer nonsense", "Bad_OAuth_Token"), ("Basic x", "Bad_OAuth_Token"), ("", "Missing_OAuth_Token")],
)
def test_a_bad_token_has_no_user(org: Caller, header: str, told: str) -> None:
    for path in (USERINFO, f"/id/{org.organization_id}/005000000000001AAA"):
        answer = org.http.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.text) == (403, told)
        assert answer.headers["Content-Type"].startswith("text/plain")


@doc("Identity URLs")
def test_an_identity_of_another_org_or_user_is_not_told(org: Caller) -> None:
    for path, status, told in (
        ("/id/00D000000000001EAA/005000000000001AAA", 403, "Wrong_Org"),
        (f"/id/{org.organization_id}/005000000000002AAA", 404, "Bad_Id"),
    ):
        answer = org.http.get(path)
        assert (answer.status_code, answer.text) == (status, told)


def plain(org: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the address and the id of the org replaced, which differ from run to run."""
    names = {str(org.http.base_url).rstrip("/"): "<url>", org.organization_id: "<org>"}
    names[org.organization_id[:15]] = "<org-15>"

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: replaced(inner) for name, inner in value.items()}
        if isinstance(value, str):
            for differing, name in names.items():
                value = value.replace(differing, name)
        return value

    return {name: replaced(value) for name, value in body.items()}
