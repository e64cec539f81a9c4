"""Checks for keys that are blank or repeated, for a file of any size in constant memory.

As long as each key is above the one before, none is repeated, and the keys are only kept. From the first on that is not,
the hash and the line of each key are stored in buckets, those of the earlier ones, too. What is above a limit goes to a
temporary file. Two different keys with the same hash of 64 bits would be reported as repeated: with a million keys, in one
of some 37 million files.
"""

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from operator import eq
from pathlib import Path
from typing import IO, Literal, Self

from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.base.findings import LINES_KEPT, Fails, FindingKind, Findings
from salesforce_bulk_ingest.base.storage import storage_failure
from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import ID_FIELD
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS, leave_out_blank
from salesforce_bulk_ingest.validation.key_forms import KeyForm, any_form, key_form_by_name, trimmed

BUCKETS = 256
MOST_IN_MEMORY = 250_000
"""The maximum number of keys in memory, which take 4 MB."""
MOST_BYTES_IN_MEMORY = 4_000_000
"""The maximum size in memory of keys that are only kept."""

KEEP_ONE = "Keep one row for each: leave the others out with leaveOut."
UNKNOWN_FORM = (
    "Rows have the {name} of an earlier row, if case and the form of numbers don't count, which is not known without the "
    "describe: the last may win, or they fail."
)
REPEATED = "Rows have the {name} of an earlier row: the last may win, or they fail."
UNIQUE_IN_NEW = "No two records may have the same {name}: rows with that of an earlier row fail."
UNIQUE = "No two records may have the same {name}: rows with that of an earlier row fail, if their record is another."
CORRECT_OR_KEEP_ONE = "Correct them, or keep one row for each: leave the others out with leaveOut."


UniqueIn = Literal["new records", "records"]
"""The records that rows are for: each row is a new one, or several rows may be for the same one."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that identifies the record of each row, or another of which no two records may have the same value.

    Attributes:
        index: the index of the column.
        form: the function that gives all spellings of a record's key the same form; see `key_forms.py`.
        is_needed: whether a row with a blank key fails.
        unique_in: the records among which the values are unique, for a column that does not identify the row's record.
    """

    index: int
    form: KeyForm
    is_needed: bool
    unique_in: UniqueIn | None = None

    @property
    def repeats(self) -> tuple[FindingKind, str, str, Fails | None]:
        """The finding about rows that have the value of an earlier row: its kind, what is wrong, what to do, who fails."""
        if self.unique_in == "new records":
            return "repeated value", UNIQUE_IN_NEW, CORRECT_OR_KEEP_ONE, "these rows"
        if self.unique_in is not None:
            return "repeated value", UNIQUE, CORRECT_OR_KEEP_ONE, None
        return "repeated key", UNKNOWN_FORM if self.form is any_form else REPEATED, KEEP_ONE, None


def key_column(header: Sequence[str], operation: str | None, external_id_field: str | None) -> KeyColumn | None:
    """Return the key column by the job's attributes, without a describe; None for an insert, or if the column is missing."""
    keys = {"update": ID_FIELD, "delete": ID_FIELD, "hardDelete": ID_FIELD, "upsert": external_id_field}
    key = keys.get(operation or "")
    indexes = [index for index, name in enumerate(header) if key and name.lower() == key.lower()]
    if not indexes or not key:
        return None
    is_needed = operation != "upsert" or key.lower() != ID_FIELD.lower()
    return KeyColumn(indexes[0], key_form_by_name(key), is_needed)


class KeyChecks:
    """The checks for blank and repeated keys of one column; a context manager that closes the temporary file of the keys.

    Args:
        column: the key column.
        name: the name of the key column.
        findings: collects what is wrong.
    """

    def __init__(self, column: KeyColumn, name: str, findings: Findings) -> None:
        self._column = column
        self._name = name
        self._findings = findings
        self._keys = _Keys()
        self._failure: StorageFailure | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._keys.close()

    def check(self, block: ParsedBlock) -> None:
        """Check the rows of one block."""
        keys, lines = trimmed(block.column(self._column.index)), block.lines
        if not BLANK_CELLS.isdisjoint(keys):
            blank = [line for key, line in zip(keys, lines, strict=True) if key in BLANK_CELLS]
            self._add_blank(blank)
            filled = [(key, line) for key, line in zip(keys, lines, strict=True) if key not in BLANK_CELLS]
            keys, lines = [key for key, _ in filled], [line for _, line in filled]
        if self._failure is None:
            with self._unless_failed():
                self._keys.add(list(map(self._column.form, keys)), lines)

    @property
    def are_compared(self) -> bool:
        """Whether each key was compared with all others: not where the keys could not be held."""
        return self._failure is None

    def finish(self) -> None:
        """Add the findings for repeated keys; called after the last block of rows."""
        count, lines = 0, list[int]()
        with self._unless_failed():
            count, lines = self._keys.repeated()
        if self._failure is not None:
            what = (
                f"Whether rows have the {as_name(self._name)} of an earlier row was not checked. {self._failure.what}"
            )
            self._findings.add("unchecked keys", "warning", what, self._failure.remedy, column=self._name)
            return
        kind, what, do, fails = self._column.repeats
        self._add(kind, what.format(name=as_name(self._name)), do, lines, count, fails)

    @contextmanager
    def _unless_failed(self) -> Iterator[None]:
        """Note an error of the temporary file in the block; after that, keys are neither held nor compared."""
        try:
            yield
        except OSError as error:
            folder = Path(tempfile.tempdir) if tempfile.tempdir else None
            self._failure = storage_failure("Keys can't be written to a temporary file", error, folder)
            self._keys.close()
            self._keys = _Keys()

    def _add_blank(self, lines: Sequence[int]) -> None:
        if self._column.is_needed:
            what, do = (
                f"Rows without {as_name(self._name)} fail.",
                f"Fill it in, or leave these rows out: {leave_out_blank(self._name)}.",
            )
            self._add("blank key", what, do, lines, len(lines), fails="these rows")

    def _add(
        self, kind: FindingKind, what: str, do: str, lines: Sequence[int], count: int, fails: Fails | None = None
    ) -> None:
        self._findings.add_several(kind, "warning", what, do, lines, count, column=self._name, fails=fails)


class _AscendingKeys:
    """Keys each of which is above the one before, so that none is repeated; they are kept, since later ones may repeat them.

    A longer key is above a shorter one: then ascending numbers ascend as texts, too.
    """

    def __init__(self) -> None:
        self._last: list[str] = []
        self._blocks: list[tuple[int, range]] = []
        self._text = tempfile.SpooledTemporaryFile(MOST_BYTES_IN_MEMORY, prefix="bulk-keys-")

    def add(self, keys: Sequence[str], lines: Sequence[int]) -> bool:
        """Add the keys of one block, with their lines; return False, and add none, if they do not ascend."""
        with_last = [*self._last, *keys]
        # To sort what is sorted takes a third of the time of comparing each two neighbours in their lengths, too.
        is_sorted = sorted(sorted(with_last), key=len) == with_last
        if not is_sorted or any(map(eq, with_last, with_last[1:])) or not isinstance(lines, range):
            return False
        text = "\n".join(keys)
        if text.count("\n") != len(keys) - 1:  # a key has a line break itself
            return False
        self._last = with_last[-1:]
        self._blocks.append((self._text.write(text.encode(errors="surrogatepass")), lines))
        return True

    def blocks(self) -> Iterator[tuple[Sequence[str], range]]:
        """Yield the keys of each block, with their lines."""
        self._text.seek(0)
        for size, lines in self._blocks:
            yield self._text.read(size).decode(errors="surrogatepass").split("\n"), lines

    def close(self) -> None:
        _close(self._text)


class _Keys:
    """The keys of all rows: as they are while they ascend, and then the hash and line of every key, in buckets by hash."""

    def __init__(self) -> None:
        self._ascending: _AscendingKeys | None = _AscendingKeys()
        self._buckets = [array("q") for _ in range(BUCKETS)]
        self._held = 0
        self._spilled: list[list[tuple[int, int]]] = [[] for _ in range(BUCKETS)]
        self._file: IO[bytes] | None = None

    def add(self, keys: Sequence[str], lines: Sequence[int]) -> None:
        if not keys:
            return
        if self._ascending is not None and not self._ascending.add(keys, lines):
            ascending, self._ascending = self._ascending, None
            with closing(ascending):
                for earlier, their_lines in ascending.blocks():
                    self._add_to_buckets(earlier, their_lines)
        if self._ascending is None:
            self._add_to_buckets(keys, lines)

    def repeated(self) -> tuple[int, list[int]]:
        """Return the number of rows that repeat the key of an earlier row, and the lines of the first few of these rows."""
        count, first = 0, list[int]()
        for bucket in range(BUCKETS):
            lines = list(self._repeated_in(bucket))
            count += len(lines)
            first = nsmallest(LINES_KEPT, chain(first, lines))
        return count, first

    def close(self) -> None:
        if self._ascending is not None:
            self._ascending.close()
        if self._file is not None:
            _close(self._file)

    def _add_to_buckets(self, keys: Sequence[str], lines: Sequence[int]) -> None:
        appends = [bucket.append for bucket in self._buckets]
        for number, line in zip(map(hash, keys), lines, strict=True):
            append = appends[number % BUCKETS]
            append(number)
            append(line)
        self._held += len(lines)
        if self._held > MOST_IN_MEMORY:
            self._spill()

    def _repeated_in(self, bucket: int) -> Iterator[int]:
        stored = array("q")
        for piece in self._stored(bucket):
            stored += piece
        numbers, lines = stored[::2], stored[1::2]
        if len(set(numbers)) == len(numbers):  # hardly any file repeats a key
            return
        seen: set[int] = set()
        for number, line in zip(numbers, lines, strict=True):
            if number in seen:
                yield line
            seen.add(number)

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="bulk-keys-")
        for bucket, held in enumerate(self._buckets):
            self._spilled[bucket].append((self._file.tell(), len(held)))
            held.tofile(self._file)
        self._buckets = [array("q") for _ in range(BUCKETS)]
        self._held = 0

    def _stored(self, bucket: int) -> Iterator["array[int]"]:
        for start, count in self._spilled[bucket]:
            assert self._file is not None
            self._file.seek(start)
            stored = array("q")
            stored.fromfile(self._file, count)
            yield stored
        yield self._buckets[bucket]


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # on a full disk, about keys in its buffer that nobody needs any more
        file.close()
