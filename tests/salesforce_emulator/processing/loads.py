"""Jobs that tests load, and the records and errors that result."""

from tests.salesforce_emulator.caller import INGEST, Caller, Job


def made(org: Caller, data: str, object_: str = "Account") -> list[str]:
    """The ids of the records that these rows insert, in the order of the rows."""
    job = org.load(data, object_)
    assert org.errors(job) == []
    key = data.partition("\n")[0].split(",")[0]
    ids = {row[key]: row["sf__Id"] for row in org.succeeded(job)}
    return [ids[line.split(",")[0]] for line in data.splitlines()[1:]]


def names(org: Caller, job: Job) -> list[str]:
    """The names of the records that the job saved, sorted."""
    return sorted(row["Name"] for row in org.succeeded(job))


def only_error(org: Caller, job: Job) -> tuple[str, str]:
    """The id and the error of the only row that failed."""
    [row] = org.rows(job, "failedResults")
    return row["sf__Id"], row["sf__Error"]


def failure(org: Caller, data: bytes | str, **settings: str) -> str:
    """The error of a job that fails before any row is processed, and whose unprocessed records are its data as it was sent."""
    job = org.load(data, **settings)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("Failed", 0, 0)
    assert org.errors(job) == []
    sent = data.encode() if isinstance(data, str) else data
    assert org.http.get(f"{INGEST}/{job['id']}/unprocessedrecords").content == sent
    return str(job["errorMessage"])
