"""Check the archives that `make release` has built: their content, and that each works in a clean environment."""

import sys
import tempfile
from pathlib import Path

from salesforce_bulk_ingest import __version__
from tests.release.archives import Archive, IncompleteArchive, sdist, wheel
from tests.release.clean_environment import CleanEnvironment, FailedCommand

ROOT = Path(__file__).parent.parent.parent

PROGRAM = "salesforce-bulk-ingest"
DEMO_ENDS_WITH = "240 rows processed, 11 failed"
"""The end of the output of `demo`, which has read the job through /v1."""


def check(archive: Archive) -> None:
    """Compare the archive's content with the repository, install it, and run it.

    Raises:
        IncompleteArchive: a file is missing from the archive, or should not be in it.
        FailedCommand: the archive can't be installed, or the installed `demo` fails.
    """
    archive.check(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        environment = CleanEnvironment(Path(folder))
        environment.install(archive.path, constraints=ROOT / "constraints.txt")
        environment.run(PROGRAM, "--version", prints=f"{PROGRAM} {__version__}")
        environment.run(PROGRAM, "demo", prints=DEMO_ENDS_WITH)
    print(f"{archive.path.name}: {len(archive.names)} files, installs, loads the sample")


def main() -> int:
    """Check both archives in the folder that the command names; return 1 if a check fails, else 0."""
    folder = Path(sys.argv[1])
    try:
        for archive in (wheel(folder, __version__), sdist(folder, __version__)):
            check(archive)
    except (IncompleteArchive, FailedCommand) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
