from collections.abc import Iterator
from pathlib import Path

import pytest

from salesforce_emulator.schema.standard_objects import standard_schema
from salesforce_emulator.storage import authorizations, object_tables, refresh_tokens, sessions
from salesforce_emulator.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The database of a new org with the standard objects."""
    database = Database(tmp_path / "org.sqlite")
    with database.writing() as connection:
        for module in (object_tables, sessions, refresh_tokens, authorizations):
            module.create_tables(connection)
        object_tables.apply_schema(connection, standard_schema(), 7, "2026-01-01T00:00:00.000+0000", sandbox=False)
    yield database
    database.close()
