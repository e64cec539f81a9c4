"""The part of the ledger that says which rows of which results were retried in which job."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

ALL_ROWS = b""
"""Stored in place of the bits of rows where all rows of a result were retried, however many they are."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows_sent_again (
    org TEXT NOT NULL,
    from_job TEXT NOT NULL,
    result TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    to_job TEXT NOT NULL,
    rows BLOB NOT NULL,
    PRIMARY KEY (org, from_job, result, sha256, to_job)
);
"""


@dataclass(frozen=True, slots=True)
class RetriedRows:
    """Rows of one result that are retried in another job.

    Attributes:
        from_job: id of the job that the result is of.
        result: kind of the result.
        sha256: SHA-256 of the downloaded result; another download may have the same rows in another order.
        rows: one bit for each row of the result, 1 for the first row.
    """

    from_job: str
    result: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class EarlierRetry:
    """Rows that were retried before.

    Attributes:
        from_job: id of the job that the rows are of.
        to_job: id of the job that retried them.
        count: number of the requested rows that the job retried; the most that are possible, where the result was
            downloaded in another order for that retry.
    """

    from_job: str
    to_job: str
    count: int


@dataclass(frozen=True, slots=True)
class SentRows:
    """Rows of one result that a job retried.

    Attributes:
        from_job: id of the job that the result is of, of 15 characters.
        result: kind of the result.
        sha256: SHA-256 of the result as it was downloaded then.
        to_job: id of the job that retried them, of 15 characters.
        rows: one bit for each row of the result, the lowest of the first byte for the first row.
    """

    from_job: str
    result: str
    sha256: str
    to_job: str
    rows: bytes

    def may_have(self, sha256: str, number: int) -> bool:
        """Return whether a row of a download of the result was retried, or may have been: another may have another order."""
        if self.sha256 != sha256:
            return True
        byte, bit = divmod(number, 8)
        return byte < len(self.rows) and bool(self.rows[byte] >> bit & 1)


def earlier_retries(
    db: sqlite3.Connection, org: str, requested: Sequence[RetriedRows], ignored_jobs: Collection[str]
) -> Iterator[EarlierRetry]:
    """Yield the retries of requested rows, in jobs that are not ignored."""
    query = "SELECT to_job, sha256, rows FROM rows_sent_again WHERE org = ? AND from_job = ? AND result = ?"
    for retry in requested:
        for to_job, sha256, rows in db.execute(query, (org, retry.from_job[:15], retry.result)).fetchall():
            common = retry.rows
            if sha256 == retry.sha256:
                common &= int.from_bytes(rows, "little")
            if common and to_job not in ignored_jobs:
                yield EarlierRetry(retry.from_job, to_job, common.bit_count())


def sent_rows(db: sqlite3.Connection, org: str, jobs: Iterable[str]) -> Iterator[SentRows]:
    """Yield the rows of jobs that were retried, by result and by the job that retried them."""
    query = "SELECT result, sha256, to_job, rows FROM rows_sent_again WHERE org = ? AND from_job = ?"
    for job in jobs:
        for result, sha256, to_job, rows in db.execute(query, (org, job[:15])).fetchall():
            yield SentRows(job[:15], result, sha256, to_job, rows)


def retries_of_jobs(
    db: sqlite3.Connection, org: str, from_jobs: Iterable[str], ignored_jobs: Collection[str]
) -> Iterator[EarlierRetry]:
    """Yield the retries of rows of these jobs, without `ALL_ROWS` records, which repeat rows of an earlier job."""
    query = "SELECT to_job, rows FROM rows_sent_again WHERE org = ? AND from_job = ? AND rows != ?"
    for from_job in from_jobs:
        for to_job, rows in db.execute(query, (org, from_job[:15], ALL_ROWS)).fetchall():
            if to_job not in ignored_jobs:
                yield EarlierRetry(from_job, to_job, int.from_bytes(rows, "little").bit_count())


def with_retried_jobs(db: sqlite3.Connection, org: str, jobs: Collection[str]) -> frozenset[str]:
    """Return the ids of jobs, with those of the jobs whose rows they retried, directly or in turn."""
    query = "SELECT DISTINCT from_job FROM rows_sent_again WHERE org = ? AND to_job = ?"
    found, left = set[str](), set(jobs)
    while left:
        found.add(job := left.pop())
        left |= {from_job for (from_job,) in db.execute(query, (org, job[:15]))} - found
    return frozenset(found)


def insert_retry(
    db: sqlite3.Connection,
    org: str,
    rows: Iterable[RetriedRows],
    to_job: str,
    replaced_jobs: Mapping[str, Sequence[str]],
) -> None:
    """Record that a job retries rows, and that it does so in place of other jobs; see `Ledger.record_retry`."""
    values = [(org, row.from_job[:15], row.result, row.sha256, to_job[:15], _as_bytes(row.rows)) for row in rows]
    values += [
        (org, job[:15], result, "", to_job[:15], ALL_ROWS)
        for job, results in replaced_jobs.items()
        for result in results
    ]
    db.executemany("INSERT OR REPLACE INTO rows_sent_again VALUES (?, ?, ?, ?, ?, ?)", values)


def delete_retry(db: sqlite3.Connection, org: str, to_job: str) -> None:
    """Remove the record of the rows that a job would have retried."""
    db.execute("DELETE FROM rows_sent_again WHERE org = ? AND to_job = ?", (org, to_job[:15]))


def _as_bytes(rows: int) -> bytes:
    return rows.to_bytes(-(-rows.bit_length() // 8), "little")
