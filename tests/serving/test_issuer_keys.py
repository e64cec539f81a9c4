"""The keys of an issuer: found, kept, changed without a restart, and fetched seldom."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest
from starlette.responses import RedirectResponse, Response

from salesforce_bulk_ingest.serving.bearer_tokens import Undecided
from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys
from tests.support.issuer import JWKS, METADATA, OPENID, Issuer, public_jwk
from tests.support.plain_http import plain_http
from tests.support.wire import served


@dataclass
class World:
    """An issuer, what is known of its keys, and a clock that the test sets."""

    issuer: Issuer
    url: str
    http: httpx2.AsyncClient
    seconds: float = 1000

    def keys(self, issuer: str | None = None, jwks_url: str | None = None) -> IssuerKeys:
        return IssuerKeys(issuer or self.url, jwks_url, self.http, lambda: self.seconds)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    issuer = Issuer()
    async with served(issuer) as url, plain_http() as http:
        issuer.begin(url)
        yield World(issuer, url, http)


async def has(keys: IssuerKeys, key_id: str | None, algorithm: str = "ES256") -> bool:
    return await keys.find(key_id, algorithm) is not None


async def test_the_keys_are_found_by_the_metadata_and_kept(world: World) -> None:
    keys = world.keys()
    assert await has(keys, "first") and await has(keys, "first") and not await has(keys, "first", "RS256")
    assert world.issuer.asked == [METADATA, JWKS]


async def test_the_metadata_of_openid_are_found_too(world: World) -> None:
    world.issuer.documents[OPENID] = world.issuer.documents.pop(METADATA)
    assert await has(world.keys(), "first")


async def test_an_issuer_with_a_path_has_its_metadata_in_the_places_of_the_standards(world: World) -> None:
    issuer = f"{world.url}/realms/one"
    metadata = {**world.issuer.documents.pop(METADATA), "issuer": issuer}
    for path in (f"{METADATA}/realms/one", f"/realms/one{OPENID}", f"{OPENID}/realms/one"):
        world.issuer.documents[path] = metadata
        assert await has(world.keys(issuer), "first"), path
        del world.issuer.documents[path]


async def test_keys_at_a_url_of_the_settings_need_no_metadata(world: World) -> None:
    assert await has(world.keys(jwks_url=f"{world.url}{JWKS}"), "first")
    assert world.issuer.asked == [JWKS]


async def test_a_token_that_names_no_key_has_the_only_one(world: World) -> None:
    assert await has(world.keys(), None)
    world.issuer.show(public_jwk("ES256", "first"), public_jwk("ES256", "second", 1))
    assert not await has(world.keys(), None)


async def test_a_new_key_is_found_without_a_restart_and_an_old_one_is_forgotten(world: World) -> None:
    keys = world.keys()
    assert await has(keys, "first")
    world.issuer.show(public_jwk("ES256", "second", 1))
    world.seconds += 11
    assert await has(keys, "second") and not await has(keys, "first")


async def test_unknown_keys_cost_the_issuer_one_fetch_in_ten_seconds_however_many_ask(world: World) -> None:
    keys = world.keys()
    assert await has(keys, "first")
    world.seconds += 11
    world.issuer.asked.clear()
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(has, keys, f"unknown {number}")
    assert world.issuer.asked.count(JWKS) == 1
    world.seconds += 9
    assert not await has(keys, "unknown")
    assert world.issuer.asked.count(JWKS) == 1


async def test_keys_are_fetched_again_after_ten_minutes(world: World) -> None:
    keys = world.keys()
    assert await has(keys, "first")
    world.issuer.show(public_jwk("ES256", "second", 1))
    world.seconds += 599
    assert await has(keys, "first")
    world.seconds += 2
    assert not await has(keys, "first")


BROKEN: list[Any] = [
    None,
    Response(status_code=500),
    Response("<html>"),
    Response("x" * 600_000),
    {"keys": "none"},
    RedirectResponse("/elsewhere"),
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_known_keys_are_used_for_an_hour_while_the_issuer_does_not_tell_them(broken: Any, world: World) -> None:
    keys = world.keys()
    assert await has(keys, "first")
    world.issuer.documents["/elsewhere"] = world.issuer.documents[JWKS]
    world.issuer.documents[JWKS] = broken
    world.seconds += 3599
    assert await has(keys, "first")
    with pytest.raises(Undecided):
        await has(keys, "unknown")
    world.seconds += 11
    with pytest.raises(Undecided):
        await has(keys, "first")
    assert "/elsewhere" not in world.issuer.asked


async def test_an_issuer_that_answers_again_is_believed_again(world: World) -> None:
    metadata = world.issuer.documents.pop(METADATA)
    keys = world.keys()
    with pytest.raises(Undecided, match="answers with 404"):
        await has(keys, "first")
    world.issuer.documents[METADATA] = metadata
    with pytest.raises(Undecided):
        await has(keys, "first")
    world.seconds += 11
    assert await has(keys, "first")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": "{url}/"},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"jwks_uri": None},
        {"jwks_uri": "http://["},
        {"jwks_uri": "http://evil.example/jwks"},
        {"jwks_uri": "/jwks"},
    ],
)
async def test_metadata_of_another_issuer_or_with_keys_at_no_url_are_not_believed(
    metadata: dict[str, Any], world: World
) -> None:
    given = {name: value and value.replace("{url}", world.url) for name, value in metadata.items()}
    world.issuer.documents[METADATA] |= given
    with pytest.raises(Undecided, match=r"metadata of another issuer|not at an https URL|not the document"):
        await has(world.keys(), "first")
    assert JWKS not in world.issuer.asked


OTHER_USES = [
    public_jwk("ES256", "first", use="enc"),
    public_jwk("ES256", "first", alg="ES384"),
    {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
    {"kty": "EC", "kid": "first"},
    {"kid": "first"},
]


@pytest.mark.parametrize("key", OTHER_USES)
async def test_a_key_for_something_else_or_a_shared_one_is_none(key: dict[str, Any], world: World) -> None:
    world.issuer.show(key)
    assert not await has(world.keys(), "first")
