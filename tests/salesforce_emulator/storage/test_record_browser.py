"""Records as the org's pages list them."""

from salesforce_emulator.schema.standard_objects import standard_schema
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.record_browser import MAX_RECORDS_READ, count_live, find, newest
from tests.salesforce_emulator.behaviours import own

ACCOUNT = standard_schema()["Account"]


def store(database: Database, deleted: list[bool]) -> None:
    """Store an account for each of these, named by its number from 1, in the recycle bin or not."""
    with database.writing() as connection:
        statement = "INSERT INTO Account (Id, Name, IsDeleted) VALUES (?, ?, ?)"
        connection.executemany(statement, [(f"001{n}", str(n), is_deleted) for n, is_deleted in enumerate(deleted, 1)])


@own
def test_pages_list_live_records_from_the_newest_on_and_each_once(database: Database) -> None:
    store(database, [False, False, True, False, False])
    with database.reading() as connection:
        first, before = newest(connection, ACCOUNT, None, 2)
        second, end = newest(connection, ACCOUNT, before, 2)
    assert ([row["Name"] for row in first], [row["Name"] for row in second], end) == (["5", "4"], ["2", "1"], None)


@own
def test_a_page_is_short_where_it_would_have_to_read_too_many_deleted_records(database: Database) -> None:
    store(database, [False] + [True] * MAX_RECORDS_READ)
    with database.reading() as connection:
        first, before = newest(connection, ACCOUNT, None, 2)
        second, end = newest(connection, ACCOUNT, before, 2)
    assert (first, [row["Name"] for row in second], end) == ([], ["1"], None)


@own
def test_a_deleted_record_is_not_counted_and_can_be_found(database: Database) -> None:
    store(database, [False, True, False])
    with database.reading() as connection:
        assert count_live(connection, ACCOUNT) == 2
        found = [find(connection, ACCOUNT, record_id) for record_id in ("0012", "0019")]
    assert [record and record["Name"] for record in found] == ["2", None]
