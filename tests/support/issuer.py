"""An issuer of access tokens: keys made here, and a small server for its metadata and its keys."""

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.support.canary import look_for
from tests.support.wire import pass_lifespan

AUDIENCE = "https://bulk.example"
METADATA = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
JWKS = "/jwks"


def private_key(algorithm: str, number: int = 0) -> Any:
    """A private key for signatures by an algorithm; other numbers are other keys."""
    return _private_key("RSA" if algorithm[1:].startswith("S") and algorithm[0] in "RP" else algorithm, number)


@cache
def _private_key(algorithm: str, number: int) -> Any:
    if algorithm.startswith("ES"):
        curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
        return ec.generate_private_key(curves[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65_537, 2048)


def public_pem(algorithm: str) -> bytes:
    """The public key of an algorithm as PEM."""
    pem: bytes = private_key(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def public_jwk(algorithm: str, key_id: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """The public key of an algorithm as the issuer shows it."""
    key = private_key(algorithm, number).public_key()
    jwk = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key))
    return {**jwk, "kid": key_id, "use": "sig", **more}


def access_token(issuer: str, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
    """An access token that may write, signed with the ES256 key; claims that are None are left out.

    Times are in seconds from now, since a test may run long after it was read. No test may write its signature anywhere.
    """
    now = int(time.time())
    claims |= {name: now + claims[name] for name in ("exp", "nbf", "iat") if type(claims.get(name)) is int}
    usual = {"iss": issuer, "aud": AUDIENCE, "sub": "ann", "client_id": "app", "scope": "bulk:read bulk:write"}
    merged = {**usual, "iat": now, "exp": now + 300, **claims}
    header = {"typ": "at+jwt", "kid": "first", "alg": "ES256", **(header or {})}
    left = {name: value for name, value in merged.items() if value is not None}
    kept = {name: value for name, value in header.items() if value is not None}
    token = jwt.encode(left, key or private_key(header["alg"]), algorithm=header["alg"], headers=kept)
    look_for(token.rpartition(".")[2])
    return token


@dataclass
class Issuer:
    """The server of an issuer. Its documents are answered as they are in `documents`, by path."""

    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def begin(self, url: str) -> None:
        """Show metadata, at this URL, and one key."""
        self.documents = {METADATA: {"issuer": url, "jwks_uri": f"{url}{JWKS}"}}
        self.show(public_jwk("ES256", "first"))

    def show(self, *keys: dict[str, Any]) -> None:
        """Show these keys and no others."""
        self.documents[JWKS] = {"keys": list(keys)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        self.asked.append(scope["path"])
        document = self.documents.get(scope["path"])
        response = document if isinstance(document, Response) else JSONResponse(document)
        if document is None:
            response = Response(status_code=404)
        await response(scope, receive, send)
