"""A folder with the settings file of a user, for logins by every way."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SalesforceError
from salesforce_bulk_ingest.settings_sources import load_settings
from tests.salesforce.upstream import Answer, Upstream
from tests.support.orgs import paths_in


@cache
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def other_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(private_key: RSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def certificate(private_key: RSAPrivateKey, *, days: int = 365) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loader")])
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, private_key.public_key(), 1, min(now, end - timedelta(days=1)), end)
    return builder.sign(private_key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Place:
    """An embedded org, and a folder with the settings file of a user."""

    url: str
    folder: Path

    def write(self, name: str, content: bytes, mode: int = 0o600) -> Path:
        file = self.folder / name
        file.write_bytes(content)
        file.chmod(mode)
        return file

    async def organization_with(self, **settings: Any) -> str:
        """The organization that a login by a settings file opens."""
        lines = [f"{name} = '{value}'" for name, value in {"instance_url": self.url, **settings}.items() if value]
        file = self.write("settings.toml", "\n".join(lines).encode())
        loaded = load_settings({}, {}, file)
        async with open_services(loaded, replace(paths_in(self.folder), settings_file=file)) as services:
            try:
                return (await services.client.org()).key
            except SalesforceError as error:
                refused = error
        raise refused

    async def refusal_with(self, **settings: Any) -> str:
        """The error of a login by a settings file, with the names of this test's places taken out."""
        with pytest.raises(SalesforceError) as raised:
            await self.organization_with(**settings)
        assert isinstance(raised.value, NoCredentials)
        return str(raised.value).replace(self.url, "URL").replace(str(self.folder), "DIR")


@dataclass
class RefusingToken:
    """An org that takes one token, and tells the tokens it was given."""

    taken: str
    given: list[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await Upstream([])(scope, receive, send)
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        self.given.append(token)
        answer = Answer.of({"records": []}) if token == self.taken else Answer(401)
        await Upstream([answer])(scope, receive, send)
