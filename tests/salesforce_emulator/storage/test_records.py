"""Records in the database: their serial numbers and their values."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from salesforce_emulator.schema.model import Field
from salesforce_emulator.schema.standard_objects import standard_schema
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.records import deletion_by_id, ids_by_value, next_serials
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import an_org

ACCOUNT = standard_schema()["Account"]


@own
def test_two_processes_never_hand_out_the_same_id(tmp_path: Path) -> None:
    with an_org(tmp_path) as first, an_org(tmp_path) as second:
        jobs = [(org, org.submit("Name\n" + "A\n" * 600)) for _ in range(3) for org in (first, second)]
        ids = [row["sf__Id"] for org, job_id in jobs for row in org.succeeded(org.until(job_id))]
    assert len(set(ids)) == len(ids) == 3_600


@own
def test_serial_numbers_are_reserved_once_for_each_prefix(database: Database) -> None:
    with database.writing() as connection:
        first = next_serials(connection, "001", 5)
        other = next_serials(connection, "003", 1)
        assert next_serials(connection, "001", 1) == first + 5
        assert next_serials(connection, "003", 1) == other + 1


@own
def test_records_are_found_by_id_and_only_live_ones_by_value_in_any_case(database: Database) -> None:
    with database.writing() as connection:
        name = insert(connection, "Name", [("0011", "Acme", 0), ("0012", "ACME", 0), ("0013", "acme", 1)])
        assert deletion_by_id(connection, ACCOUNT, ["0011", "0013", "0019"]) == {"0011": False, "0013": True}
        assert ids_by_value(connection, ACCOUNT, name, ["aCME", "other"]) == {"acme": ["0011", "0012"]}


@assumed("that the case of any letter is ignored, by its simple lower case")
def test_records_are_found_by_letters_beyond_ascii_in_any_case(database: Database) -> None:
    with database.writing() as connection:
        site = insert(
            connection, "Site", [("0011", "M\u00dcLLER", 0), ("0012", "m\u00fcller", 0), ("0013", "Muller", 0)]
        )
        assert ids_by_value(connection, ACCOUNT, site, ["M\u00fcller"]) == {"m\u00fcller": ["0011", "0012"]}


@own
@pytest.mark.parametrize("start", ["k", "\u65e5\u672c"])
def test_a_key_is_found_without_a_look_at_all_records(database: Database, start: str) -> None:
    with database.writing() as connection:
        key = insert(connection, "External_Id__c", [(f"001{n}", f"{start}{n}", 0) for n in range(2_000)])
        with few_steps(connection):
            assert ids_by_value(connection, ACCOUNT, key, [f"{start}7"]) == {f"{start}7": ["0017"]}


@own
def test_an_auto_number_is_found_without_a_look_at_all_records(database: Database) -> None:
    case = standard_schema()["Case"]
    number = case.field("CaseNumber")
    assert number is not None
    with database.writing() as connection:
        statement = 'INSERT INTO "Case" (Id, IsDeleted) VALUES (?, 0)'
        connection.executemany(statement, [(f"500{n}",) for n in range(2_000)])
        with few_steps(connection):
            [(_, found)] = ids_by_value(connection, case, number, ["00001007"]).items()
    assert len(found) == 1


@contextmanager
def few_steps(connection: sqlite3.Connection) -> Iterator[None]:
    """Check that what is done here takes fewer steps of the database than there are records."""
    steps: list[None] = []
    connection.set_progress_handler(lambda: steps.append(None), 1)
    yield
    connection.set_progress_handler(None, 1)
    assert len(steps) < 1_000


def insert(connection: sqlite3.Connection, name: str, records: Iterable[tuple[str, str, int]]) -> Field:
    """Insert accounts, each with its id, its value of a field, and whether it is deleted; return the field."""
    connection.executemany(f"INSERT INTO Account (Id, {name}, IsDeleted) VALUES (?, ?, ?)", records)
    field = ACCOUNT.field(name)
    assert field is not None
    return field
