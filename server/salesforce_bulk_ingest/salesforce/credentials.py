"""Credentials: the URL of an org with an access token for it, and what gives them. Tokens are held in memory only."""

import re
from dataclasses import dataclass
from typing import ClassVar, Protocol

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

    @property
    def can_renew(self) -> bool:
        """Whether there may be other credentials once Salesforce has refused these."""
        ...

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        """Return the current credentials.

        Args:
            for_stream: whether they are for a call whose body can't be sent twice, so that a token which is about to end is
                better renewed before.

        Raises:
            NoCredentials: there are no credentials; the message says what to do.
            Unreachable: the login host gave no answer.
        """
        ...

    async def renew(self, refused: Credentials) -> Credentials | None:
        """Return credentials in place of those that Salesforce refused, or None if there are no others.

        Raises:
            NoCredentials: the login is refused; the message says what to do.
            Unreachable: the login host gave no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """Credentials that can't be renewed; also as a way to log in, which gives them each time."""

    current: Credentials
    can_renew: ClassVar[bool] = False

    async def log_in(self) -> Credentials:
        return self.current

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        return self.current

    async def renew(self, refused: Credentials) -> Credentials | None:
        return None


@dataclass(frozen=True, slots=True)
class MissingCredentials:
    """The stand-in where the settings name no org: the server starts all the same, and each call raises the reason."""

    reason: str
    can_renew: ClassVar[bool] = False

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        raise NoCredentials(self.reason)

    async def renew(self, refused: Credentials) -> Credentials | None:
        return None


def checked_token(given: str) -> str:
    """Return the token without the white space around a copied text.

    Raises:
        ValueError: the text can't be a token. An HTTP library would quote it in an error, so it is refused before.
    """
    token = given.strip()
    if not TOKEN_PATTERN.fullmatch(token):
        raise ValueError("expected an access token: one word of plain characters")
    return token
