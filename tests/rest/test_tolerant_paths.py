"""Paths of `/v1` are taken as Salesforce takes them: with slashes at the end, doubled slashes, and results in any case."""

import pytest

from tests.rest.wired import Wired
from tests.support.wire import (
    JOB_ID,
)

MOUNTS = ["/v1", "/services/data/v62.0"]


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/jobs/ingest/", "/jobs/ingest"),
        ("/jobs/ingest//", "/jobs/ingest"),  # the Data Loader creates with this one
        ("//jobs///ingest", "/jobs/ingest"),
        (f"/jobs/ingest/{JOB_ID}/", f"/jobs/ingest/{JOB_ID}"),
        (f"/jobs/ingest/{JOB_ID[:15]}", f"/jobs/ingest/{JOB_ID[:15]}"),
        (f"/jobs/ingest/{JOB_ID}/successfulResults/", f"/jobs/ingest/{JOB_ID}/successfulResults"),
        (f"/jobs/ingest/{JOB_ID}/successfulresults", f"/jobs/ingest/{JOB_ID}/successfulResults"),
        (f"/jobs/ingest/{JOB_ID}/FAILEDRESULTS", f"/jobs/ingest/{JOB_ID}/failedResults"),
        (f"/jobs/ingest/{JOB_ID}/unprocessedRecords", f"/jobs/ingest/{JOB_ID}/unprocessedrecords"),
        (f"/jobs/ingest//{JOB_ID}//failedresults//", f"/jobs/ingest/{JOB_ID}/failedResults"),
    ],
)
def test_slashes_and_case_are_taken_as_salesforce_takes_them(wired: Wired, mount: str, given: str, sent: str) -> None:
    response = wired.caller.get(f"{mount}{given}")
    assert (response.status_code, response.history) == (200, [])
    version = "63.0" if mount == "/v1" else "62.0"
    assert wired.last.path == f"/services/data/v{version}{sent}"
