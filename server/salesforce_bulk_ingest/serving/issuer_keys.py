"""The public keys of an issuer of access tokens, fetched when they are needed and kept."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx2
from jwt import PyJWK, PyJWTError
from pydantic import BaseModel, ValidationError

from salesforce_bulk_ingest.base.loopback import is_safe
from salesforce_bulk_ingest.serving.bearer_tokens import Undecided

logger = logging.getLogger(__name__)

FRESH_SECONDS = 600
USABLE_SECONDS = 3600
"""How long keys are used while the issuer does not answer."""

PAUSE_SECONDS = 10
"""The time between two fetches: a token with an unknown key costs the issuer at most this much."""

FETCH_SECONDS = 5
MOST_BYTES = 500_000
MOST_KEYS = 100
ACCEPT_JSON = {"Accept": "application/json"}

_Document = TypeVar("_Document", bound=BaseModel)


class _Metadata(BaseModel):
    """The part of the issuer's metadata that is used (RFC 8414, 2; OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    jwks_uri: str


class _KeySet(BaseModel):
    """A set of keys (RFC 7517, 5)."""

    keys: list[dict[str, Any]]


class _CantFetch(Exception):
    """A document of the issuer can't be had; the message says which and why."""


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: Sequence[dict[str, Any]]
    fetched_at: float

    def of(self, key_id: str | None) -> dict[str, Any] | None:
        """Return the key of this id; a token that names none has the only one there is."""
        if key_id is None:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.get("kid") == key_id), None)


@dataclass(slots=True)
class IssuerKeys:
    """The keys of one issuer.

    A key that is not known is looked for again at the issuer, so that keys can be changed without a restart: by one fetch
    for all who ask, and at most every 10 s.

    Attributes:
        issuer: the issuer, spelled as it spells itself.
        jwks_url: where its keys are; None to find that out from its metadata.
        http: fetches them; it follows no redirects.
        monotonic: returns the time in seconds.
    """

    issuer: str
    jwks_url: str | None
    http: httpx2.AsyncClient
    monotonic: Callable[[], float]
    _keys: _Keys | None = None
    _tried_at: float | None = None
    _failure: str | None = None
    _fetching: anyio.Lock = field(default_factory=anyio.Lock)

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """Return the key for a signature, or None if the issuer has none like that.

        Args:
            key_id: the id of the key; None if the token names none.
            algorithm: the algorithm of the signature, one of the asymmetric ones.

        Raises:
            Undecided: the issuer does not tell its keys just now.
        """
        key = self._usable(key_id)
        if key is None or (self._age() > FRESH_SECONDS and not self._fetching.locked()):
            await self._fetch_unless_just_done(key_id)
            key = self._usable(key_id)
        if key is None and self._failure is not None:
            raise Undecided(f"the keys of {self.issuer} can't be fetched: {self._failure}")
        return None if key is None else _for(key, algorithm)

    def _age(self) -> float:
        return float("inf") if self._keys is None else self.monotonic() - self._keys.fetched_at

    def _usable(self, key_id: str | None) -> dict[str, Any] | None:
        return None if self._keys is None or self._age() > USABLE_SECONDS else self._keys.of(key_id)

    async def _fetch_unless_just_done(self, key_id: str | None) -> None:
        async with self._fetching:
            was_just_done = self._tried_at is not None and self.monotonic() - self._tried_at < PAUSE_SECONDS
            if was_just_done or (self._age() <= FRESH_SECONDS and self._usable(key_id) is not None):
                return
            self._tried_at = self.monotonic()
            try:
                with anyio.fail_after(FETCH_SECONDS):
                    key_set = await self._document(_KeySet, self.jwks_url or await self._discovered())
            except (_CantFetch, TimeoutError) as error:
                self._failure = str(error) or f"no answer within {FETCH_SECONDS} s"
                logger.warning("the keys of %s can't be fetched: %s", self.issuer, self._failure)
            else:
                keys = [key for key in key_set.keys[:MOST_KEYS] if key.get("use", "sig") == "sig"]
                self._keys, self._failure = _Keys(keys, self.monotonic()), None

    async def _discovered(self) -> str:
        """Return the URL of the keys by the issuer's metadata, which have to be those of this very issuer."""
        failures = []
        for url in _metadata_urls(self.issuer):
            try:
                metadata = await self._document(_Metadata, url)
            except _CantFetch as error:
                failures.append(str(error))
                continue
            if metadata.issuer != self.issuer:
                raise _CantFetch(f"{url} has the metadata of another issuer")
            if not is_safe(metadata.jwks_uri):
                raise _CantFetch(f"{url} names keys that are not at an https URL")
            return metadata.jwks_uri
        raise _CantFetch(" and ".join(failures))

    async def _document(self, kind: type[_Document], url: str) -> _Document:
        body = bytearray()
        try:
            async with self.http.stream("GET", url, headers=ACCEPT_JSON) as response:
                if response.status_code != 200:
                    raise _CantFetch(f"{url} answers with {response.status_code}")
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise _CantFetch(f"{url} is over {MOST_BYTES:,} bytes long")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _CantFetch(f"{url} does not answer ({type(error).__name__})") from None
        try:
            return kind.model_validate_json(bytes(body))
        except ValidationError:
            raise _CantFetch(f"{url} is not the document that it should be") from None


def _metadata_urls(issuer: str) -> tuple[str, ...]:
    """Return where the metadata of an issuer may be (RFC 8414, 3.1 and 5; OpenID Connect Discovery 1.0, 4)."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return (
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
        *((f"{origin}/.well-known/openid-configuration{path}",) if path else ()),
    )


def _for(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    """Return the key for signatures by an algorithm, or None if it is a key for others."""
    if key.get("kty") not in ("RSA", "EC", "OKP") or key.get("alg", algorithm) != algorithm:
        return None
    try:
        return PyJWK(key, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
