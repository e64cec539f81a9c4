"""Downloaded results: the CSV as Salesforce gave it, with an index of its rows and, for failed rows, their error groups."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.cache.file_cache import LABELS_KEPT, CachedFile, NewFile
from salesforce_bulk_ingest.cache.file_use import FileUse
from salesforce_bulk_ingest.cache.job_files import SHORT, JobFiles, ResultKey
from salesforce_bulk_ingest.csvio.cells import parse_record, parse_records
from salesforce_bulk_ingest.csvio.row_index import CHUNK_BYTES, IndexBuilder, RowIndex
from salesforce_bulk_ingest.results.completeness import Completeness, ends_within_row
from salesforce_bulk_ingest.results.error_groups import ErrorGroup, ErrorGrouper
from salesforce_bulk_ingest.results.result_file import check_first_column
from salesforce_bulk_ingest.results.row_mask import RowMask
from salesforce_bulk_ingest.salesforce.models import ResultKind


@dataclass(frozen=True, slots=True)
class DownloadedResult:
    """A result that is downloaded.

    Attributes:
        path: path of the CSV.
        index: index of the rows of the CSV.
        sha256: SHA-256 of the CSV.
        completeness: what speaks for or against the result being whole; only a whole one is kept for later calls.
        error_groups: the errors of all rows; none for a result other than the failed rows.
        hidden_names: names of the columns that were hidden when the error groups were made.
        use: keeps the file in the cache.
    """

    path: Path
    index: RowIndex
    sha256: str
    completeness: Completeness
    error_groups: tuple[ErrorGroup, ...] = ()
    hidden_names: tuple[str, ...] = ()
    use: FileUse | None = field(default=None, compare=False, repr=False)

    def columns(self, delimiter: str) -> tuple[str, ...]:
        """Return the names of the columns; none where Salesforce gave no rows, and so no header."""
        return tuple(parse_record(self.index.header, delimiter)) if self.index.header else ()

    def records(self, row: int) -> Iterator[bytes]:
        """Return the records from a row on; the first row after the header is row 0.

        Raises:
            OSError: the file was removed, or can't be read.
        """
        with self.path.open("rb") as file:
            yield from self.index.records(file, row)


class DownloadWriter:
    """Writes a result into a new file of the cache while it comes in.

    Args:
        file: the new file.
        delimiter: delimiter of the result.
        kind: kind of the result.
        earlier_sha256: SHA-256 of an earlier download that was short; None if there was none.
        hidden: the fields whose cells no error group has.
    """

    def __init__(
        self, file: NewFile, delimiter: str, kind: ResultKind, earlier_sha256: str | None, hidden: HiddenFields
    ) -> None:
        self._file = file
        self._delimiter = delimiter
        self._kind = kind
        self._earlier_sha256 = earlier_sha256
        self._index = IndexBuilder()
        self._sha256 = hashlib.sha256()
        self._last_row: list[bytes] = []
        self._hidden = hidden
        self._mask = RowMask((), hidden)
        self._grouper: ErrorGrouper | None = None

    def add(self, chunk: bytes) -> None:
        """Write the next bytes of the result."""
        self._file.file.write(chunk)
        self._sha256.update(chunk)
        self._add_rows(self._index.add(chunk))

    def check_header(self) -> None:
        """Raise UnexpectedAnswer where the header that came is not one of Salesforce's: such a result is not kept."""
        if self._index.header:
            check_first_column(self._kind, parse_record(self._index.header, self._delimiter)[0])

    def finish(self, counted: int | None) -> DownloadedResult:
        """Put the file in place, after the last byte: a short result under a name of its own, until it comes a second time.

        A failed or successful row that was cut is then left out: it must not be sent again.

        Args:
            counted: number of rows that the job counts, see `counted_rows`.
        """
        index, rows = self._index.finish()
        self._add_rows(rows)
        sha256 = self._sha256.hexdigest()
        is_cut = ends_within_row(self._index.last_record, index.header, self._delimiter, self._kind)
        found = Completeness(index.rows, counted, has_header=bool(index.header), is_cut=is_cut)
        if found.is_short and found.is_confirmable and sha256 == self._earlier_sha256:
            found = replace(found, is_confirmed=True)
        # Salesforce gives unprocessed rows back as they were sent, and these may be no whole rows.
        if found.is_confirmed and is_cut and index.rows and self._kind != "unprocessedrecords":
            index = index.without_last_row(self._index.last_record_start)
            self._file.file.seek(index.size)
            self._file.file.truncate()
            found = replace(found, rows=index.rows)
        else:
            self._group_errors(self._last_row)
        error_groups = self._grouper.groups() if self._grouper else ()
        hidden_names = self._mask.hidden_names
        label = _label(index, sha256, found, error_groups, hidden_names)
        cached = self._file.finish(label, suffix="" if found.is_whole else SHORT)
        return DownloadedResult(cached.path, index, sha256, found, error_groups, hidden_names, cached.use)

    def _add_rows(self, rows: list[bytes]) -> None:
        """Group the errors of rows, but hold the last row back, which may be cut."""
        if rows:
            self._group_errors([*self._last_row, *rows[:-1]])
            self._last_row = rows[-1:]

    def _group_errors(self, rows: list[bytes]) -> None:
        if self._kind != "failedResults" or not rows:
            return
        if self._grouper is None:
            names = parse_record(self._index.header, self._delimiter)
            self._mask, self._grouper = RowMask(names, self._hidden), ErrorGrouper(names)
        self._grouper.add_all(self._mask.rows(parse_records(rows, self._delimiter)))


def masked_error_groups(result: DownloadedResult, delimiter: str, mask: RowMask) -> tuple[ErrorGroup, ...]:
    """Return the error groups of a result, made anew from its rows if other fields were hidden when it was downloaded.

    Raises:
        OSError: the result can't be read any more.
    """
    if not result.error_groups or result.hidden_names == mask.hidden_names:
        return result.error_groups
    grouper = ErrorGrouper(parse_record(result.index.header, delimiter))
    with result.path.open("rb", buffering=CHUNK_BYTES) as file:
        for run in result.index.runs(file, 0):
            grouper.add_all(mask.rows(parse_records(run.records, delimiter)))
    return grouper.groups()


def find_download(files: JobFiles, key: ResultKey, counted: int | None = None) -> DownloadedResult | None:
    """Return the downloaded result, or None if there is none that is known to be whole.

    The result, and the upload of its job, then count as read just now.

    Args:
        files: the cached files of jobs.
        key: key of the result.
        counted: number of rows that the job counts now: its counters may have lagged when the result was downloaded.
    """
    result = kept_download(files, key, counted)
    if result is not None:
        files.touch(key)
    return result


def kept_download(files: JobFiles, key: ResultKey, counted: int | None = None) -> DownloadedResult | None:
    """Return the downloaded result as `find_download` does, without counting it as read."""
    cached = files.files.find(key.name)
    result = None if cached is None else _read(cached)
    if result is None:
        return None
    result = replace(result, completeness=result.completeness.by_counters(counted))
    return result if result.completeness.is_whole else None


def _read(cached: CachedFile) -> DownloadedResult | None:
    """Return a downloaded result from the cache; None for a file that another version of this program wrote."""
    stored = _labelled(cached.label)
    return None if stored is None else replace(stored, path=cached.path, use=cached.use)


@lru_cache(LABELS_KEPT)
def _labelled(label: bytes) -> DownloadedResult | None:
    """Return the result with this label, without its path; None for a label of another version of this program.

    A label that the cache keeps is one object, so that its hash is made once.
    """
    file = io.BytesIO(label)
    try:
        stored = json.loads(file.readline())
        sha256, error_groups = str(stored["sha256"]), tuple(map(ErrorGroup.from_json, stored["causes"]))
        completeness, hidden_names = Completeness(**stored["completeness"]), tuple(stored.get("hidden", ()))
        return DownloadedResult(Path(), RowIndex.read(file), sha256, completeness, error_groups, hidden_names)
    except (ValueError, KeyError, TypeError):
        return None


@contextmanager
def new_download(
    files: JobFiles,
    key: ResultKey,
    delimiter: str,
    hidden: HiddenFields = NOTHING_HIDDEN,
) -> Iterator[DownloadWriter]:
    """Download a result; the caller holds its lock. A download that is not finished within the block is removed.

    Args:
        files: the cached files of jobs.
        key: key of the result.
        delimiter: delimiter of the result.
        hidden: the fields whose cells no error group has, of the object of the job.
    """
    cached = files.files.find(key.short_name)
    earlier = None if cached is None else _read(cached)
    with files.files.new_file(key.name) as file:
        yield DownloadWriter(file, delimiter, key.kind, earlier.sha256 if earlier else None, hidden)


def _label(
    index: RowIndex,
    sha256: str,
    completeness: Completeness,
    error_groups: tuple[ErrorGroup, ...],
    hidden_names: tuple[str, ...],
) -> bytes:
    label = io.BytesIO()
    causes = [group.as_json() for group in error_groups]
    stored = {"sha256": sha256, "completeness": asdict(completeness), "causes": causes, "hidden": hidden_names}
    label.write(json.dumps(stored).encode() + b"\n")
    index.write(label)
    return label.getvalue()
