"""The command `approve`: the operator confirms a close on the machine of the server."""

from pathlib import Path
from typing import Annotated

import typer

from salesforce_bulk_ingest.app.chosen_files import approvals_file
from salesforce_bulk_ingest.cache.approvals import Approvals, WaitingClose
from salesforce_bulk_ingest.cli.console import PROGRAM, agrees, say
from salesforce_bulk_ingest.cli.options import option, paths_of, settings_from
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id, is_same_job
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings import Settings

NOT_APPROVED = 1


def approve(
    job_id: Annotated[
        str | None, typer.Argument(metavar="JOBID", help="The job; without it, the closes that wait are shown.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve without asking.")] = False,
    emulator: Annotated[bool | None, option("emulator")] = None,
    data_dir: Annotated[Path | None, option("data_dir")] = None,
) -> None:
    """Approve the close of a job, where the server lets the operator confirm closes; it counts for 24 hours."""
    settings = settings_from({"emulator": emulator, "data_dir": data_dir})
    approvals = Approvals(approvals_file(paths_of(settings).state_dir))
    if job_id is None:
        _show(approvals.waiting(), settings)
        return
    checked_job_id(job_id)
    close = next((waiting for waiting in approvals.waiting() if is_same_job(waiting.job_id, job_id)), None)
    if close is None:
        raise CantStart(
            f"no close of job {job_id} waits for an approval here. It waits once it was tried, for seven days; `{PROGRAM} "
            f"approve` shows those that wait.{_elsewhere(settings)}"
        )
    _tell(close)
    if not agrees("Approve this?", yes=yes):
        say("Not approved: the job stays open.")
        raise typer.Exit(NOT_APPROVED)
    if not approvals.approve(close):
        raise CantStart(f"meanwhile another close of job {job_id} waits: run this again, and look at it.")
    say("Approved: the same call, or the same request, closes the job now.")


def _elsewhere(settings: Settings) -> str:
    return "" if settings.emulator else " Those of an embedded org are shown with --emulator, and its --data-dir."


def _show(waiting: list[WaitingClose], settings: Settings) -> None:
    for close in waiting:
        _tell(close)
    if waiting:
        say(f"\n{PROGRAM} approve JOBID approves one of them.")
    else:
        say(f"No close waits for an approval here.{_elsewhere(settings)}")


def _tell(close: WaitingClose) -> None:
    say(close.facts)
