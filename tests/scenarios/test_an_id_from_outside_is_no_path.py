"""An org, or a proxy before it, that answers with an id that is none, or about another job: no file is named by it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.altered_results import AlteredResults
from tests.support.orgs import ERAS, Era, agent_over, call, loaded, refusal, steady

OUTSIDE = "../../../../pwn"
INSERT = {"object": "Account", "operation": "insert"}


def naming(job_id: str) -> Callable[[bytes], bytes]:
    """The same answer about another id."""
    return lambda answer: json.dumps({**json.loads(answer), "id": job_id}).encode()


def all_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("era", ERAS)
async def test_a_job_with_an_id_that_is_none_makes_no_file_and_is_shown_as_no_job(era: Era, tmp_path: Path) -> None:
    home = tmp_path / "a/b/c/home"
    home.mkdir(parents=True)
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    async with agent_over(org, folder=home, era=era) as client:
        job_id = await loaded(client, "Name\nAcme\n")
        org.alterations |= {job_id: [naming(OUTSIDE)], job_id[:15]: [naming(OUTSIDE)]}
        outside = [path for path in all_below(tmp_path / "a") if not path.is_relative_to(home)]
        calls: list[tuple[str, dict[str, Any]]] = [
            ("get-ingest-job-status", {}),
            ("get-failed-results-ingest-job", {}),
            ("close-abort-ingest-job", {"body": {"state": "Aborted"}}),
            ("delete-ingest-job", {}),
        ]
        told = {steady(await refusal(client, tool, jobId=job_id, **arguments)) for tool, arguments in calls}
        retried = await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [job_id]}})
        told |= {steady(retried).replace(job_id[:15], "JOB")}
        assert [path for path in all_below(tmp_path / "a") if not path.is_relative_to(home)] == outside
    assert sorted(told) == snapshot(
        [
            """\
SERVER_UNAVAILABLE: Asked for job JOB, Salesforce answered about "../../../../pwn", which is not the id of an ingest job.
Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} is the same call, and safe. If the answer stays so, check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong.\
""",
            """\
SERVER_UNAVAILABLE: Asked for job JOB, Salesforce answered about "../../../../pwn", which is not the id of an ingest job.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"]}}} is the same call, and safe. If the answer stays so, check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong.\
""",
            """\
SERVER_UNAVAILABLE: Asked for job JOB, Salesforce answered about "../../../../pwn", which is not the id of an ingest job.
Next: delete-ingest-job {"jobId": "JOB"} is the same call, and safe. If the answer stays so, check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong.\
""",
            """\
SERVER_UNAVAILABLE: Asked for job JOB, Salesforce answered about "../../../../pwn", which is not the id of an ingest job.
Next: get-failed-results-ingest-job {"jobId": "JOB"} is the same call, and safe. If the answer stays so, check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong.\
""",
            """\
SERVER_UNAVAILABLE: Asked for job JOB, Salesforce answered about "../../../../pwn", which is not the id of an ingest job.
Next: get-ingest-job-status {"jobId": "JOB"} is the same call, and safe. If the answer stays so, check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong.\
""",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_about_another_job_is_not_shown_as_this_one(era: Era, tmp_path: Path) -> None:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    async with agent_over(org, era=era) as client:
        mine, other = [await loaded(client, f"Name\n{name}\n") for name in ("Mine", "Other")]
        org.alterations[mine] = [naming(other)]
        text = await refusal(client, "get-successful-results-ingest-job", jobId=mine)
        assert text.startswith(
            f"SERVER_UNAVAILABLE: Asked for job {mine}, Salesforce answered about job {other}.\n"
            f'Next: get-successful-results-ingest-job {{"jobId": "{mine}"}} is the same call, and safe.'
        )


@pytest.mark.parametrize("era", ERAS)
async def test_a_create_that_is_answered_with_no_id_may_have_made_a_job_and_says_which(
    era: Era, tmp_path: Path
) -> None:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    async with agent_over(org, era=era) as client:
        # The list of jobs has the same path as a create, and comes as it is.
        org.alterations["ingest"] = [naming(OUTSIDE), lambda answer: answer]
        text = steady(await refusal(client, "create-ingest-job", body=INSERT))
        [made] = (await call(client, "list-all-ingest-jobs"))["jobs"]
    assert made["state"] == "Open"
    assert text.splitlines() == snapshot(
        [
            'SERVER_UNAVAILABLE: Asked for a new job, Salesforce answered about "../../../../pwn", which is not the id of an ingest job. The create was sent, so it may have made a job. Open jobs of this user for insert Account, made since the call began: JOB; any of them may be another call\'s.',
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}} makes a new job, which is safe: nothing is loaded before a job is closed. Leave the jobs named above, or abort those that no other call works on.',
        ]
    )
