"""The file of rows to retry: a CSV, and a label with the origin of each row."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.file_use import FileUse
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.sources import RowSource

NOTHING_SHARED: Mapping[str, Sequence[int]] = MappingProxyType({})
UNREADABLE = "Rows to send again can't be read"


@dataclass(frozen=True, slots=True)
class RetryOrigin:
    """The origin of consecutive rows of a retry file.

    Attributes:
        from_job: id of the job.
        result: kind of the result of the job.
        sha256: SHA-256 of the result.
        row_numbers: for each row, its number in the result, the first row being row 0.
    """

    from_job: str
    result: str
    sha256: str
    row_numbers: "array[int]"

    def bits(self, rows: Sequence[int]) -> int:
        """Return the numbers of some rows in the result as the bits of an integer: the lowest bit stands for row 0.

        Args:
            rows: the indexes of the rows among the consecutive ones.
        """
        bits = bytearray(max(self.row_numbers, default=0) // 8 + 1)
        for number in map(self.row_numbers.__getitem__, rows):
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")


class _StoredOrigin(BaseModel):
    from_job: str
    result: str
    sha256: str
    rows: NonNegativeInt


class _Label(BaseModel):
    """The JSON before the row numbers; the alias is the stored key, which earlier versions chose."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    origins: tuple[_StoredOrigin, ...] = Field(alias="taken")
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _RetryRows:
    """The rows of a retry file as a source, whose version does not change with the times that each call for it sets."""

    path: Path
    use: FileUse | None = field(default=None, compare=False, repr=False)
    has_lines: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    def open(self, dialect: Dialect) -> BinaryIO:
        with storage_failures(UNREADABLE, self.path):
            return self.path.open("rb")

    def version(self) -> object:
        with storage_failures(UNREADABLE, self.path):
            found = self.path.stat()
        return str(self.path), found.st_dev, found.st_ino, found.st_size


Effects = Callable[[Sequence[int]], Sequence[Finding]]


def _no_effects(rows: Sequence[int]) -> Sequence[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class RetryFile:
    """Rows to retry.

    Attributes:
        path: path of the CSV.
        origins: origins of the rows, in the order of the rows.
        notes: findings about the rows.
        use: keeps the file in the cache.
        shared: for rows that undo jobs, by the id of a job: the numbers, from 0, of the rows that undo it and are those of a
            newer job, since they give back what the older one changed, too.
        effects: returns what rows do to records that are there, given their numbers in the file, from 0, in their order;
            nothing for rows that only go again.
        differing: for rows to look at, since nothing is left to undo: the ids of the records that do not hold what they
            held, by the number of their row, from 0; None for rows to send.

    None of the last three is in the label: a file that gives records back what they held is made for each call, and one of
    the ids of created records is given its effects whenever it is found.
    """

    path: Path
    origins: tuple[RetryOrigin, ...]
    notes: tuple[Finding, ...]
    use: FileUse | None = field(default=None, compare=False, repr=False)
    shared: Mapping[str, Sequence[int]] = field(default_factory=lambda: NOTHING_SHARED)
    effects: Effects = field(default=_no_effects, compare=False, repr=False)
    differing: Mapping[int, str] | None = None

    @classmethod
    def finish(
        cls,
        file: NewFile,
        origins: Sequence[RetryOrigin],
        notes: Sequence[Finding],
        shared: Mapping[str, Sequence[int]] = NOTHING_SHARED,
        effects: Effects = _no_effects,
    ) -> Self:
        """Finish a new file of the cache in which the rows are written, with its label.

        Raises:
            OSError: the file can't be written.
        """
        made = cls(file.path, tuple(origins), tuple(notes), shared=shared, effects=effects)
        return replace(made, use=file.finish(made.label()).use)

    @property
    def source(self) -> RowSource:
        """The rows as a source of a load."""
        return _RetryRows(self.path, self.use)

    def by_origin(self, rows: Sequence[int]) -> Iterator[tuple[RetryOrigin, Sequence[int]]]:
        """Yield each origin with those of some rows that are its, by their index among its own.

        Args:
            rows: the numbers of rows of the file, from 0, in their order.
        """
        start = 0
        for origin in self.origins:
            end = start + len(origin.row_numbers)
            yield origin, array("Q", (row - start for row in rows[bisect_left(rows, start) : bisect_left(rows, end)]))
            start = end

    def label(self) -> bytes:
        """Return the label that `read` takes."""
        stored = tuple(
            _StoredOrigin(
                from_job=origin.from_job, result=origin.result, sha256=origin.sha256, rows=len(origin.row_numbers)
            )
            for origin in self.origins
        )
        label = _Label(origins=stored, notes=self.notes)
        numbers = b"".join(origin.row_numbers.tobytes() for origin in self.origins)
        return label.model_dump_json().encode() + b"\n" + numbers

    @classmethod
    def read(cls, file: CachedFile) -> Self:
        """Read a retry file from the cache.

        Raises:
            ValueError: the label is not that of a retry file, or another version of this program wrote it.
        """
        stored, _, stored_numbers = file.label.partition(b"\n")
        label, numbers = _Label.model_validate_json(stored), array("Q")
        numbers.frombytes(stored_numbers)
        origins, start = list[RetryOrigin](), 0
        for origin in label.origins:
            row_numbers = numbers[start : start + origin.rows]
            origins.append(RetryOrigin(origin.from_job, origin.result, origin.sha256, row_numbers))
            start += origin.rows
        return cls(file.path, tuple(origins), label.notes, file.use)
