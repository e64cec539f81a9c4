"""The files of jobs on disk: uploads and results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


class JobFiles:
    """The files of all jobs of an org, in one folder.

    Args:
        folder: the folder, which is created if there is none.
        process: the name of this process, with which the names of its unfinished uploads begin.
    """

    def __init__(self, folder: Path, process: str) -> None:
        self._folder = folder
        self._process = process
        folder.mkdir(exist_ok=True)

    def upload(self, job_id: str) -> Path:
        """Return the path of a job's upload, which holds the bytes as they were sent."""
        return self._folder / f"{job_id}.csv"

    def successful(self, job_id: str) -> Path:
        """Return the path of the body of a job's successfulResults."""
        return self._folder / f"{job_id}.successful.csv"

    def failed(self, job_id: str) -> Path:
        """Return the path of the body of a job's failedResults."""
        return self._folder / f"{job_id}.failed.csv"

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Yield a path for an upload in progress; a file that is still there at the end of the block is removed."""
        part = self._folder / f"{self._process}.{uuid4().hex}.part"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        for path in (self.upload(job_id), self.successful(job_id), self.failed(job_id)):
            path.unlink(missing_ok=True)

    def remove_orphans(self, has_ended: Callable[[str], bool], is_known: Callable[[str], bool]) -> None:
        """Remove the files that killed processes left behind.

        Args:
            has_ended: returns whether the process of this name has ended, and its unfinished uploads can be removed.
            is_known: returns whether there is a job with this id; the files of other jobs are removed.
        """
        for path in self._folder.iterdir():
            owner = path.name.partition(".")[0]
            if has_ended(owner) if path.suffix == ".part" else not is_known(owner):
                path.unlink(missing_ok=True)
