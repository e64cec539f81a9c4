"""The organization that an org is: its id, which no other org has, and whether it is a sandbox."""

import sqlite3
from dataclasses import dataclass

from salesforce_emulator import ids

PREFIX = "00D"


@dataclass(frozen=True, slots=True)
class Organization:
    """What tells one org from another, for as long as its folder exists.

    Attributes:
        id: the id of its Organization record, 18 characters.
        is_sandbox: whether it is a sandbox.
    """

    id: str
    is_sandbox: bool


def organization_id(connection: sqlite3.Connection) -> str:
    """Return the id of the org's Organization record; in a new org, the id that this record will have."""
    row = connection.execute('SELECT Id FROM "Organization"').fetchone()
    if row is not None:
        return str(row["Id"])
    return ids.make(PREFIX, connection.execute("SELECT next FROM sequence WHERE prefix = ?", (PREFIX,)).fetchone()[0])


def read_organization(connection: sqlite3.Connection) -> Organization:
    """Return the organization, from the record that every org has."""
    row = connection.execute('SELECT Id, IsSandbox FROM "Organization"').fetchone()
    return Organization(row["Id"], bool(row["IsSandbox"]))
