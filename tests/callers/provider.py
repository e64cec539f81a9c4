"""A real identity provider on this machine, and a person who signs in there."""

import json
import re
import subprocess
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from tests.clients.node import NODE

HERE = Path(__file__).parent
MACHINE_ID, MACHINE_SECRET = "machine", "a secret of the machine"
REDIRECT_URI = "http://127.0.0.1:9/callback"
MOST_STEPS = 12


@dataclass
class Key:
    """A key of the provider, with its id."""

    key_id: str
    private: RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65_537, 2048))

    def jwk(self) -> dict[str, Any]:
        """The private key as the provider reads it."""
        return {**json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(self.private)), "kid": self.key_id, "use": "sig"}

    def sign(self, claims: dict[str, Any]) -> str:
        """An access token with these claims, as the provider would sign it."""
        return jwt.encode(claims, self.private, "RS256", {"kid": self.key_id, "typ": "at+jwt"})


@dataclass(frozen=True)
class IdentityProvider:
    """A provider that runs."""

    url: str

    def machine_token(self, resource: str, scope: str | None, **headers: str) -> str:
        """An access token for a program (RFC 6749, 4.4)."""
        credentials = b64encode(f"{MACHINE_ID}:{MACHINE_SECRET.replace(' ', '+')}".encode()).decode()
        form = {"grant_type": "client_credentials", "resource": resource, **({"scope": scope} if scope else {})}
        answer = httpx2.post(
            f"{self.url}/token",
            data=form,
            headers={"Authorization": f"Basic {credentials}", **headers},
            trust_env=False,
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def bound_machine_token(self, resource: str) -> str:
        """An access token that is bound to a key of its holder (RFC 9449)."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key()))
        claims = {"htm": "POST", "htu": f"{self.url}/token", "iat": int(time.time()), "jti": "1"}
        proof = jwt.encode(claims, key, "ES256", {"typ": "dpop+jwt", "jwk": public})
        return self.machine_token(resource, "bulk:write", DPoP=proof)

    async def id_token(self, person: "Person") -> str:
        """The ID token by which a client learns who has signed in (OpenID Connect Core 1.0, 3.1)."""
        verifier = "v" * 43
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        app = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        async with httpx2.AsyncClient(trust_env=False) as http:
            client = {
                "client_id": (await http.post(f"{self.url}/reg", json=app)).raise_for_status().json()["client_id"]
            }
            asked = {**client, "response_type": "code", "scope": "openid", "redirect_uri": REDIRECT_URI}
            pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
            await person.visit(f"{self.url}/auth?{urlencode({**asked, **pkce})}")
            form = {"grant_type": "authorization_code", "code": (await person.answer()).code, "code_verifier": verifier}
            answer = await http.post(f"{self.url}/token", data={**client, **form, "redirect_uri": REDIRECT_URI})
        token: str = answer.raise_for_status().json()["id_token"]
        return token


@contextmanager
def identity_provider(port: int, key: Key, *resources: str) -> Iterator[IdentityProvider]:
    """Run a provider that gives tokens for these resources."""
    machine = {"id": MACHINE_ID, "secret": MACHINE_SECRET}
    given = {"port": port, "keys": [key.jwk()], "resources": resources, "machine": machine}
    command = [str(NODE), str(HERE / "provider.mjs"), json.dumps(given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listens\n"
            yield IdentityProvider(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


class Person:
    """Someone who signs in at the provider and allows what the client asks for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._answer: AuthorizationCodeResult | None = None

    async def visit(self, url: str) -> None:
        """Open the page, sign in and allow, until the provider leads back to the client."""
        async with httpx2.AsyncClient(trust_env=False) as browser:
            response = await browser.get(url)
            for _ in range(MOST_STEPS):
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    if url.startswith(REDIRECT_URI):
                        self._answer = _result(url)
                        return
                    response = await browser.get(url)
                else:
                    response = await browser.post(_form_action(response), data=self._filled_in(response.text))
            raise AssertionError(f"the provider leads nowhere: {response.status_code} {response.text}")

    async def answer(self) -> AuthorizationCodeResult:
        """What the provider said when it led back to the client."""
        assert self._answer is not None
        return self._answer

    def _filled_in(self, page: str) -> dict[str, str]:
        if 'value="login"' in page:
            return {"prompt": "login", "login": self._name, "password": "any"}
        assert 'value="consent"' in page, page
        return {"prompt": "consent"}


def _form_action(response: httpx2.Response) -> str:
    match = re.search(r'<form[^>]* action="([^"]+)"', response.text)
    assert match, response.text
    action: str = match[1]
    return urljoin(str(response.url), action)


def _result(url: str) -> AuthorizationCodeResult:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


@dataclass
class Memory:
    """What a client keeps of a login."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def login_of(person: Person, mcp_url: str, kept: Memory) -> OAuthClientProvider:
    """The SDK's own login of a client, in which a person signs in."""
    metadata = OAuthClientMetadata(
        client_name="a client",
        redirect_uris=[AnyUrl(REDIRECT_URI)],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(mcp_url, metadata, kept, person.visit, person.answer)
