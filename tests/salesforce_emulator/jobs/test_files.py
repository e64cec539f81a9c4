"""Files of jobs: what ended processes left behind is removed."""

from contextlib import ExitStack
from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import REST, an_org, half_an_upload
from tests.salesforce_emulator.processes import killed_in_the_end


@own
def test_what_a_killed_process_left_behind_is_gone_with_the_next_start(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with killed_in_the_end(tmp_path) as org:
            job_id = org.create()
            stack.enter_context(half_an_upload(org, job_id, tmp_path))
        (tmp_path / "jobs" / "750Em000000GoneAAA.successful.csv").touch()  # a deletion that was cut by the kill
        with an_org(tmp_path) as org:
            assert list(tmp_path.glob("jobs/*")) == []
            assert len(list(tmp_path.glob("processes/*"))) == 1
            org.upload(job_id, b"Name\nwhole\n")


@own
def test_a_start_leaves_alone_what_living_processes_are_at(tmp_path: Path) -> None:
    with an_org(tmp_path) as first:
        job_id = first.create()
        with half_an_upload(first, job_id, tmp_path) as wire, an_org(tmp_path):
            wire.sendall(REST)
            assert wire.recv(12) == b"HTTP/1.1 201"
