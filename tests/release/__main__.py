"""Check the archives that `make release` has built: what is in them, and that each works in a clean environment."""

import sys
import tempfile
from pathlib import Path

from salesforce_bulk_ingest import __version__
from tests.release.archives import Archive, IncompleteArchive, sdist, wheel
from tests.release.clean_environment import CleanEnvironment, FailedCommand

ROOT = Path(__file__).parent.parent.parent

PROGRAM = "salesforce-bulk-ingest"
DEMO_ENDS_WITH = "240 rows processed, 11 failed"
"""What `demo` prints of the job once it has read it through /v1."""


def check(archive: Archive) -> None:
    """Compare the archive's content with the repository, install it, and run it.

    Raises:
        IncompleteArchive: a file is missing, or one too many is in it.
        FailedCommand: it can't be installed, or does not do its main job.
    """
    archive.check(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        environment = CleanEnvironment(Path(folder))
        environment.install(archive.path, constraints=ROOT / "constraints.txt")
        environment.run(PROGRAM, "--version", prints=f"{PROGRAM} {__version__}")
        environment.run(PROGRAM, "demo", prints=DEMO_ENDS_WITH)
    print(f"{archive.path.name}: {len(archive.names)} files, installs, loads the sample")


def main() -> int:
    """Check both archives in the folder that is named; 1 if one is not as it should be."""
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
