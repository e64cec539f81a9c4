"""Callers with tokens of a real identity provider: the SDK's client signs in by itself, and no other token is good anywhere."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from salesforce_bulk_ingest.app.ports import Addresses
from salesforce_bulk_ingest.base.clock import Clock
from salesforce_bulk_ingest.serving.ports import bound_socket
from tests.callers.provider import IdentityProvider, Key, Memory, Person, identity_provider, login_of
from tests.support.callers import INITIALIZE, MCP_HEADERS, Served, bearer, every_route, serving
from tests.support.orgs import ERAS, Era, call
from tests.support.plain_http import plain_http

SAMPLE = files("salesforce_bulk_ingest").joinpath("sample", "contacts.csv").read_text(encoding="utf-8")
OTHER = "https://other.example"
FIRST, SECOND = Key("first"), Key("second")
LATER_SECONDS = 3600
CREATE = {
    "jsonrpc": "2.0", "id": 2, "method": "tools/call",
    "params": {"name": "create-ingest-job", "arguments": {"body": {"object": "Account", "operation": "insert"}}},
}  # fmt: skip


def free_port() -> int:
    with bound_socket("127.0.0.1", 0) as bound:
        return int(bound.getsockname()[1])


@dataclass
class Places:
    """Where the provider and the product are, as both have to know beforehand."""

    provider_port: int = field(default_factory=free_port)
    mcp_port: int = field(default_factory=free_port)

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.mcp_port}"

    @property
    def settings(self) -> dict[str, Any]:
        issuer = f"http://127.0.0.1:{self.provider_port}"
        return {"oauth_issuer": issuer, "public_url": self.public_url, "mcp_port": self.mcp_port}

    def resources(self) -> tuple[str, ...]:
        return (self.public_url, f"{self.public_url}/", f"{self.public_url}/mcp", OTHER)


@pytest.fixture(scope="module")
def places() -> Places:
    return Places()


@pytest.fixture(scope="module")
def provider(places: Places) -> Iterator[IdentityProvider]:
    with identity_provider(places.provider_port, FIRST, *places.resources()) as running:
        yield running


@pytest.fixture
async def addresses(tmp_path: Path, places: Places, provider: IdentityProvider) -> AsyncIterator[Addresses]:
    async with serving(tmp_path, **places.settings) as served:
        yield served


@pytest.mark.parametrize("era", ERAS)
async def test_the_sdks_client_finds_the_provider_signs_in_and_loads_a_file(era: Era, addresses: Addresses) -> None:
    kept = Memory()
    login = login_of(Person("ann"), addresses.mcp_url, kept)
    async with httpx2.AsyncClient(auth=login, trust_env=False, timeout=60) as http:
        async with Client(streamable_http_client(addresses.mcp_url, http_client=http), mode=era) as client:
            assert len((await client.list_tools()).tools) == 9
            job = await call(client, "create-ingest-job", body={"object": "Contact", "operation": "insert"})
            await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": SAMPLE})
            closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
            closed = await call(client, "close-abort-ingest-job", **closing)
            assert (closed["numberRecordsProcessed"], closed["numberRecordsFailed"]) == (240, 11)
    assert kept.tokens is not None
    async with plain_http(headers=bearer(kept.tokens.access_token)) as http:
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest/{job['id']}")).json()["state"] == "JobComplete"


async def test_a_token_for_any_spelling_of_this_server_is_good_on_both_ports(
    addresses: Addresses, places: Places, provider: IdentityProvider
) -> None:
    async with plain_http() as http:
        for resource in places.resources()[:-1]:
            headers = bearer(provider.machine_token(resource, "bulk:read"))
            assert (await http.get(f"{addresses.rest_url}/jobs/ingest", headers=headers)).status_code == 200
            begun = await http.post(addresses.mcp_url, json=INITIALIZE, headers={**MCP_HEADERS, **headers})
            assert begun.status_code == 200


def encoded(text: bytes) -> str:
    return urlsafe_b64encode(text).rstrip(b"=").decode()


async def bad_tokens(places: Places, provider: IdentityProvider) -> dict[str, str]:
    """Tokens that are forged, over, or for others, by what is wrong with them."""
    good = provider.machine_token(places.public_url, "bulk:read bulk:write")
    claims = jwt.decode(good, options={"verify_signature": False})
    _, payload, signature = good.split(".")
    public = FIRST.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    by_public_key = encoded(b'{"alg":"HS256","typ":"at+jwt","kid":"first"}')
    hs256 = encoded(jwt.get_algorithm_by_name("HS256").sign(f"{by_public_key}.{payload}".encode(), public))
    none = encoded(b'{"alg":"none","typ":"at+jwt"}')
    now = int(time.time())
    return {
        "alg none": f"{none}.{payload}.",
        "alg none, signed": f"{none}.{payload}.{signature}",
        "HS256 with the public key": f"{by_public_key}.{payload}.{hs256}",
        "another key": Key("first").sign(claims),
        "a changed claim": f"{good.split('.')[0]}.{encoded(b'{}')}.{signature}",
        "foreign audience": provider.machine_token(OTHER, "bulk:write"),
        "foreign issuer": FIRST.sign({**claims, "iss": "https://evil.example"}),
        "expired": FIRST.sign({**claims, "exp": now - 3600}),
        "not valid yet": FIRST.sign({**claims, "nbf": now + 3600}),
        "bound to its sender": provider.bound_machine_token(places.public_url),
        "ID token": await provider.id_token(Person("ann")),
        "garbage": "a.b.c",
    }


async def ask(http: httpx2.AsyncClient, route: Served, addresses: Addresses, token: str) -> httpx2.Response:
    headers = {**MCP_HEADERS, **bearer(token)}
    return await http.request(route.method, route.url(addresses), headers=headers, content=b"{}")


async def test_no_token_that_is_forged_over_or_for_others_is_good_on_any_route(
    addresses: Addresses, places: Places, provider: IdentityProvider, org_url: str
) -> None:
    tokens = await bad_tokens(places, provider)
    async with plain_http() as http:
        for route in await every_route(org_url):
            for what, token in tokens.items():
                answer = await ask(http, route, addresses, token)
                assert (answer.status_code, what, route) == (401, what, route)
                assert 'error="invalid_token"' in answer.headers["www-authenticate"]
                assert "resource_metadata=" in answer.headers["www-authenticate"]


async def test_a_token_without_the_scope_is_good_for_nothing_that_takes_it(
    addresses: Addresses, places: Places, provider: IdentityProvider, org_url: str
) -> None:
    other, reader = (provider.machine_token(places.public_url, scope) for scope in ("other", "bulk:read"))
    async with plain_http() as http:
        for route in await every_route(org_url):
            answer = await ask(http, route, addresses, other)
            assert (answer.status_code, route) == (403, route)
            assert 'scope="bulk:read"' in answer.headers["www-authenticate"]
            if not route.of_mcp and route.method not in ("GET", "HEAD"):
                answer = await ask(http, route, addresses, reader)
                assert (answer.status_code, route) == (403, route)
                assert 'scope="bulk:write"' in answer.headers["www-authenticate"]
        answer = await http.post(addresses.mcp_url, json=CREATE, headers={**MCP_HEADERS, **bearer(reader)})
        assert answer.status_code == 403 and 'scope="bulk:write"' in answer.headers["www-authenticate"]


async def test_the_session_of_one_caller_is_of_no_use_to_another(
    addresses: Addresses, places: Places, provider: IdentityProvider
) -> None:
    kept = Memory()
    login = login_of(Person("ann"), addresses.mcp_url, kept)
    async with httpx2.AsyncClient(auth=login, trust_env=False) as http:
        begun = await http.post(addresses.mcp_url, json=INITIALIZE, headers=MCP_HEADERS)
    headers = {**MCP_HEADERS, "Mcp-Session-Id": begun.headers["mcp-session-id"]}
    machine = provider.machine_token(places.public_url, "bulk:write")
    assert kept.tokens is not None
    async with plain_http() as http:
        for method in ("POST", "GET", "DELETE"):
            body = CREATE if method == "POST" else None
            answer = await http.request(method, addresses.mcp_url, json=body, headers={**headers, **bearer(machine)})
            assert answer.status_code == 404
        ended = await http.delete(addresses.mcp_url, headers={**headers, **bearer(kept.tokens.access_token)})
        assert ended.status_code == 200


async def test_keys_are_changed_without_a_restart_and_a_provider_that_is_gone_is_no_refusal(tmp_path: Path) -> None:
    places, passed = Places(), [0.0]
    clock = Clock(time.time, lambda: time.monotonic() + passed[0])
    statuses = []
    async with serving(tmp_path, clock=clock, **places.settings) as addresses, plain_http() as http:

        async def look(token: str) -> None:
            answer = await http.get(f"{addresses.rest_url}/jobs/ingest", headers=bearer(token))
            statuses.append(answer.status_code)

        with identity_provider(places.provider_port, FIRST, *places.resources()) as provider:
            old = provider.machine_token(places.public_url, "bulk:read")
            await look(old)
        passed[0] += LATER_SECONDS / 2
        await look(old)
        with identity_provider(places.provider_port, SECOND, *places.resources()) as provider:
            new = provider.machine_token(places.public_url, "bulk:read")
            passed[0] += 11
            await look(new)
            await look(old)
        passed[0] += LATER_SECONDS
        await look(new)
    assert statuses == [200, 200, 200, 401, 503]
