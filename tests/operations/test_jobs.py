"""The job operations through the tools: list, close and abort."""

from pathlib import Path

import pytest

from tests.support.orgs import agent_over, call, refusal
from tests.support.result_org import OneJob
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.wire import JOB_ID

# The list of jobs


@pytest.mark.parametrize("url", ["null", "NULL", None])
async def test_a_next_page_of_jobs_that_is_null_ends_the_list(url: str | None) -> None:
    listing = {"records": [{"id": JOB_ID, "state": "Open"}], "done": False, "nextRecordsUrl": url}
    async with agent_over(OneJob({}, listing=listing)) as client:
        answer = await call(client, "list-all-ingest-jobs")
    assert answer["queryLocator"] is None and "Next page" not in answer["summary"]


async def test_a_close_that_took_effect_is_reported_even_when_the_next_reading_fails(tmp_path: Path) -> None:
    """A model that takes a close for failed loads the rows again."""
    org = ScriptedOrg(("Open", 0), ("UploadComplete", 0), ("BROKEN", 0))
    async with scripted_agent(org, tmp_path) as client:
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        answer = await call(client, "close-abort-ingest-job", **closing)
    assert (answer["changed"], answer["state"], org.patches) == (True, "UploadComplete", 1)


# Changes of a job that another caller changes at the same time


@pytest.mark.parametrize(
    ("change", "meanwhile"),
    [
        ("UploadComplete", "UploadComplete"),
        ("UploadComplete", "InProgress"),
        ("UploadComplete", "JobComplete"),
        ("Aborted", "Aborted"),
    ],
)
async def test_a_change_that_another_call_made_first_is_no_error_and_no_second_change(
    change: str, meanwhile: str, tmp_path: Path
) -> None:
    org = ScriptedOrg(("Open", 0), ("REFUSED", 0), (meanwhile, 7))
    async with scripted_agent(org, tmp_path) as client:
        answer = await call(client, "close-abort-ingest-job", jobId=JOB_ID, body={"state": change})
    assert (answer["changed"], answer["state"], org.patches) == (False, meanwhile, 1)


@pytest.mark.parametrize(("change", "meanwhile"), [("UploadComplete", "Aborted"), ("Aborted", "JobComplete")])
async def test_a_change_that_can_not_be_made_any_more_is_refused(change: str, meanwhile: str, tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0), ("REFUSED", 0), (meanwhile, 0))
    async with scripted_agent(org, tmp_path) as client:
        text = await refusal(client, "close-abort-ingest-job", jobId=JOB_ID, body={"state": change})
    assert text.startswith("INVALIDJOBSTATE: ")


async def test_a_change_that_was_made_before_is_not_reported_where_the_job_can_not_be_read_afterwards(
    tmp_path: Path,
) -> None:
    org = ScriptedOrg(("InProgress", 0), ("BROKEN", 0))
    async with scripted_agent(org, tmp_path) as client:
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        text = await refusal(client, "close-abort-ingest-job", **closing)
    assert text.startswith("SERVER_UNAVAILABLE: ") and org.patches == 0
