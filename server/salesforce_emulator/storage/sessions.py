"""Sessions: the access tokens that the org accepts.

The org stores hashes of the tokens that it issued, so that every process with the same org accepts them.
"""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from salesforce_emulator.storage.database import Database


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of sessions."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS session"
        " (token_hash BLOB PRIMARY KEY, issued_at REAL NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID"
    )


@dataclass(frozen=True, slots=True)
class Session:
    """The session that an access token opens.

    Attributes:
        issued_at: when the token was issued, in seconds since 1970; None for the published token, which was not issued.
        expires_at: when the token expires, in seconds since 1970; None for the published token, which never expires.
    """

    issued_at: float | None = None
    expires_at: float | None = None


class Sessions:
    """The sessions of one org: issues tokens, finds their sessions and ends them.

    Args:
        database: the database of the org.
        organization_id: the id of the org, with which every issued token begins.
        published: the access token that is always accepted.
        seconds: the lifetime of an issued token.
        clock: returns the current time in UTC.
    """

    def __init__(
        self,
        database: Database,
        organization_id: str,
        published: str,
        seconds: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._organization_id = organization_id
        self._published = published.encode()
        self._seconds = seconds
        self._clock = clock

    def issue(self) -> str:
        """Return a new token of Salesforce's form: the org's id, an exclamation mark, and a secret."""
        now = self._clock().timestamp()
        token = f"{self._organization_id[:15]}!AQ{secrets.token_urlsafe(70).replace('-', '.')}"
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE expires_at <= ?", (now,))
            connection.execute("INSERT INTO session VALUES (?, ?, ?)", (_hash(token), now, now + self._seconds))
        return token

    def published(self, token: str) -> Session | None:
        """Return the session of the published token, or None if this is another token."""
        return Session() if hmac.compare_digest(token.encode(), self._published) else None

    def find(self, token: str) -> Session | None:
        """Return the session of an issued token; None if the token is unknown, has expired or was ended."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT issued_at, expires_at FROM session WHERE token_hash = ? AND expires_at > ?",
                (_hash(token), self._clock().timestamp()),
            ).fetchone()
        return Session(**row) if row else None

    def end(self, token: str) -> bool:
        """End the session of an issued token, and return whether there was one."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM session WHERE token_hash = ?", (_hash(token),)).rowcount > 0


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
