"""Logging in: the grants of the token resource."""

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

from salesforce_emulator import Assumptions
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET, PASSWORD, REFRESH_TOKEN, USERNAME
from tests.salesforce_emulator.api.logins import (
    CLIENT,
    CREDENTIALS,
    ask,
    authorization_code,
    exchange,
    refresh,
    works,
)
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
        ({"grant_type": "device"}, "unsupported_grant_type", "grant type not supported"),
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


@doc("OAuth 2.0 Web Server Flow; OAuth Tokens and Scopes")
@assumed("the scope that is told is the one that was asked for, in its order")
def test_an_authorization_code_gets_tokens_and_the_refresh_token_further_ones(org: Caller) -> None:
    issued = exchange(org, authorization_code(org, scope="api refresh_token")).json()
    assert works(org, issued["access_token"])
    assert issued["scope"] == "api refresh_token"
    renewed = [refresh(org, issued["refresh_token"]).json() for _ in range(2)]
    assert all(works(org, answer["access_token"]) for answer in renewed)
    assert [(answer["scope"], "refresh_token" in answer) for answer in renewed] == [("api refresh_token", False)] * 2


@doc("OAuth Tokens and Scopes: refresh_token, a synonym of offline_access, gets a refresh token, and full does not")
@assumed("that an app which names no scope may refresh")
@pytest.mark.parametrize(
    ("scope", "is_renewable"),
    [("api", False), ("full", False), ("api offline_access", True), ("full refresh_token", True), (None, True)],
)
def test_a_refresh_token_is_for_apps_that_ask_for_one(org: Caller, scope: str | None, is_renewable: bool) -> None:
    assert ("refresh_token" in exchange(org, authorization_code(org, scope=scope)).json()) == is_renewable


def expired() -> dict[str, str]:
    return {"error": "invalid_grant", "error_description": "expired authorization code"}


@doc("OAuth 2.0 Web Server Flow: a code is good once, for 15 minutes")
@seen("the text for a code that has expired or was used: jsforce and others")
@assumed("the same text for a code that is none")
def test_an_authorization_code_is_good_once_and_for_15_minutes(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        in_time, too_late = authorization_code(org), authorization_code(org)
        clock.forward(seconds=899)
        assert exchange(org, in_time).status_code == 200
        clock.forward(seconds=1)
        for code in (in_time, too_late, "nonsense"):
            answer = exchange(org, code)
            assert (answer.status_code, answer.json()) == (400, expired())


@assumed("that a refused attempt uses the code up")
@seen("redirect_uri must match configuration: public clients")
@pytest.mark.parametrize("redirect_uri", ["http://localhost:1717/", None])
def test_an_authorization_code_is_for_one_callback_url(org: Caller, redirect_uri: str | None) -> None:
    code = authorization_code(org)
    answer = exchange(org, code, redirect_uri=redirect_uri)
    told = {"error": "redirect_uri_mismatch", "error_description": "redirect_uri must match configuration"}
    assert (answer.status_code, answer.json()) == (400, told)
    assert exchange(org, code).json() == expired()


@doc("RFC 6749, 4.1.3: the code is for the app that it was issued to")
def test_an_authorization_code_is_for_one_app(tmp_path: Path) -> None:
    with an_org(tmp_path, client_id="another-app") as org:
        code = authorization_code(org, client_id="another-app")
    with an_org(tmp_path) as org:
        assert exchange(org, code).json() == expired()


@doc("OAuth 2.0 Web Server Flow: code_challenge and code_verifier go together")
@seen("the text: Salesforce StackExchange 330168")
@assumed("that no verifier fits the challenge of another method")
@pytest.mark.parametrize(
    ("asked", "brought"),
    [
        ({}, {"code_verifier": "w" * 43}),
        ({}, {"code_verifier": None}),
        ({}, {"code_verifier": "\xe9" * 43}),
        ({"code_challenge_method": "plain", "code_challenge": "v" * 43}, {"code_verifier": "v" * 43}),
        ({"code_challenge": None, "code_challenge_method": None}, {}),
        ({"code_challenge": "\xe9"}, {}),
    ],
)
def test_an_authorization_code_needs_the_verifier_of_its_challenge(
    org: Caller, asked: dict[str, str | None], brought: dict[str, str | None]
) -> None:
    answer = exchange(org, authorization_code(org, **asked), **brought)
    told = {"error": "invalid_grant", "error_description": "invalid code verifier"}
    assert (answer.status_code, answer.json()) == (400, told)


@seen("jsforce, oauth2.ts, with which the official CLI logs in")
def test_a_challenge_whose_method_is_not_named_is_one_of_s256(org: Caller) -> None:
    assert exchange(org, authorization_code(org, code_challenge_method=None)).status_code == 200


@doc("OAuth 2.0 Web Server Flow: PKCE is optional")
def test_an_authorization_code_without_a_challenge_needs_no_verifier(org: Caller) -> None:
    code = authorization_code(org, code_challenge=None, code_challenge_method=None)
    assert works(org, exchange(org, code, code_verifier=None).json()["access_token"])


@doc("Require Secret for Web Server Flow, for Refresh Token Flow")
@assumed("the error of a missing secret")
def test_a_secret_is_checked_where_it_is_sent_or_the_app_requires_it(tmp_path: Path, org: Caller) -> None:
    refused = {"error": "invalid_client", "error_description": "invalid client credentials"}
    assert exchange(org, authorization_code(org), client_secret="nonsense").json() == refused
    assert exchange(org, authorization_code(org), client_secret=CLIENT_SECRET).status_code == 200
    with an_org(tmp_path, requires_secret=True) as strict:
        assert exchange(strict, authorization_code(strict)).json() == refused
        issued = exchange(strict, authorization_code(strict), client_secret=CLIENT_SECRET).json()
        assert refresh(strict, issued["refresh_token"]).json() == refused
        assert refresh(strict, issued["refresh_token"], client_secret=CLIENT_SECRET).status_code == 200


@own
def test_a_refresh_token_outlives_a_restart_and_time(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        issued = exchange(org, authorization_code(org)).json()
    clock.forward(days=1000)
    with an_org(tmp_path, clock=clock) as org:
        assert not works(org, issued["access_token"])
        assert works(org, refresh(org, issued["refresh_token"]).json()["access_token"])


@doc("OAuth 2.0 Refresh Token Flow: rotation gives a new refresh token each time, and the previous one ends")
@assumed("off where nobody says so; an app sets it", switch="refresh_token_rotation")
def test_a_refresh_token_may_be_good_once_and_bring_the_next_one(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(refresh_token_rotation="on")) as org:
        refresh_tokens = [exchange(org, authorization_code(org)).json()["refresh_token"]]
        for _ in range(3):
            answer = refresh(org, refresh_tokens[-1]).json()
            assert works(org, answer["access_token"])
            refresh_tokens.append(answer["refresh_token"])
        assert len(set(refresh_tokens)) == 4
        assert "refresh_token" not in refresh(org, REFRESH_TOKEN).json()


@doc("Force one-time-use Refresh Tokens: a replaced refresh token that comes again ends all that came of it")
def test_a_replaced_refresh_token_that_comes_again_ends_what_came_of_it(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(refresh_token_rotation="on")) as org:
        first = exchange(org, authorization_code(org)).json()
        second = refresh(org, first["refresh_token"]).json()
        for used_up in (first, second):
            answer = refresh(org, used_up["refresh_token"])
            told = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
            assert (answer.status_code, answer.json()) == (400, told)
            assert not works(org, used_up["access_token"])
