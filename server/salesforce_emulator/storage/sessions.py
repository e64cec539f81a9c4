"""Sessions: the access tokens that the org accepts.

The org stores hashes of the tokens that it issued, so that every process with the same org accepts them.
"""

import hmac
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from salesforce_emulator.storage.database import Database, create_table
from salesforce_emulator.storage.secret_hash import secret_hash

SCOPE = "api id"
"""The scope of a session that was opened without a consent page."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of sessions."""
    columns = {
        "token_hash": "BLOB PRIMARY KEY",
        "issued_at": "REAL NOT NULL",
        "expires_at": "REAL NOT NULL",
        "scope": f"TEXT NOT NULL DEFAULT '{SCOPE}'",
        "refresh_token_id": "INTEGER",
    }
    create_table(connection, "session", columns)


@dataclass(frozen=True, slots=True)
class Session:
    """The session that an access token opens.

    Attributes:
        issued_at: when the token was issued, in seconds since 1970; None for the published token, which was not issued.
        expires_at: when the token expires, in seconds since 1970; None for the published token, which never expires.
        scope: what the token is good for, as in the token response; the org does not restrict anyone by it.
    """

    issued_at: float | None = None
    expires_at: float | None = None
    scope: str = SCOPE


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

    def issue(self, scope: str = SCOPE, refresh_token_id: int | None = None) -> str:
        """Return a new token of Salesforce's form: the org's id, an exclamation mark, and a secret.

        Args:
            scope: scope of the session.
            refresh_token_id: id of the refresh token that the session ends with; None if there is none.
        """
        now = self._clock().timestamp()
        token = f"{self._organization_id[:15]}!AQ{secrets.token_urlsafe(70).replace('-', '.')}"
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT INTO session (token_hash, issued_at, expires_at, scope, refresh_token_id) VALUES (?, ?, ?, ?, ?)",
                (secret_hash(token), now, now + self._seconds, scope, refresh_token_id),
            )
        return token

    def published(self, token: str) -> Session | None:
        """Return the session of the published token, or None if this is another token."""
        return Session() if hmac.compare_digest(token.encode(), self._published) else None

    def find(self, token: str) -> Session | None:
        """Return the session of an issued token; None if the token is unknown, has expired or was ended."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT issued_at, expires_at, scope FROM session WHERE token_hash = ? AND expires_at > ?",
                (secret_hash(token), self._clock().timestamp()),
            ).fetchone()
        return Session(**row) if row else None

    def end(self, token: str) -> bool:
        """End the session of an issued token, and return whether there was one."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM session WHERE token_hash = ?", (secret_hash(token),)).rowcount > 0
