"""The command `purge`: empties what is kept of jobs on this machine, after it has shown what that is and what it costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import anyio
import typer

from salesforce_bulk_ingest.app.chosen_files import job_files_of
from salesforce_bulk_ingest.app.chosen_login import configured_org
from salesforce_bulk_ingest.cache.job_files import JobFiles, KeptFolder
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cli.console import agrees, complain, say
from salesforce_bulk_ingest.cli.options import option, paths_of, settings_from
from salesforce_bulk_ingest.local_paths import LEDGER_FILE, LocalPaths
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import BadSetting

MOST_JOBS_SHOWN = 10

COSTS = """
What that costs:
- Results are downloaded again when they are needed: Salesforce has them for 7 days, and has none of a job that was deleted.
- Failed rows go again as Salesforce gives them back: numbers and times written anew, and some columns blank.
- Rows in no result can't be sent again from here, and results are no longer shown in the order of their source.
The record of which rows went into which job stays: it keeps rows from going twice.
"""


def purge(
    job_id: Annotated[
        str | None,
        typer.Argument(metavar="JOBID", help="Id of the job; without one, all is emptied.", show_default=False),
    ] = None,
    org_name: Annotated[str | None, option("org_name")] = None,
    emulator: Annotated[bool | None, option("emulator")] = None,
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Remove the results and uploads that are kept on this machine, of one job or of all."""
    settings = settings_from({"org_name": org_name, "emulator": emulator, "data_dir": data_dir})
    paths = paths_of(settings)
    folder = paths.spool_dir
    job_files = job_files_of(settings, folder)
    assert job_files is not None
    orgs = anyio.run(_keys_of, settings, paths) if settings.org_name is not None else None
    try:
        kept = job_files.kept(job_id, orgs)
        if not kept:
            say(f"Nothing of {'any job' if job_id is None else f'job {job_id}'} is kept in {folder}.")
            return
        _show(kept, f"{folder}")
        if not agrees("Remove all that?", yes=yes):
            say("Nothing was removed.")
            raise typer.Exit(1)
        _remove(job_files, kept)
    except OSError as error:
        raise CantStart(f"what is kept in {folder} can't be removed: {error.strerror}.") from None


async def _keys_of(settings: Settings, paths: LocalPaths) -> frozenset[str]:
    """Return the keys under which files of the chosen org may be kept, as far as this machine knows them without a call.

    Raises:
        BadSetting: nothing here tells which org it is.
    """
    org = configured_org(settings, paths).org
    keys = {settings.expect_org[:15]} if settings.expect_org is not None else set[str]()
    if org is not None:
        known = await Ledger(paths.state_dir / LEDGER_FILE).settle(org)
        keys |= {org.host, known.key}
    if not keys:
        raise BadSetting(
            f"--org: only a login tells which org {settings.org_name} is; add expect_org to its table, or purge without "
            "--org."
        )
    return frozenset(keys)


def _show(kept: Sequence[KeptFolder], folder: str) -> None:
    by_job: dict[str, list[int]] = {}
    for part in kept:
        by_job.setdefault("rows to send again" if part.job_id is None else f"job {part.job_id}", []).extend(part.sizes)
    say(f"Kept in {folder}:")
    shown = sorted(by_job.items(), key=lambda item: -sum(item[1]))
    for name, sizes in shown[:MOST_JOBS_SHOWN]:
        say(f"  {name}: {_amount(sizes)}")
    if more := shown[MOST_JOBS_SHOWN:]:
        say(f"  and of {len(more):,} more: {_amount([size for _, sizes in more for size in sizes])}")
    say(f"  in all: {_amount([size for _, sizes in shown for size in sizes])}")
    say(COSTS)


def _remove(job_files: JobFiles, kept: Sequence[KeptFolder]) -> None:
    left = sum(job_files.files.empty(folder.name) for folder in kept)
    files = sum(len(folder.sizes) for folder in kept)
    say(f"Removed {files - left:,} of {files:,} files.")
    if left:
        complain(f"warning: {left:,} files are left, which a server makes just now: purge again when it has made them.")
        raise typer.Exit(1)


def _amount(sizes: Sequence[int]) -> str:
    return f"{len(sizes):,} file{'' if len(sizes) == 1 else 's'}, {sum(sizes):,} bytes"
