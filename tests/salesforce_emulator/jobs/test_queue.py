"""Jobs outlive the processes that work on them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.processes import SAVED, assert_each_row_is_there_once, killed_in_the_end, submit_and_hold


@own
def test_the_org_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        first = org.load("Name\nAcme\n")
        [row] = org.succeeded(first)
    with an_org(tmp_path) as org:
        assert org.get(first["id"]) == first
        assert org.record(row["sf__Id"])["Name"] == "Acme"
        assert org.succeeded(org.load("Name\nSecond\n"))[0]["sf__Id"] > row["sf__Id"]
    assert (tmp_path.stat().st_mode & 0o777, list(tmp_path.glob("processes/*"))) == (0o700, [])


@own
def test_a_job_cut_by_a_stop_goes_on_with_the_next_start(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = submit_and_hold(org)
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


@own
def test_a_killed_process_leaves_no_half_record_and_no_row_is_doubled(tmp_path: Path) -> None:
    with killed_in_the_end(tmp_path) as org:
        job_id = submit_and_hold(org)
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


@own
@pytest.mark.parametrize("ending", [killed_in_the_end, an_org], ids=["killed", "stopped"])
def test_the_job_of_a_process_that_ended_goes_on_in_one_that_has_the_org_open(
    tmp_path: Path, ending: Callable[[Path], AbstractContextManager[Caller]]
) -> None:
    with ExitStack() as stack:
        with ending(tmp_path) as first:
            second = stack.enter_context(an_org(tmp_path))
            job_id = submit_and_hold(first)
        assert_each_row_is_there_once(second, second.until(job_id))


@own
def test_a_second_process_leaves_the_jobs_of_the_first_alone(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(an_org(tmp_path))
        job_id = submit_and_hold(first)
        second = stack.enter_context(an_org(tmp_path))
        other = second.load("Name,Site\n" + "A,other\n" * 1000)
        assert (other["state"], second.count("Site = 'other'")) == ("JobComplete", 1000)
        assert first.get(job_id)["numberRecordsProcessed"] == 200 * SAVED
        first.go_right()
        assert_each_row_is_there_once(second, first.until(job_id))
