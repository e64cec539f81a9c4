"""Where the uploads and results of jobs lie on disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


class JobFiles:
    """The files of all jobs, in one folder; `process` is the name of the one that uses it here."""

    def __init__(self, folder: Path, process: str) -> None:
        self._folder = folder
        self._process = process
        folder.mkdir(exist_ok=True)

    def upload(self, job_id: str) -> Path:
        """The data as it came."""
        return self._folder / f"{job_id}.csv"

    def successful(self, job_id: str) -> Path:
        """The body of successfulResults."""
        return self._folder / f"{job_id}.successful.csv"

    def failed(self, job_id: str) -> Path:
        """The body of failedResults."""
        return self._folder / f"{job_id}.failed.csv"

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A place for an upload that has not ended yet; what was not moved away from there is removed."""
        part = self._folder / f"{self._process}.{uuid4().hex}.part"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        for path in (self.upload(job_id), self.successful(job_id), self.failed(job_id)):
            path.unlink(missing_ok=True)

    def sweep(self, is_gone: Callable[[str], bool], is_known: Callable[[str], bool]) -> None:
        """Remove what killed processes left behind.

        Args:
            is_gone: whether the process of this name has ended; its unfinished uploads go.
            is_known: whether there is a job of this id; files without a job go.
        """
        for path in self._folder.iterdir():
            owner = path.name.partition(".")[0]
            if is_gone(owner) if path.suffix == ".part" else not is_known(owner):
                path.unlink(missing_ok=True)
