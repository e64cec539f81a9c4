"""The verifier of an issuer's access tokens, which are signed JWTs for this server (RFC 9068, RFC 8725)."""

import re
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier

from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Only algorithms whose signatures a public key checks: with a shared one, whoever knows our key could sign."""

TYPES = ("at+jwt", "application/at+jwt", "jwt", None)
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
LEEWAY_SECONDS = 30
ID_TOKEN_CLAIMS = frozenset({"nonce", "at_hash", "c_hash"})
"""Claims of ID tokens alone (OpenID Connect Core 1.0, 2 and 3.3.2.11), which speak to a client, not to a server."""


class IssuedTokens(TokenVerifier):
    """The verifier of the access tokens of one issuer.

    Args:
        keys: the keys of the issuer.
        public_url: the URL of this server, for which the tokens have to be.
    """

    def __init__(self, keys: IssuerKeys, public_url: str) -> None:
        self._keys = keys
        self._audiences = (public_url, f"{public_url}/", f"{public_url}/mcp")

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token allows, or None for one that is not good.

        Raises:
            Undecided: the issuer does not tell its keys just now.
        """
        header = _header(token)
        if header is None:
            return None
        key = await self._keys.find(header.get("kid"), header["alg"])
        if key is None:
            return None
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self._audiences,
                issuer=self._keys.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"], "verify_iat": True, "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return _access(claims)


def _header(token: str) -> dict[str, Any] | None:
    """Return the header of a token, or None for one that is no access token of a kind that is taken."""
    if JWT.fullmatch(token) is None:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    kind = header.get("typ")
    is_taken = (
        header.get("alg") in ALGORITHMS
        and (kind.lower() if isinstance(kind, str) else kind) in TYPES
        and isinstance(header.get("kid"), str | None)
        and "crit" not in header
    )
    return header if is_taken else None


def _access(claims: dict[str, Any]) -> AccessToken | None:
    # A token that is bound to a key of its sender (RFC 7800) is worth nothing without a proof, which is not checked here.
    if "cnf" in claims or not ID_TOKEN_CLAIMS.isdisjoint(claims):
        return None
    subject, client = claims.get("sub"), claims.get("client_id", claims.get("azp"))
    names = [name for name in (subject, client) if isinstance(name, str) and name]
    if not names:
        return None
    return AccessToken(
        token="",  # it has done its work, and goes no further
        client_id=client if isinstance(client, str) else "",
        subject=subject if isinstance(subject, str) else None,
        scopes=_scopes(claims),
        expires_at=int(claims["exp"]),
        claims={"iss": claims["iss"]},
    )


def _scopes(claims: dict[str, Any]) -> list[str]:
    """Return the scopes of a token: `scope` is RFC 9068's claim, `scp` that of some issuers."""
    given = claims.get("scope", claims.get("scp", []))
    if isinstance(given, str):
        return given.split(" ")
    return [scope for scope in given if isinstance(scope, str)] if isinstance(given, list) else []
