"""Logging in."""

import base64
import hashlib
import hmac
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD, REFRESH_TOKEN, USERNAME
from tests.salesforce_emulator.api.logins import CLIENT, CREDENTIALS, USERINFO, ask, works
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.clocks import Clock

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOW = datetime(2026, 3, 4, 9, 15, 27, 123_000, tzinfo=UTC)


@cache
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_pem() -> str:
    return private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate_pem() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loader")])
    builder = x509.CertificateBuilder(name, name, private_key().public_key(), 1, NOW, NOW + timedelta(days=365))
    return builder.sign(private_key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def assertion(key: RSAPrivateKey | str | None = None, algorithm: str = "RS256", **claims: Any) -> dict[str, str]:
    usual = {
        "iss": CLIENT_ID,
        "sub": USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": int(NOW.timestamp()) + 180,
    }
    given = {name: value for name, value in (usual | claims).items() if value is not None}
    return {"grant_type": JWT_BEARER, "assertion": jwt.encode(given, key or private_key(), algorithm)}


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org in which it is always NOW, and whose app has a key."""
    with an_org(tmp_path_factory.mktemp("org"), clock=Clock(NOW), client_public_key=public_pem()) as org:
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


@seen("client credentials by HTTP Basic: simple-salesforce login.py")
def test_the_client_may_name_itself_in_the_authorization_header(login: Caller) -> None:
    answer = ask(login, {"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET))
    assert works(login, answer.json()["access_token"])
    wrong = ask(login, {"grant_type": "client_credentials"}, auth=(CLIENT_ID, "nonsense"))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    for header in (b"Basic ???", b"Basic \xe9"):
        broken = ask(login, {"grant_type": "client_credentials"}, headers={b"Authorization": header})
        assert (broken.status_code, broken.json()["error"]) == (400, "invalid_client")


@seen("fixtures of an unknown client")
@assumed("the errors of a wrong secret and of an unknown grant, and their status 400: only the shape is known")
@pytest.mark.parametrize(
    ("wrong", "error", "description"),
    [
        ({"client_id": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "nonsense"}, "invalid_client", "invalid client credentials"),
        ({"client_secret": "n\xf6n"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": ""}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_a_refused_login_is_told_in_an_object(
    login: Caller, wrong: dict[str, str], error: str, description: str
) -> None:
    answer = ask(login, CREDENTIALS | wrong)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json() == {"error": error, "error_description": description}


@seen("clients with the password grant: drt")
@assumed("any security token after the password is taken")
def test_name_and_password_get_a_token_with_or_without_a_security_token(login: Caller) -> None:
    form = {"grant_type": "password", **CLIENT, "username": USERNAME, "password": PASSWORD}
    for password in (PASSWORD, PASSWORD + "Xy12SecurityToken"):
        assert works(login, ask(login, form | {"password": password}).json()["access_token"])
    for wrong in ({"password": "nonsense"}, {"password": ""}, {"username": "nobody@example.com"}):
        answer = ask(login, form | wrong)
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": "invalid_grant", "error_description": "authentication failure"},
        )


@seen("the refresh of jsforce, oauth2.ts")
def test_the_refresh_token_gets_a_new_access_token_each_time(login: Caller) -> None:
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": REFRESH_TOKEN}
    tokens = {ask(login, form | more).json()["access_token"] for more in ({}, {"client_secret": CLIENT_SECRET})}
    assert len(tokens) == 2
    assert all(works(login, token) for token in tokens)
    assert ask(login, form | {"client_secret": "nonsense"}).json()["error"] == "invalid_client"


@doc("OAuth 2.0 Authorization Errors")
def test_a_wrong_refresh_token_counts_as_expired(login: Caller) -> None:
    answer = ask(login, {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": "old"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "invalid_grant", "error_description": "expired access/refresh token"},
    )


@doc("OAuth 2.0 JWT Bearer Flow")
@pytest.mark.parametrize("audience", ["https://login.salesforce.com", None])
def test_a_signed_assertion_for_the_login_host_or_for_the_org_gets_a_token(login: Caller, audience: str | None) -> None:
    audience = audience or str(login.http.base_url).rstrip("/")
    assert works(login, ask(login, assertion(aud=audience)).json()["access_token"])


@doc("OAuth 2.0 JWT Bearer Flow")
@assumed("an org refuses the login host of the other kind of org")
def test_a_signed_assertion_for_a_sandbox_is_one_for_the_login_host_of_sandboxes(login: Caller, tmp_path: Path) -> None:
    production, sandbox = "https://login.salesforce.com", "https://test.salesforce.com"
    with an_org(tmp_path, clock=Clock(NOW), client_public_key=public_pem(), sandbox=True) as sandbox_org:
        assert works(sandbox_org, ask(sandbox_org, assertion(aud=sandbox)).json()["access_token"])
        refused = [ask(sandbox_org, assertion(aud=production)), ask(login, assertion(aud=sandbox))]
    assert {answer.json()["error_description"] for answer in refused} == {"Audience validation failed"}


@seen("as text: simple-salesforce; in milliseconds: forcedotcom/sfdx-core, the official CLI")
@pytest.mark.parametrize("end", [f"{NOW.timestamp() + 180:.0f}", int(NOW.timestamp() * 1000) + 300])
def test_the_end_of_an_assertion_may_be_told_as_text_or_in_milliseconds(login: Caller, end: str | int) -> None:
    assert works(login, ask(login, assertion(exp=end)).json()["access_token"])


@seen("forcedotcom/sfdx-core, the official CLI")
def test_the_audience_of_an_assertion_may_end_in_a_slash(login: Caller) -> None:
    assert works(login, ask(login, assertion(aud=f"{login.http.base_url}/")).json()["access_token"])


@doc("OAuth 2.0 Authorization Errors")
@seen("an expired assertion: Salesforce StackExchange 282513")
@assumed("the text for an assertion that can't be trusted")
@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://example.com"}, "invalid_grant", "Audience validation failed"),
        ({"exp": int(NOW.timestamp())}, "invalid_grant", "expired authorization code"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"exp": None}, "invalid_grant", "invalid assertion"),
        ({"aud": None}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "expired authorization code"),
        ({"exp": math.nan}, "invalid_grant", "expired authorization code"),
        ({"nbf": int(NOW.timestamp()) + 1}, "invalid_grant", "invalid assertion"),
        ({"nbf": "soon"}, "invalid_grant", "invalid assertion"),
        (
            {"key": "a shared secret, long enough to sign with", "algorithm": "HS256"},
            "invalid_grant",
            "invalid assertion",
        ),
    ],
)
def test_an_assertion_is_checked_claim_by_claim(
    login: Caller, claims: dict[str, Any], error: str, description: str
) -> None:
    answer = ask(login, assertion(**claims))
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


@assumed("the text for an assertion that can't be trusted")
def test_an_assertion_signed_with_another_key_is_refused(login: Caller) -> None:
    other = generate_private_key(public_exponent=65537, key_size=2048)
    for form in (assertion(other), {"grant_type": JWT_BEARER, "assertion": "nonsense"}, {"grant_type": JWT_BEARER}):
        answer = ask(login, form)
        assert (answer.status_code, answer.json()["error_description"]) == (400, "invalid assertion")


@own
def test_an_assertion_may_be_made_at_the_time_of_the_orgs_clock(tmp_path: Path) -> None:
    now = datetime(2100, 1, 1, tzinfo=UTC)
    second = int(now.timestamp())
    with an_org(tmp_path, clock=Clock(now), client_public_key=public_pem()) as org:
        form = assertion(exp=second + 180, iat=second, nbf=second)
        assert works(org, ask(org, form).json()["access_token"])


@doc("OAuth 2.0 JWT Bearer Flow")
def test_the_apps_key_may_be_a_certificate(tmp_path: Path) -> None:
    with an_org(tmp_path, clock=Clock(NOW), client_public_key=certificate_pem()) as org:
        assert works(org, ask(org, assertion()).json()["access_token"])


@own
def test_an_org_whose_app_has_no_key_says_so(org: Caller) -> None:
    answer = ask(org, assertion())
    assert answer.json() == snapshot(
        {
            "error": "invalid_client",
            "error_description": "The org has no key to check assertions with: start it with --public-key FILE",
        }
    )


@own
def test_an_org_does_not_open_with_a_key_that_is_none(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="did not start"),
        an_org(tmp_path, client_public_key="-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n"),
    ):
        pass


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
def test_tokens_are_kept_as_hashes_only(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        token = ask(org, CREDENTIALS).json()["access_token"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and token[16:].encode() in path.read_bytes()]


@seen("logout of jsforce, oauth2.ts")
@assumed("the error of a token that is none")
def test_a_revoked_token_is_at_its_end(org: Caller) -> None:
    token = ask(org, CREDENTIALS).json()["access_token"]
    answer = ask(org, {"token": token}, "/services/oauth2/revoke")
    assert (answer.status_code, answer.content) == (200, b"")
    assert not works(org, token)
    again = ask(org, {"token": token}, "/services/oauth2/revoke")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


@own
def test_the_published_token_can_not_be_revoked(org: Caller) -> None:
    assert ask(org, {"token": ACCESS_TOKEN}, "/services/oauth2/revoke").status_code == 200
    assert works(org, ACCESS_TOKEN)


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
