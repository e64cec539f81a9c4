"""The command `approve`, as an operator runs it on the machine of the server."""

from pathlib import Path

from inline_snapshot import snapshot

from salesforce_bulk_ingest.app.chosen_files import approvals_file
from salesforce_bulk_ingest.cache.approvals import Approvals
from tests.cli.conftest import RunHere
from tests.support.commands import Environ
from tests.support.orgs import emulator

JOB_ID = "750000000000001AAA"
FACTS = "delete 2 Contact in Acme PRODUCTION (job 750000000000001, rows 0123456789abcdef)"
ORG = "00D000000000001"


async def test_a_close_that_waits_is_shown_and_approved(run_here: RunHere, environ: Environ) -> None:
    assert run_here("approve").stdout == snapshot(
        "No close waits for an approval here. Those of an embedded org are shown with --emulator, and its --data-dir.\n"
    )
    approvals = Approvals(approvals_file(Path(environ["XDG_STATE_HOME"]) / "salesforce-bulk-ingest"))
    await approvals.ask(ORG, JOB_ID, FACTS)
    assert run_here("approve").stdout == snapshot("""\
delete 2 Contact in Acme PRODUCTION (job 750000000000001, rows 0123456789abcdef)

salesforce-bulk-ingest approve JOBID approves one of them.
""")
    unasked = run_here("approve", JOB_ID)
    assert (unasked.returncode, unasked.stderr) == snapshot(
        (2, "salesforce-bulk-ingest: nothing was done, since there is no terminal to ask on: add --yes to agree.\n")
    )
    assert not await approvals.is_approved(ORG, JOB_ID, FACTS)
    assert run_here("approve", JOB_ID[:15], "--yes").stdout == snapshot("""\
delete 2 Contact in Acme PRODUCTION (job 750000000000001, rows 0123456789abcdef)
Approved: the same call, or the same request, closes the job now.
""")
    assert await approvals.is_approved(ORG, JOB_ID, FACTS)
    again = run_here("approve", JOB_ID, "--yes")
    assert (again.returncode, again.stderr) == snapshot(
        (
            2,
            "salesforce-bulk-ingest: no close of job 750000000000001AAA waits for an approval here. It waits once it was tried, for seven days; `salesforce-bulk-ingest approve` shows those that wait. Those of an embedded org are shown with --emulator, and its --data-dir.\n",
        )
    )


def test_what_is_no_job_is_refused(run_here: RunHere) -> None:
    ended = run_here("approve", "everything", "--yes")
    assert (ended.returncode, ended.stderr) == snapshot(
        (
            2,
            "salesforce-bulk-ingest: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.\n",
        )
    )


async def test_the_close_of_an_embedded_org_is_approved_in_its_folder(run_here: RunHere, tmp_path: Path) -> None:
    folder = tmp_path / "an org"
    with emulator(folder):
        pass
    await Approvals(approvals_file(folder)).ask(ORG, JOB_ID, FACTS)
    assert "delete 2 Contact" in run_here("approve", "--emulator", "--data-dir", str(folder)).stdout
