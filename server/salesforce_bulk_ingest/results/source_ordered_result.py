"""The stored form of a result in source order: a CSV, and a label with the numbers of its rows in the result."""

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from salesforce_bulk_ingest.cache.file_cache import CachedFile


class _Label(BaseModel):
    """The JSON before the row numbers; the aliases are the stored keys, which earlier versions chose."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    made_from: tuple[str, str] = Field(alias="of")
    matched: NonNegativeInt = Field(alias="tied")
    unsure_outcomes: NonNegativeInt = Field(alias="mixed")
    unmatched: NonNegativeInt = Field(alias="untied")
    ambiguous_lines: tuple[NonNegativeInt, ...] = Field(alias="unsure_lines")


@dataclass(frozen=True, slots=True)
class SourceOrderedResult:
    """A result in source order.

    The CSV has the line of the source, the outcome columns of the result, and the columns of the source. The matched rows
    come first, in the order of the source. The other rows follow without a line, and with the cells that Salesforce gave
    back. A matched row has no line either where several lines that differ were uploaded alike.

    Each array has numbers of rows of the result, the first row being row 0.

    Attributes:
        made_from: SHA-256 of the result, and of the upload.
        path: path of the CSV.
        matched: the matched rows, in the order of the CSV.
        unsure_outcomes: the matched rows whose outcome may be that of another one of them; the CSV has no lines for these.
        unmatched: the rows that are like no row of the upload.
        ambiguous: the rows that may be one of several rows of the upload, which differ.
        ambiguous_lines: the first few lines of the source that ambiguous rows may be of.
    """

    made_from: tuple[str, str]
    path: Path
    matched: "array[int]"
    unsure_outcomes: "array[int]"
    unmatched: "array[int]"
    ambiguous: "array[int]"
    ambiguous_lines: tuple[int, ...]

    def label(self) -> bytes:
        """Return the label that `read` takes."""
        label = _Label(
            made_from=self.made_from,
            matched=len(self.matched),
            unsure_outcomes=len(self.unsure_outcomes),
            unmatched=len(self.unmatched),
            ambiguous_lines=self.ambiguous_lines,
        )
        arrays = (self.matched, self.unsure_outcomes, self.unmatched, self.ambiguous)
        return label.model_dump_json().encode() + b"\n" + b"".join(numbers.tobytes() for numbers in arrays)

    @classmethod
    def read(cls, file: CachedFile) -> Self:
        """Read a result in source order from the cache.

        Raises:
            ValueError: the label is not one, or is that of another version of this program.
        """
        stored, _, stored_numbers = file.label.partition(b"\n")
        label, numbers = _Label.model_validate_json(stored), array("Q")
        numbers.frombytes(stored_numbers)
        matched, numbers = numbers[: label.matched], numbers[label.matched :]
        unsure_outcomes, numbers = numbers[: label.unsure_outcomes], numbers[label.unsure_outcomes :]
        unmatched, ambiguous = numbers[: label.unmatched], numbers[label.unmatched :]
        return cls(label.made_from, file.path, matched, unsure_outcomes, unmatched, ambiguous, label.ambiguous_lines)
