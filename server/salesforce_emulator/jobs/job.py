"""A job: what is known of it, and how it is found and moved within a transaction."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import get_type_hints

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.errors import not_found
from salesforce_emulator.jobs.states import TERMINAL, Event, State, after
from salesforce_emulator.storage.database import create_table


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a caller asks for when creating a job, checked and in canonical spelling."""

    operation: str
    object: str
    external_id_field: str | None
    assignment_rule_id: str | None
    api_version: str
    line_ending: str
    column_delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(JobRequest):
    """One row of the table.

    Attributes:
        uploads: finished PUTs; a job with more than one can't be closed.
        worker: the process whose turn it is to work on the job.
        closed_at: when processing was asked for, in seconds since 1970.
        processed, failed: records whose results are on disk.
        retries: how often a batch was tried again.
        header_bytes, read_bytes: where in the upload its data begins, and where the next record to process begins.
        records_read: how many records lie between the two.
        successful_bytes, failed_bytes: how much of each result file is valid; what follows was never committed.
        active_ms, total_ms: time spent in processing, and from close to end as far as it has ended.
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
COLUMNS = {name: DECLARATIONS[held] for name, held in get_type_hints(Job).items()}
COLUMNS |= {"serial": "INTEGER PRIMARY KEY", "id": "TEXT NOT NULL UNIQUE"}


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the table of jobs, or what an older version of it lacks."""
    create_table(connection, "job", COLUMNS)
    connection.execute("CREATE INDEX IF NOT EXISTS job_age ON job (state, system_modstamp)")
    connection.execute("CREATE INDEX IF NOT EXISTS job_last_change ON job (system_modstamp)")


def from_row(row: sqlite3.Row) -> Job:
    """The job that a row of the table holds."""
    return Job(**{name: row[name] for name in COLUMNS} | {"state": State(row["state"])})


def find(connection: sqlite3.Connection, job_id: str) -> Job:
    """The job with this id of 15 or 18 characters.

    Raises:
        ApiError: there is none (404).
    """
    row = connection.execute("SELECT * FROM job WHERE id = ?", (ids.normal(job_id),)).fetchone()
    if row is None:
        raise not_found()
    return from_row(row)


def move(connection: sqlite3.Connection, job: Job, event: Event, moment: datetime) -> Job:
    """The job in the state that follows.

    Raises:
        ApiError: a request that the state does not allow (400).
    """
    settings = (after(event, job.state), job_time(moment), job.id)
    connection.execute("UPDATE job SET state = ?, system_modstamp = ? WHERE id = ?", settings)
    return find(connection, job.id)


def job_time(moment: datetime) -> str:
    """The time as jobs hold it: their milliseconds are always 000 (seen)."""
    return rest_time(moment.replace(microsecond=0))


def is_finished(job: Job) -> bool:
    """Whether nothing will happen to the job any more."""
    return job.state in TERMINAL
