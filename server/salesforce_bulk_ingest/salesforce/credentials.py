"""Credentials: the URL of an org with an access token for it, and what gives them. Tokens are held in memory only."""

import re
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials

TOKEN_PATTERN = re.compile(r"[!-~]+")
ONE_WORD = "an access token: one word of plain characters"

_BESIDE_A_TOKEN = (
    (
        re.compile(r"^(export|set|setx) |^\$env:|^[a-z]+_\w+ *=", re.IGNORECASE | re.ASCII),
        "not a whole line: it is what stands after the =",
    ),
    (re.compile(r"^(authorization:|bearer\b)", re.IGNORECASE), "without the words before it, such as Bearer"),
    (re.compile("[\"'`<>\u2018-\u201f\u00ab\u00bb]"), "without quotes or brackets around it"),
    (re.compile(r"%$"), "without the % after it, by which a shell shows that no line break followed"),
)
"""What people paste beside a token, by its form, and the words for it: tokens have none of these characters (seen)."""


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
        raise ValueError(f"expected {ONE_WORD}")
    return token


def pasted_token(given: str, expected: str = ONE_WORD) -> str:
    """Return a token that somebody has pasted, without the white space around it.

    Args:
        given: the text.
        expected: what it should be, for the message of an error.

    Raises:
        ValueError: the text is no token, or has something beside it; the message shows nothing of it.
    """
    beside = next((words for form, words in _BESIDE_A_TOKEN if form.search(given.strip())), None)
    if beside is not None:
        raise ValueError(f"expected {expected}, {beside}")
    try:
        return checked_token(given)
    except ValueError:
        raise ValueError(f"expected {expected}") from None
