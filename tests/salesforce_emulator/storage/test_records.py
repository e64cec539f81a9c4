"""Records in the database: their serial numbers and their values."""

from pathlib import Path

from salesforce_emulator.schema.standard_objects import standard_schema
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.records import deletion_by_id, ids_by_value, next_serials, record_key
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import an_org


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
    account = standard_schema()["Account"]
    name = account.field("Name")
    assert name is not None
    with database.writing() as connection:
        statement = "INSERT INTO Account (Id, Name, IsDeleted) VALUES (?, ?, ?)"
        connection.executemany(statement, [("0011", "Acme", 0), ("0012", "ACME", 0), ("0013", "acme", 1)])
        assert deletion_by_id(connection, account, ["0011", "0013", "0019"]) == {"0011": False, "0013": True}
        assert ids_by_value(connection, account, name, ["aCME", "other"]) == {"acme": ["0011", "0012"]}


@assumed("that the case of any letter is ignored, by its simple lower case")
def test_records_are_found_by_letters_beyond_ascii_in_any_case(database: Database) -> None:
    account = standard_schema()["Account"]
    site = account.field("Site")
    assert site is not None
    with database.writing() as connection:
        statement = "INSERT INTO Account (Id, Site, IsDeleted) VALUES (?, ?, ?)"
        connection.executemany(
            statement, [("0011", "M\u00dcLLER", 0), ("0012", "m\u00fcller", 0), ("0013", "Muller", 0)]
        )
        found = ids_by_value(connection, account, site, ["M\u00fcller"])
    assert found == {record_key(site, "M\u00fcller"): ["0011", "0012"]}
