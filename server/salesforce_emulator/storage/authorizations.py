"""Authorizations: what an app asks its user for in the web server flow, kept until the app has a token."""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.secret_hash import secret_hash

SECONDS = 15 * 60
"""The lifetime of an authorization code (OAuth 2.0 Web Server Flow), and of a consent page (own)."""

Step = Literal["consent", "code"]


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of authorizations."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS authorization"
        " (secret_hash BLOB PRIMARY KEY, step TEXT NOT NULL, details TEXT NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What an app asks for in a request to the authorization endpoint.

    Attributes:
        client_id: id of the app.
        redirect_uri: callback URL of the app.
        scope: scopes, separated by spaces.
        state: text of the app, which it gets back; None if it sent none.
        code_challenge: challenge of PKCE; None if the app sent none.
        code_challenge_method: how the challenge was made from the verifier; None if the app sent none.
    """

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None

    def is_proved_by(self, code_verifier: str | None) -> bool:
        """Return whether the verifier is that of the challenge (RFC 7636); without a challenge there must be none.

        A challenge is one of S256 unless its method is named, as in the official CLI, which names none (seen in jsforce).
        """
        if self.code_challenge is None or code_verifier is None:
            return self.code_challenge is code_verifier
        digest = hashlib.sha256(code_verifier.encode("utf-8", "replace")).digest()
        expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
        is_equal = hmac.compare_digest(self.code_challenge.encode("utf-8", "replace"), expected)
        return is_equal and self.code_challenge_method in (None, "S256")


class Authorizations:
    """The authorizations that wait for the next step, each under a secret that works once and expires.

    The secret of the step `consent` belongs to the page that asks the user; that of the step `code` is the authorization
    code. The org stores hashes of them, so that every process with the same org accepts them.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def issue(self, step: Step, authorization: Authorization) -> str:
        """Return a new secret for this step."""
        # As Salesforce's own, a code has characters that must be escaped in a form.
        secret, now = f"aPrx{secrets.token_urlsafe(60)}==", self._clock().timestamp()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM authorization WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT INTO authorization (secret_hash, step, details, expires_at) VALUES (?, ?, ?, ?)",
                (secret_hash(secret), step, json.dumps(asdict(authorization)), now + SECONDS),
            )
        return secret

    def find(self, step: Step, secret: str) -> Authorization | None:
        """Return what the secret stands for; None if it is unknown, was used or has expired."""
        with self._database.reading() as connection:
            return self._find(connection, step, secret)

    def take(self, step: Step, secret: str) -> Authorization | None:
        """Return what the secret stands for, and end it; None if it is unknown, was used or has expired."""
        with self._database.writing() as connection:
            found = self._find(connection, step, secret)
            connection.execute(
                "DELETE FROM authorization WHERE secret_hash = ? AND step = ?", (secret_hash(secret), step)
            )
        return found

    def _find(self, connection: sqlite3.Connection, step: Step, secret: str) -> Authorization | None:
        row = connection.execute(
            "SELECT details FROM authorization WHERE secret_hash = ? AND step = ? AND expires_at > ?",
            (secret_hash(secret), step, self._clock().timestamp()),
        ).fetchone()
        return Authorization(**json.loads(row["details"])) if row else None
