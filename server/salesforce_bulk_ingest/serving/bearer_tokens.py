"""Bearer tokens as requests carry them, and what they allow."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.types import Scope

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken, TokenVerifier

BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
"""The credentials of RFC 6750, 2.1."""

NAMED_PREFIX = "sbi_"
"""The beginning of every named token, by which it is told from an access token of an issuer, and by scanners for secrets."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes by which a token may read or write; the one for writing includes the other."""

    read: str = "bulk:read"
    write: str = "bulk:write"

    def may_read(self, granted: Iterable[str]) -> bool:
        """Return whether the granted scopes are enough to read."""
        return not {self.read, self.write}.isdisjoint(granted)

    def may_write(self, granted: Iterable[str]) -> bool:
        """Return whether the granted scopes are enough to write."""
        return self.write in granted


class Undecided(Exception):
    """It can't be told just now whether tokens are good; the message says why, for the log alone."""


class Refused(Exception):
    """A request is not let in (RFC 6750, 3.1).

    Args:
        status: HTTP status.
        error: error code of RFC 6750; None where the request has no credentials at all.
        description: a sentence for the caller.
        scope: the scope that would have been enough, where the lack of it is the reason.
    """

    def __init__(self, status: int, error: str | None, description: str, scope: str | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.scope = scope


def bearer_token(scope: Scope) -> str:
    """Return the token of a request, which stands in its one Authorization header.

    Raises:
        Refused: the request has no token, more than one, or one in its address.
    """
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if "access_token" in {name for name, _ in query}:
        raise Refused(
            400, "invalid_request", "A token in the address is not taken: send it in the Authorization header."
        )
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if not given:
        raise Refused(401, None, "This server takes calls with a bearer token in the Authorization header.")
    if len(given) > 1:
        raise Refused(400, "invalid_request", "The request has more than one Authorization header.")
    match = BEARER.fullmatch(given[0])
    if match is None:
        raise Refused(401, None, "The Authorization header has no bearer token: it is `Bearer`, a space and the token.")
    return match[1].decode()


def is_elsewhere(token: str, scope: Scope) -> bool:
    """Return whether the token of a request stands in another header or in the address, too.

    From there it could be sent on, or be written to a log.
    """
    headers = (value for name, value in scope["headers"] if name != b"authorization")
    places = (*headers, scope["path"].encode(), scope.get("raw_path", b""), scope["query_string"])
    return any(token.encode() in unquote_to_bytes(place) for place in places)


class TokensOfTwoKinds:
    """A `TokenVerifier` of named tokens and of an issuer's access tokens, side by side.

    Args:
        named: verifies tokens with our prefix; None if there are none.
        issued: verifies all others; None if there is no issuer.
    """

    def __init__(self, named: "TokenVerifier | None", issued: "TokenVerifier | None") -> None:
        self._named = named
        self._issued = issued

    async def verify_token(self, token: str) -> "AccessToken | None":
        """Return what the token allows, or None for one that is not good.

        Raises:
            Undecided: that can't be told just now.
        """
        verifier = self._named if token.startswith(NAMED_PREFIX) else self._issued
        return None if verifier is None else await verifier.verify_token(token)
