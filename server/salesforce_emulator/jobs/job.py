"""A job: its row in the database, and the statements that find and move it within a transaction."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import get_type_hints

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.errors import not_found
from salesforce_emulator.jobs.states import TERMINAL, Event, State, next_state
from salesforce_emulator.storage.database import create_table


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """The properties of a job that its creator chooses, checked and in canonical case."""

    operation: str
    object: str
    external_id_field: str | None
    assignment_rule_id: str | None
    api_version: str
    line_ending: str
    column_delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(JobRequest):
    """A job, as one row of the table.

    Attributes:
        serial: the serial number of the job; newer jobs have larger numbers.
        uploads: the number of finished PUTs; a job with more than one can't be closed.
        worker: the name of the process that works on the job, or is to work on it.
        closed_at: when the job was closed, in seconds since 1970.
        processed: the number of records whose results are in the result files.
        failed: the number of processed records that failed.
        retries: the number of times that an internal batch was tried again.
        header_bytes: the length of the upload's header, in bytes from the start of the upload.
        read_bytes: the position in the upload of the next record to process, in bytes.
        records_read: the number of records between `header_bytes` and `read_bytes`.
        successful_bytes: the valid length of the file of successful results; bytes after it were never committed.
        failed_bytes: the valid length of the file of failed results.
        active_ms: the time spent in processing, in milliseconds.
        total_ms: the time from close to end, in milliseconds; 0 until the job has ended.
    """

    serial: int
    id: str
    created_by_id: str
    created_date: str
    system_modstamp: str
    state: State
    uploads: int
    error_message: str | None
    worker: str | None
    closed_at: float
    processed: int
    failed: int
    retries: int
    header_bytes: int
    records_read: int
    read_bytes: int
    successful_bytes: int
    failed_bytes: int
    active_ms: int
    total_ms: int


DECLARATIONS = {
    str: "TEXT NOT NULL",
    str | None: "TEXT",
    State: "TEXT NOT NULL",
    int: "INTEGER NOT NULL DEFAULT 0",
    float: "REAL NOT NULL DEFAULT 0",
}
COLUMNS = {name: DECLARATIONS[type_] for name, type_ in get_type_hints(Job).items()}
COLUMNS |= {"serial": "INTEGER PRIMARY KEY", "id": "TEXT NOT NULL UNIQUE"}


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of jobs, or add the columns that the table of an older version lacks."""
    create_table(connection, "job", COLUMNS)
    connection.execute("CREATE INDEX IF NOT EXISTS job_age ON job (state, system_modstamp)")
    connection.execute("CREATE INDEX IF NOT EXISTS job_last_change ON job (system_modstamp)")


def from_row(row: sqlite3.Row) -> Job:
    """Return the job in a row of the table."""
    return Job(**{name: row[name] for name in COLUMNS} | {"state": State(row["state"])})


def find(connection: sqlite3.Connection, job_id: str) -> Job:
    """Return the job with this id of 15 or 18 characters.

    Raises:
        ApiError: there is no such job (404).
    """
    row = connection.execute("SELECT * FROM job WHERE id = ?", (ids.normal(job_id),)).fetchone()
    if row is None:
        raise not_found()
    return from_row(row)


def move(connection: sqlite3.Connection, job: Job, event: Event, moment: datetime) -> Job:
    """Move the job to the state that follows the event, and return the moved job.

    Raises:
        ApiError: the state does not allow the request (400).
    """
    settings = (next_state(event, job.state), job_time(moment), job.id)
    connection.execute("UPDATE job SET state = ?, system_modstamp = ? WHERE id = ?", settings)
    return find(connection, job.id)


def job_time(moment: datetime) -> str:
    """Return a time as jobs show it: the milliseconds are always 000 (seen)."""
    return rest_time(moment.replace(microsecond=0))


def is_finished(job: Job) -> bool:
    """Return whether the job has reached a terminal state."""
    return job.state in TERMINAL
