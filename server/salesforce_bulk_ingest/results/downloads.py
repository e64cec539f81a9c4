"""Results that were downloaded: kept whole, with an index of their rows and, for failed rows, their errors in groups."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from salesforce_bulk_ingest.cache.file_cache import NewFile
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.csvio.cells import parse_record
from salesforce_bulk_ingest.csvio.row_index import IndexBuilder, RowIndex
from salesforce_bulk_ingest.results.error_groups import ErrorGroup, ErrorGrouper


@dataclass(frozen=True, slots=True)
class DownloadedResult:
    """A result that is here, whole.

    Attributes:
        path: of the CSV, as Salesforce gave it.
        index: of its rows.
        sha256: of the CSV.
        causes: why rows failed, for a result that says so.
    """

    path: Path
    index: RowIndex
    sha256: str
    causes: tuple[ErrorGroup, ...] = ()

    def records(self, row: int) -> Iterator[bytes]:
        """The records from a row on, counted from 0 after the header.

        Raises:
            OSError: it was removed, or can't be read.
        """
        with self.path.open("rb") as file:
            yield from self.index.records(file, row)


class ResultNotReady(Exception):
    """An answer without a header: of a result without rows, or of one that Salesforce does not have ready (seen in #886 of
    OpenFn/adaptors), which is therefore not kept."""


class DownloadWriter:
    """A result that comes in.

    Args:
        draft: takes it.
        delimiter: between its cells.
        tells_causes: whether it is that of the failed rows.
    """

    def __init__(self, draft: NewFile, delimiter: str, *, tells_causes: bool) -> None:
        self._draft = draft
        self._delimiter = delimiter
        self._tells_causes = tells_causes
        self._index = IndexBuilder()
        self._sha256 = hashlib.sha256()
        self._rows = 0
        self._causes: ErrorGrouper | None = None

    def add(self, chunk: bytes) -> None:
        """More of its bytes."""
        self._draft.file.write(chunk)
        self._sha256.update(chunk)
        self._count(self._index.add(chunk))

    def finish(self) -> DownloadedResult:
        """After the last byte: it is whole.

        Raises:
            NothingCame: there was not even a header.
        """
        index, rows = self._index.finish()
        if not index.header:
            raise ResultNotReady
        self._count(rows)
        causes = tuple(self._causes.causes()) if self._causes else ()
        label = io.BytesIO()
        sha256 = self._sha256.hexdigest()
        told = {"sha256": sha256, "causes": [cause.as_json() for cause in causes]}
        label.write(json.dumps(told).encode() + b"\n")
        index.write(label)
        return DownloadedResult(self._draft.finish(label.getvalue()).path, index, sha256, causes)

    def _count(self, rows: list[bytes]) -> None:
        if not self._tells_causes or not rows:
            return
        if self._causes is None:
            self._causes = ErrorGrouper(parse_record(self._index.header, self._delimiter))
        for row in rows:
            self._causes.add(parse_record(row, self._delimiter), self._rows)
            self._rows += 1


def find_download(files: JobFiles, key: ResultKey) -> DownloadedResult | None:
    """The result, if it is here and whole; it then counts as just read, and so does what was sent to its job."""
    found = files.files.find(key.name)
    if found is None:
        return None
    label = io.BytesIO(found.label)
    try:
        told = json.loads(label.readline())
        sha256, causes = str(told["sha256"]), tuple(map(ErrorGroup.from_json, told["causes"]))
        index = RowIndex.read(label)
    except (ValueError, KeyError, TypeError):  # of another version of this
        return None
    files.touch(key)
    return DownloadedResult(found.path, index, sha256, causes)


@contextmanager
def writing_download(files: JobFiles, key: ResultKey, delimiter: str) -> Iterator[DownloadWriter]:
    """For the time of a download, under its lock; what is not finished is gone afterwards.

    Args:
        files: where it is kept.
        key: names the result.
        delimiter: between its cells.
    """
    with files.files.writing(key.name) as draft:
        yield DownloadWriter(draft, delimiter, tells_causes=key.kind == "failedResults")
