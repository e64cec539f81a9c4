"""Downloaded results: the CSV as Salesforce gave it, with an index of its rows and, for failed rows, their error groups."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from salesforce_bulk_ingest.cache.file_cache import NewFile
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.csvio.cells import parse_record, parse_records
from salesforce_bulk_ingest.csvio.row_index import IndexBuilder, RowIndex
from salesforce_bulk_ingest.results.error_groups import ErrorGroup, ErrorGrouper


@dataclass(frozen=True, slots=True)
class DownloadedResult:
    """A result that is downloaded whole.

    Attributes:
        path: path of the CSV.
        index: index of the rows of the CSV.
        sha256: SHA-256 of the CSV.
        error_groups: the errors of all rows; none for a result other than the failed rows.
    """

    path: Path
    index: RowIndex
    sha256: str
    error_groups: tuple[ErrorGroup, ...] = ()

    def records(self, row: int) -> Iterator[bytes]:
        """Return the records from a row on; the first row after the header is row 0.

        Raises:
            OSError: the file was removed, or can't be read.
        """
        with self.path.open("rb") as file:
            yield from self.index.records(file, row)


class ResultNotReady(Exception):
    """Salesforce answered without a header, so the answer is not cached.

    The result has no rows, or Salesforce does not have it ready yet (seen in #886 of OpenFn/adaptors).
    """


class DownloadWriter:
    """Writes a result into a new file of the cache while it comes in.

    Args:
        file: the new file.
        delimiter: delimiter of the result.
        groups_errors: whether to group the errors of the rows.
    """

    def __init__(self, file: NewFile, delimiter: str, *, groups_errors: bool) -> None:
        self._file = file
        self._delimiter = delimiter
        self._groups_errors = groups_errors
        self._index = IndexBuilder()
        self._sha256 = hashlib.sha256()
        self._row_count = 0
        self._grouper: ErrorGrouper | None = None

    def add(self, chunk: bytes) -> None:
        """Write the next bytes of the result."""
        self._file.file.write(chunk)
        self._sha256.update(chunk)
        self._group_errors(self._index.add(chunk))

    def finish(self) -> DownloadedResult:
        """Put the file in place, after the last byte.

        Raises:
            ResultNotReady: there was not even a header.
        """
        index, rows = self._index.finish()
        if not index.header:
            raise ResultNotReady
        self._group_errors(rows)
        error_groups = self._grouper.groups() if self._grouper else ()
        sha256 = self._sha256.hexdigest()
        cached = self._file.finish(_label(index, sha256, error_groups))
        return DownloadedResult(cached.path, index, sha256, error_groups)

    def _group_errors(self, rows: list[bytes]) -> None:
        if not self._groups_errors or not rows:
            return
        if self._grouper is None:
            self._grouper = ErrorGrouper(parse_record(self._index.header, self._delimiter))
        for cells in parse_records(rows, self._delimiter):
            self._grouper.add(cells, self._row_count)
            self._row_count += 1


def find_download(files: JobFiles, key: ResultKey) -> DownloadedResult | None:
    """Return the downloaded result, or None if there is none that is whole.

    The result, and the upload of its job, then count as read just now.
    """
    cached = files.files.find(key.name)
    if cached is None:
        return None
    label = io.BytesIO(cached.label)
    try:
        stored = json.loads(label.readline())
        sha256, error_groups = str(stored["sha256"]), tuple(map(ErrorGroup.from_json, stored["causes"]))
        index = RowIndex.read(label)
    except (ValueError, KeyError, TypeError):  # another version of this program wrote it
        return None
    files.touch(key)
    return DownloadedResult(cached.path, index, sha256, error_groups)


@contextmanager
def new_download(files: JobFiles, key: ResultKey, delimiter: str) -> Iterator[DownloadWriter]:
    """Download a result; the caller holds its lock. A download that is not finished within the block is removed.

    Args:
        files: the cached files of jobs.
        key: key of the result.
        delimiter: delimiter of the result.
    """
    with files.files.new_file(key.name) as file:
        yield DownloadWriter(file, delimiter, groups_errors=key.kind == "failedResults")


def _label(index: RowIndex, sha256: str, error_groups: tuple[ErrorGroup, ...]) -> bytes:
    label = io.BytesIO()
    stored = {"sha256": sha256, "causes": [group.as_json() for group in error_groups]}
    label.write(json.dumps(stored).encode() + b"\n")
    index.write(label)
    return label.getvalue()
