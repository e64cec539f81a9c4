"""Sessions: which access tokens an org accepts."""

from pathlib import Path

from salesforce_emulator.storage import sessions as sessions_table
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.secret_hash import secret_hash
from salesforce_emulator.storage.sessions import Session, Sessions
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.clocks import Clock


@own
def test_an_issued_token_opens_a_session_until_it_expires(database: Database) -> None:
    clock = Clock()
    sessions = Sessions(database, "00DEm0000000001EAA", "published", 60, clock)
    token, now = sessions.issue(), clock().timestamp()
    assert sessions.find(token) == Session(issued_at=now, expires_at=now + 60)
    clock.forward(seconds=60)
    assert sessions.find(token) is None


@own
def test_a_session_is_shared_by_all_that_have_the_org_open_and_ends_once(database: Database) -> None:
    issuing, other = (Sessions(database, "00DEm0000000001EAA", "published", 60, Clock()) for _ in range(2))
    token = issuing.issue()
    assert other.find(token)
    assert (other.end(token), other.end(token), issuing.find(token)) == (True, False, None)


@own
def test_the_published_token_never_expires_and_no_other_opens_its_session(database: Database) -> None:
    sessions = Sessions(database, "00DEm0000000001EAA", "published", 60, Clock())
    assert sessions.published("published") == Session(issued_at=None, expires_at=None)
    assert sessions.published("publishes") is None


@own
def test_tokens_are_not_stored_and_expired_sessions_go_with_the_next_one(database: Database) -> None:
    clock = Clock()
    sessions = Sessions(database, "00DEm0000000001EAA", "published", 60, clock)
    first = sessions.issue()
    clock.forward(seconds=60)
    second = sessions.issue()
    with database.reading() as connection:
        rows = [tuple(row) for row in connection.execute("SELECT * FROM session")]
    assert len(rows) == 1
    assert first.encode() not in repr(rows).encode()
    assert second.encode() not in repr(rows).encode()


@own
def test_a_session_of_an_older_version_goes_on(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with database.writing() as connection:
        connection.execute(
            "CREATE TABLE session"
            " (token_hash BLOB PRIMARY KEY, issued_at REAL NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID"
        )
        connection.execute("INSERT INTO session VALUES (?, 1, 4e9)", (secret_hash("token"),))
        sessions_table.create_tables(connection)
    found = Sessions(database, "00DEm0000000001EAA", "published", 60, Clock()).find("token")
    assert found == Session(issued_at=1, expires_at=4e9, scope="api id")
    database.close()
