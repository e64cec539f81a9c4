"""The files and folders of this program on this machine."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from salesforce_bulk_ingest.loading.upload_roots import is_of_system
from salesforce_bulk_ingest.salesforce.logins.cli_folders import cli_folders

APP_NAME = "salesforce-bulk-ingest"
SETTINGS_FILE = "settings.toml"
SPOOL = "spool"
"""The name of the folder for the results and uploads of jobs, both in the cache folder and beside an embedded org."""

LEDGER_FILE = "uploads.sqlite3"
"""The name of the ledger of uploads, both in the state folder and beside an embedded org."""

HOMES = (Path("/home"), Path("/Users"))


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """The files and folders of one user.

    Attributes:
        settings_file: path of `settings.toml`, the only source of settings with desktop hosts, which pass no environment.
        state_dir: folder of the ledger of uploads.
        spool_dir: folder of the job files: downloaded results and archived uploads.
        org_dir: folder of the embedded org that `stdio` opens again at each start.
        working_dir: folder that the program was started in, or why that folder is no place for a user's data, as part of a
            sentence.
        cli_folders: folders in which the official CLI may be installed.
        home: home folder of this user, which `~` stands for in the paths of files to upload.
    """

    settings_file: Path
    state_dir: Path
    spool_dir: Path
    org_dir: Path
    working_dir: Path | str = "no folder is known in which it was started"
    cli_folders: tuple[Path, ...] = ()
    home: Path | None = None

    @property
    def token_file(self) -> Path:
        """Path of the file of named tokens, unless the settings name another."""
        return self.settings_file.with_name("callers.json")

    def in_org(self, folder: Path) -> "LocalPaths":
        """Return the paths of a server with an embedded org: its state and its job files are in the folder of the org."""
        return replace(self, state_dir=folder, spool_dir=folder / SPOOL)


def default_local_paths() -> LocalPaths:
    """Return this user's files and folders on this platform."""
    return LocalPaths(
        settings_file=platformdirs.user_config_path(APP_NAME, appauthor=False) / SETTINGS_FILE,
        state_dir=platformdirs.user_state_path(APP_NAME, appauthor=False),
        spool_dir=platformdirs.user_cache_path(APP_NAME, appauthor=False) / SPOOL,
        org_dir=platformdirs.user_data_path(APP_NAME, appauthor=False) / "org",
        working_dir=working_dir(Path.cwd, Path.home()),
        cli_folders=cli_folders(Path.home(), os.environ),
        home=Path.home(),
    )


def working_dir(current: Callable[[], Path], home: Path) -> Path | str:
    """Return the current folder; for one in which a desktop or a service starts programs, why it does not count.

    Args:
        current: returns the current folder; raises OSError where that folder has been removed.
        home: home folder of this user.
    """
    try:
        folder, home = current().resolve(), home.resolve()
    except OSError:
        return "it was started in a folder that is gone"
    if any(place.is_relative_to(folder) for place in (home, *HOMES)):
        return "it was started in a home or above one"
    if is_of_system(folder):
        return "it was started in a folder of the system"
    if _is_home(folder):
        return "it was started in a home"
    return folder


def _is_home(folder: Path) -> bool:
    """Return whether the folder is the home of a user: one in the usual place, or of a user with the folder's name."""
    return folder.parent in HOMES or os.path.expanduser(f"~{folder.name}") == str(folder)
