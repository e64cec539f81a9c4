"""Sessions: the access tokens that are let in. Of those issued only hashes are kept, in the org, for every process."""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from salesforce_emulator.config import ORGANIZATION_ID
from salesforce_emulator.storage.database import Database


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the table of sessions."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS session"
        " (token_hash BLOB PRIMARY KEY, issued_at REAL NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID"
    )


@dataclass(frozen=True, slots=True)
class Session:
    """What a token opens.

    Attributes:
        issued_at, expires_at: in seconds since 1970; None for the published token, which is there from the start and
            never expires.
    """

    issued_at: float | None = None
    expires_at: float | None = None


class Sessions:
    """Issues tokens, finds their sessions and ends them."""

    def __init__(self, database: Database, published: str, seconds: int, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._published = published.encode()
        self._seconds = seconds
        self._clock = clock

    def issue(self) -> str:
        """A new token, of Salesforce's form: the org, an exclamation mark, and what nobody can guess."""
        now = self._clock().timestamp()
        token = f"{ORGANIZATION_ID[:15]}!AQ{secrets.token_urlsafe(70).replace('-', '.')}"
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE expires_at <= ?", (now,))
            connection.execute("INSERT INTO session VALUES (?, ?, ?)", (_hash(token), now, now + self._seconds))
        return token

    def published(self, token: str) -> Session | None:
        """The session of the published token, if this is it."""
        return Session() if hmac.compare_digest(token.encode(), self._published) else None

    def find(self, token: str) -> Session | None:
        """The session of a token that was issued, if it has not expired and was not ended."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT issued_at, expires_at FROM session WHERE token_hash = ? AND expires_at > ?",
                (_hash(token), self._clock().timestamp()),
            ).fetchone()
        return Session(**row) if row else None

    def end(self, token: str) -> bool:
        """End the session of a token that was issued; False if there was none."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM session WHERE token_hash = ?", (_hash(token),)).rowcount > 0


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
