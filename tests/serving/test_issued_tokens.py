"""Access tokens of an issuer: good ones, and every way in which one may be forged or meant for others."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from salesforce_bulk_ingest.serving.issued_tokens import ALGORITHMS, IssuedTokens
from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys
from tests.support.issuer import AUDIENCE, Issuer, access_token, private_key, public_jwk, public_pem
from tests.support.plain_http import plain_http
from tests.support.wire import served


@dataclass
class World:
    """An issuer, and the verifier of its tokens."""

    issuer: Issuer
    url: str
    verifier: IssuedTokens

    async def scopes(self, token: str) -> list[str] | None:
        verified = await self.verifier.verify_token(token)
        return None if verified is None else verified.scopes


@pytest.fixture
async def world() -> AsyncIterator[World]:
    issuer = Issuer()
    async with served(issuer) as url, plain_http() as http:
        issuer.begin(url)
        keys = IssuerKeys(url, None, http, time.monotonic)
        yield World(issuer, url, IssuedTokens(keys, AUDIENCE))


BOTH = ["bulk:read", "bulk:write"]

GOOD: list[tuple[dict[str, Any], list[str]]] = [
    ({}, BOTH),
    ({"header": {"typ": "JWT"}}, BOTH),
    ({"header": {"typ": "application/at+JWT"}}, BOTH),
    ({"header": {"typ": None}}, BOTH),
    ({"header": {"kid": None}}, BOTH),
    ({"aud": [AUDIENCE]}, BOTH),
    ({"aud": ["https://other.example", f"{AUDIENCE}/mcp"]}, BOTH),
    ({"aud": f"{AUDIENCE}/"}, BOTH),
    ({"scope": None, "scp": ["bulk:read"]}, ["bulk:read"]),
    ({"scope": None, "scp": "bulk:read openid"}, ["bulk:read", "openid"]),
    ({"scope": None}, []),
    ({"scope": {"bulk:write": 1}}, []),
    ({"sub": None}, BOTH),
    ({"client_id": None}, BOTH),
    ({"exp": -5}, BOTH),
    ({"nbf": 5}, BOTH),
]


@pytest.mark.parametrize(("claims", "scopes"), GOOD)
async def test_a_token_for_this_server_is_good(claims: dict[str, Any], scopes: list[str], world: World) -> None:
    assert await world.scopes(access_token(world.url, **claims)) == scopes


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_signature_by_each_of_the_algorithms_is_checked(algorithm: str, world: World) -> None:
    world.issuer.show(public_jwk(algorithm, "first"))
    token = access_token(world.url, header={"alg": algorithm})
    assert await world.scopes(token) == BOTH
    head, payload, signature = token.split(".")
    forged = f"{head}.{payload}.{signature[:10]}{'A' if signature[10] != 'A' else 'B'}{signature[11:]}"
    assert await world.scopes(forged) is None


BAD: list[dict[str, Any]] = [
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "https://other.example"},
    {"aud": ["https://other.example"]},
    {"aud": "https://bulk.example.evil.example"},
    {"aud": "https://bulk.example/other"},
    {"aud": None},
    {"aud": []},
    {"exp": -3600},
    {"exp": None},
    {"exp": "tomorrow"},
    {"exp": float("inf")},
    {"exp": float("nan")},
    {"exp": [60]},
    {"nbf": 3600},
    {"iat": 3600},
    {"sub": None, "client_id": None},
    {"sub": "", "client_id": 7},
    {"cnf": {"jkt": "x"}},
    {"nonce": "n", "at_hash": "x"},
    {"header": {"typ": "id+jwt"}},
    {"header": {"typ": "logout+jwt"}},
    {"header": {"typ": "dpop+jwt"}},
    {"header": {"crit": ["exp"]}},
    {"header": {"kid": "unknown"}},
    {"key": private_key("ES256", 7)},
    {"header": {"jwk": public_jwk("ES256", "first", 7)}, "key": private_key("ES256", 7)},
    {"header": {"alg": "RS256"}},
    {"header": {"alg": "ES384"}},
]


@pytest.mark.parametrize("claims", BAD)
async def test_a_token_that_is_forged_over_or_for_others_is_not_good(claims: dict[str, Any], world: World) -> None:
    assert await world.scopes(access_token(world.url, **claims)) is None


def encoded(text: bytes) -> str:
    return urlsafe_b64encode(text).rstrip(b"=").decode()


async def test_a_token_without_a_signature_or_with_one_by_the_public_key_is_not_good(world: World) -> None:
    world.issuer.show(public_jwk("RS256", "first"))
    token = access_token(world.url, header={"alg": "RS256"})
    assert await world.scopes(token) == BOTH
    _, payload, signature = token.split(".")
    for alg in ("none", "None", "NONE", "HS256", "HS512"):
        head = encoded(f'{{"alg":"{alg}","typ":"at+jwt","kid":"first"}}'.encode())
        by_public_key = [
            encoded(jwt.get_algorithm_by_name("HS256").sign(f"{head}.{payload}".encode(), secret))
            for secret in (public_pem("RS256"), b"")
        ]
        for end in ("", signature, *by_public_key):
            assert await world.scopes(f"{head}.{payload}.{end}") is None


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d.e", "..", "\u00e9.b.c", "a" * 10_000])
async def test_what_is_no_token_is_not_good(token: str, world: World) -> None:
    assert await world.scopes(token) is None
    assert world.issuer.asked == []


async def test_the_caller_is_the_subject_at_its_issuer_and_the_token_goes_no_further(world: World) -> None:
    token = access_token(world.url)
    verified = await world.verifier.verify_token(token)
    assert verified is not None
    assert (verified.subject, verified.client_id, verified.claims) == ("ann", "app", {"iss": world.url})
    assert token.split(".")[2] not in verified.model_dump_json()
