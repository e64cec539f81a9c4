"""The part of the ledger that says which rows a look at the org left out of a job.

An equal call goes on with them: once the other rows are in the org, another look would leave out others.
"""

import sqlite3

from salesforce_bulk_ingest.loading.by_record import LeftOutLines, lines_from_text, lines_to_text

SCHEMA = """
CREATE TABLE IF NOT EXISTS looks (
    org TEXT NOT NULL,
    job_id TEXT NOT NULL,
    rows TEXT NOT NULL,
    unmatched TEXT NOT NULL,
    unchanged TEXT NOT NULL,
    PRIMARY KEY (org, job_id)
);
"""


def insert_look(db: sqlite3.Connection, org: str, job_id: str, rows: str, found: LeftOutLines) -> None:
    """Record which rows were left out of a job.

    Args:
        db: the ledger.
        org: the key of the org.
        job_id: the id of the job.
        rows: a text that is equal for the same rows that are left out in the same way.
        found: which rows are left out.
    """
    values = (org, job_id[:15], rows, lines_to_text(found.unmatched), lines_to_text(found.unchanged))
    db.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?)", values)


def look_of(db: sqlite3.Connection, org: str, job_id: str, rows: str) -> LeftOutLines | None:
    """Return which of these rows were left out of a job; None if the job has others, or the record is damaged."""
    query = "SELECT unmatched, unchanged FROM looks WHERE org = ? AND job_id = ? AND rows = ?"
    found = db.execute(query, (org, job_id[:15], rows)).fetchone()
    if found is None:
        return None
    unmatched, unchanged = found
    try:
        return LeftOutLines(lines_from_text(unmatched), lines_from_text(unchanged))
    except ValueError:
        return None


def delete_look(db: sqlite3.Connection, org: str, job_id: str) -> None:
    """Remove the record of the rows that were left out of a job, if there is one."""
    db.execute("DELETE FROM looks WHERE org = ? AND job_id = ?", (org, job_id[:15]))
