"""Refresh tokens: what the web server flow issues so that an app gets new access tokens without its user."""

import secrets
import sqlite3
from dataclasses import dataclass, field

from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.secret_hash import secret_hash


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables of refresh tokens, and of those that others have replaced."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS refresh_token"
        " (id INTEGER PRIMARY KEY AUTOINCREMENT, token_hash BLOB NOT NULL UNIQUE, scope TEXT NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS replaced_refresh_token"
        " (token_hash BLOB PRIMARY KEY, refresh_token_id INTEGER NOT NULL) WITHOUT ROWID"
    )


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that is valid.

    Attributes:
        id: number by which the org knows the token; one that replaces it keeps the number.
        scope: scope of the access tokens that it gets.
        token: the token itself.
    """

    id: int
    scope: str
    token: str = field(repr=False)


class RefreshTokens:
    """The refresh tokens that one org has issued; it stores their hashes, and they never expire (the default of an app)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, scope: str) -> RefreshToken:
        """Return a new refresh token."""
        token = _new_token()
        with self._database.writing() as connection:
            row = connection.execute(
                "INSERT INTO refresh_token (token_hash, scope) VALUES (?, ?)", (secret_hash(token), scope)
            )
            assert row.lastrowid is not None
            return RefreshToken(row.lastrowid, scope, token)

    def find(self, token: str) -> RefreshToken | None:
        """Return the refresh token; None if it is unknown, was replaced or was ended."""
        with self._database.reading() as connection:
            return _find(connection, token)

    def replace(self, token: str) -> RefreshToken | None:
        """End the refresh token and return the one that takes its place; None if it is not valid.

        One that was replaced before may be stolen: it ends the one in its place, too (Force one-time-use Refresh Tokens).
        """
        replacement = _new_token()
        with self._database.writing() as connection:
            found = _find(connection, token)
            if found is None:
                _end_successor(connection, token)
                return None
            connection.execute("INSERT INTO replaced_refresh_token VALUES (?, ?)", (secret_hash(token), found.id))
            connection.execute(
                "UPDATE refresh_token SET token_hash = ? WHERE id = ?", (secret_hash(replacement), found.id)
            )
        return RefreshToken(found.id, found.scope, replacement)

    def end(self, token: str) -> bool:
        """End the refresh token and the sessions that it has opened (Revoke OAuth Tokens); return whether it was valid."""
        with self._database.writing() as connection:
            found = _find(connection, token)
            if found is None:
                return False
            _end(connection, found.id)
        return True


def _find(connection: sqlite3.Connection, token: str) -> RefreshToken | None:
    row = connection.execute(
        "SELECT id, scope FROM refresh_token WHERE token_hash = ?", (secret_hash(token),)
    ).fetchone()
    return RefreshToken(row["id"], row["scope"], token) if row else None


def _end_successor(connection: sqlite3.Connection, token: str) -> None:
    row = connection.execute(
        "SELECT refresh_token_id FROM replaced_refresh_token WHERE token_hash = ?", (secret_hash(token),)
    ).fetchone()
    if row:
        _end(connection, row["refresh_token_id"])


def _end(connection: sqlite3.Connection, refresh_token_id: int) -> None:
    for statement in (
        "DELETE FROM session WHERE refresh_token_id = ?",
        "DELETE FROM replaced_refresh_token WHERE refresh_token_id = ?",
        "DELETE FROM refresh_token WHERE id = ?",
    ):
        connection.execute(statement, (refresh_token_id,))


def _new_token() -> str:
    """Return a token that begins as those of Salesforce do (seen)."""
    return f"5Aep861{secrets.token_urlsafe(60).replace('-', '.')}"
