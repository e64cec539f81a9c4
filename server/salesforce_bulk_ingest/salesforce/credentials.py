"""Credentials: the URL of an org with an access token for it, and what gives them. Tokens are held in memory only."""

import re
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials

TOKEN_PATTERN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The URL of an org and an access token for it; the token is masked in `repr`."""

    instance_url: str
    access_token: SecretStr


class CredentialSource(Protocol):
    """A source of credentials."""

    async def credentials(self) -> Credentials:
        """Return the current credentials.

        Raises:
            NoCredentials: there are no credentials; the message says what to do.
        """
        ...

    def discard(self, stale: Credentials) -> bool:
        """Forget credentials that Salesforce refused; return whether the source may give others now."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """The credentials in the settings, which can't be renewed."""

    current: Credentials

    async def credentials(self) -> Credentials:
        return self.current

    def discard(self, stale: Credentials) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class MissingCredentials:
    """The stand-in where the settings name no org: the server starts all the same, and each call raises the reason."""

    reason: str

    async def credentials(self) -> Credentials:
        raise NoCredentials(self.reason)

    def discard(self, stale: Credentials) -> bool:
        return False


def checked_token(given: str) -> str:
    """Return the token without the white space around a copied text.

    Raises:
        ValueError: the text can't be a token. An HTTP library would quote it in an error, so it is refused before.
    """
    token = given.strip()
    if not TOKEN_PATTERN.fullmatch(token):
        raise ValueError("expected an access token: one word of plain characters")
    return token
