"""A sketch of the rows of an upload: hashes by which rows that went before are known again, in whatever order they come.

Rows are hashed as they go out, after the mapping, and without what only their writer chose: quotes, carriage returns and
the delimiter. A sketch has the hash of each row while these are few; of more rows it has a sample, which the content of a
row decides alone, so that the samples of two uploads show what the uploads have in common. The size of a sketch is bounded.
"""

import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from salesforce_bulk_ingest.csvio.records import Block

MOST_HASHES = 20_000
"""The most hashes of a sketch, which are at most 0.3 MB; up to so many different rows, counts of known rows are exact."""

POSITIONS = 1_000_003
"""The number of positions over which rows are spread by their Adler-32, which costs a third of a CRC-32. It is a prime, so
that no regularity of the rows leaves some positions empty. A sample has the rows with a position below its limit."""

_HEAD = struct.Struct("<QBI")
_BLANK_LINE = zlib.adler32(b"") << 32


@dataclass(frozen=True, slots=True)
class KnownRows:
    """How many rows of an upload other uploads have, too.

    Attributes:
        count: the number of these rows.
        of: the number of all rows of the upload.
        is_exact: whether the count is exact; if not, it is an estimate from a sample.
    """

    count: int
    of: int
    is_exact: bool

    @property
    def are_half(self) -> bool:
        """Whether at least half of the rows are known."""
        return 0 < self.of <= 2 * self.count

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        return f"{about}{self.count:,} of {self.of:,} rows"


@dataclass(frozen=True, slots=True)
class RowSketch:
    """The hashes of rows, or of a sample of them.

    Attributes:
        rows: the number of rows.
        level: how often the sample was halved; 0 if each row has its hash here.
        hashes: the hash of each row of the sample; equal rows have one.
        counts: the number of rows with each hash.
    """

    rows: int = 0
    level: int = 0
    hashes: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("Q"))

    @classmethod
    def of(cls, rows: int, level: int, counts: Mapping[int, int]) -> Self:
        """Return the sketch with these hashes."""
        return cls(rows, level, array("Q", counts.keys()), array("Q", counts.values()))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Return the sketch that `to_bytes` stored.

        Raises:
            ValueError: it is not whole, or another version of this program stored it.
        """
        try:
            data = zlib.decompress(stored)
            rows, level, size = _HEAD.unpack_from(data)
            numbers = struct.unpack_from(f"<{2 * size}Q", data, _HEAD.size)
        except (zlib.error, struct.error) as error:
            raise ValueError(f"no sketch of rows: {error}") from None
        return cls(rows, level, array("Q", numbers[:size]), array("Q", numbers[size:]))

    def to_bytes(self) -> bytes:
        """Return the sketch as bytes, the same on every machine."""
        size = len(self.hashes)
        numbers = struct.pack(f"<{2 * size}Q", *self.hashes, *self.counts)
        return zlib.compress(_HEAD.pack(self.rows, self.level, size) + numbers, 1)

    def known_in(self, others: Sequence[Self]) -> KnownRows:
        """Return how many of the rows are in the other sketches, each row of these counted once."""
        level = max([self.level, *(other.level for other in others)])
        mine, theirs = self._sample(level), Counter[int]()
        for other in others:
            theirs.update(other._sample(level))
        count, sampled = (mine & theirs).total(), mine.total()
        if level:
            count = round(count / sampled * self.rows) if sampled else 0
        return KnownRows(count, self.rows, not level)

    def without(self, other: Self) -> Self:
        """Return the sketch of the rows that are left when those of the other sketch are taken away."""
        level = max(self.level, other.level)
        left = self._sample(level) - other._sample(level)
        return type(self).of(max(self.rows - other.rows, 0), level, left)

    def together_with(self, other: Self) -> Self:
        """Return the sketch of the rows of both."""
        level = max(self.level, other.level)
        return type(self).of(self.rows + other.rows, level, self._sample(level) + other._sample(level))

    def _sample(self, level: int) -> Counter[int]:
        counts = Counter(dict(zip(self.hashes, self.counts, strict=True)))
        return counts if level == self.level else _sampled(counts, level)


class RowSketcher:
    """Makes the sketch of rows from their bytes, block by block.

    Args:
        delimiter: the delimiter of the rows.
    """

    def __init__(self, delimiter: str) -> None:
        self._is_comma = delimiter == ","
        self._to_comma = bytes.maketrans(delimiter.encode(), b",")
        self._rows = self._level = 0
        self._counts: Counter[int] = Counter()

    def add(self, block: Block, rows: int) -> None:
        """Add rows.

        Args:
            block: the bytes of whole records.
            rows: the number of rows in the block.
        """
        self._rows += rows
        limit, adler32, crc32 = _limit(self._level), zlib.adler32, zlib.crc32
        self._counts.update(
            [
                adler << 32 | crc32(line)
                for line in self._lines(block, rows)
                if (adler := adler32(line)) % POSITIONS < limit
            ]
        )
        while len(self._counts) > MOST_HASHES:
            self._level += 1
            self._counts = _sampled(self._counts, self._level)

    def finish(self) -> RowSketch:
        """Return the sketch of all rows that were added."""
        self._counts.pop(_BLANK_LINE, None)
        return RowSketch.of(self._rows, self._level, self._counts)

    def _lines(self, block: Block, rows: int) -> list[bytes]:
        """Return each row as one line that does not depend on its writer; there may be blank lines between."""
        data = block.data
        lines = block.plain_lines
        if b'"' in data and len(lines) != rows + (not lines[-1]):
            data = _with_rows_on_one_line(data)
        elif self._is_comma:
            return lines
        return data.translate(self._to_comma, b'"\r').split(b"\n")


def _limit(level: int) -> int:
    return POSITIONS >> level


def _sampled(counts: Mapping[int, int], level: int) -> Counter[int]:
    limit = _limit(level)
    return Counter({value: count for value, count in counts.items() if (value >> 32) % POSITIONS < limit})


def _with_rows_on_one_line(data: bytes) -> bytes:
    """Return the records with a space for each line feed inside quotes."""
    pieces = data.split(b'"')
    # Every second piece is inside quotes. Joined, these pieces are changed by one call, however many they are.
    pieces[1::2] = b'"'.join(pieces[1::2]).replace(b"\n", b" ").split(b'"')
    return b'"'.join(pieces)
