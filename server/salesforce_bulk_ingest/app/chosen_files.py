"""The files and folders of this machine that the settings choose: what is kept, uploaded and saved."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from salesforce_bulk_ingest.app.chosen_callers import is_for_this_machine
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.local_paths import LEDGER_FILE, LocalPaths
from salesforce_bulk_ingest.results.save_roots import SaveRoots
from salesforce_bulk_ingest.setting_types import STDERR
from salesforce_bulk_ingest.settings import Settings

DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """What a server keeps on this machine.

    Attributes:
        state_dir: the folder of its state.
        ledger: the record of uploads and retries.
        audit_file: the file of the audit log; None for standard error.
        job_files: the cache of results and uploads; None if nothing is cached.
        keeps_uploads: whether that cache has uploads, too.
    """

    state_dir: Path
    ledger: Ledger
    audit_file: Path | None
    job_files: JobFiles | None
    keeps_uploads: bool

    @classmethod
    def chosen(cls, settings: Settings, paths: LocalPaths, clock: Clock) -> Self:
        """Return what the settings choose, in these folders."""
        spool = None if settings.no_spool else paths.spool_dir
        return cls(
            paths.state_dir,
            Ledger(paths.state_dir / LEDGER_FILE, spool, clock.now),
            audit_file(settings, paths.state_dir),
            job_files_of(settings, spool, clock),
            keeps_uploads=spool is not None and not settings.no_kept_uploads,
        )


def audit_file(settings: Settings, state_dir: Path) -> Path | None:
    """Return the file of the audit log, or None for standard error."""
    if settings.audit == STDERR:
        return None
    return state_dir / "audit.jsonl" if settings.audit is None else Path(settings.audit)


def approvals_file(state_dir: Path) -> Path:
    """Return the file of approvals in the folder of a server's state."""
    return state_dir / "approvals.sqlite3"


def job_files_of(settings: Settings, folder: Path | None, clock: Clock = SYSTEM_CLOCK) -> JobFiles | None:
    """Return the cache of results and uploads in a folder, or None where there is no folder for it."""
    if folder is None:
        return None
    return JobFiles(
        folder,
        most_bytes=settings.spool_max_bytes,
        most_seconds=settings.spool_days * DAY_SECONDS,
        keeps_uploads=not settings.no_kept_uploads,
        now=clock.now,
    )


def recipe_folder_of(settings: Settings) -> RecipeFolder | None:
    """Return the folder of recipes, or None if none is named."""
    return None if settings.recipes is None else RecipeFolder(settings.recipes)


def upload_roots_of(settings: Settings, paths: LocalPaths) -> UploadRoots:
    """Return the folders that files may be uploaded from.

    Without folders in the settings, it is the working directory, unless other machines can call: an operator who names no
    folder has not agreed to uploads of files by other machines.
    """
    why_none, default = "it serves other machines", list[Path]()
    if isinstance(paths.working_dir, str):
        why_none = paths.working_dir
    elif is_for_this_machine(settings):
        default = [paths.working_dir]
    return UploadRoots(settings.upload_roots or default, paths.home, why_none)


def describe_files(settings: Settings, paths: LocalPaths) -> str:
    """Return where files for uploads may lie, and how many bytes one upload takes, in one line, for people."""
    if settings.read_only:
        return "none are read, since nothing is uploaded"
    allowed = upload_roots_of(settings, paths)
    if not allowed.roots:
        return f"none are read: no --upload-root is named, and {allowed.why_none}"
    chosen = "" if settings.upload_roots else " (the working folder; --upload-root DIR names another)"
    return f"under {' and '.join(map(str, allowed.roots))}{chosen}, up to {settings.max_upload_bytes:,} bytes an upload"


def describe_saved_rows(settings: Settings) -> str:
    """Return where callers may save rows, in one line, for people."""
    return f"in new files under {' and '.join(map(str, settings.save_roots))}"


def save_roots_of(settings: Settings, paths: LocalPaths) -> SaveRoots:
    """Return the folders that callers may save rows in: those that the settings name."""
    return SaveRoots(settings.save_roots, paths.home)
