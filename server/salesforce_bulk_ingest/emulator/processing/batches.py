"""How the records of a job are cut: into internal batches, and those into chunks that are saved together."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .csvfile import CsvReader, Record

CHUNK_RECORDS = 200  # the documented trigger chunk, seen in the counters of real jobs


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that are saved and counted together.

    Attributes:
        batch: the number of the internal batch that they are of; the first of a job is 0.
        begins_batch: whether the batch begins with them.
        records: their cells.
        ends: for each of them the byte after it, in the upload.
    """

    batch: int
    begins_batch: bool
    records: list[Record]
    ends: list[int]


def chunks(reader: CsvReader, records_read: int, batch_records: int) -> Iterator[Chunk]:
    """Cut what follows in the upload; no chunk reaches across the end of a batch.

    Args:
        reader: where the next record is.
        records_read: how many records of the job lie before it.
        batch_records: how many records make a batch.
    """
    pairs = ((record, reader.offset) for record in reader.records())
    while True:
        batch, place = divmod(records_read, batch_records)
        taken = list(islice(pairs, min(CHUNK_RECORDS, batch_records - place)))
        if not taken:
            return
        records_read += len(taken)
        yield Chunk(batch, place == 0, [record for record, _ in taken], [end for _, end in taken])
