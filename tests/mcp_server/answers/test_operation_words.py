"""What a job does with rows, in words."""

import pytest

from salesforce_bulk_ingest.mcp_server.answers.operation_words import loaded, loads, never_whole, stays, until_closed
from salesforce_bulk_ingest.salesforce.models import Job
from tests.support.wire import JOB_ID


def words_of(operation: str | None) -> list[str]:
    job = Job(id=JOB_ID, state="Open", operation=operation)
    return [loads(job), loads(job, "its rows"), loaded(job), until_closed(job), stays(job), never_whole(job)]


@pytest.mark.parametrize("operation", ["insert", "update", "upsert", None])
def test_rows_are_loaded(operation: str | None) -> None:
    assert words_of(operation) == [
        "loads them",
        "loads its rows",
        "loaded",
        "nothing is loaded until the job is closed",
        "Rows already loaded stay.",
        "Never load the whole file again.",
    ]


@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
def test_where_a_delete_is_next_the_words_speak_of_deleting(operation: str) -> None:
    assert words_of(operation) == [
        "deletes their records",
        "deletes the records of its rows",
        "deleted",
        "no record is deleted until the job is closed",
        "Records already deleted stay deleted.",
        "Never send all ids again.",
    ]
