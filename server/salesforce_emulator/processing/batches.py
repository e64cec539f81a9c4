"""How the records of a job are cut: into internal batches, and those into chunks that are saved together."""

from dataclasses import dataclass
from itertools import islice

from salesforce_emulator.processing.csv_reader import CsvReader, Record

CHUNK_RECORDS = 200  # the documented trigger chunk, seen in the counters of real jobs
CHUNK_BYTES = 4_000_000  # assumed: wider records make smaller chunks, so that a chunk is never too much to hold


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


def next_chunk(reader: CsvReader, records_read: int, batch_records: int) -> Chunk | None:
    """What is next in the upload; it does not reach across the end of a batch. None at the end of the upload.

    Args:
        reader: where the next record is.
        records_read: how many records of the job lie before it.
        batch_records: how many records make a batch.
    """
    batch, place = divmod(records_read, batch_records)
    records: list[Record] = []
    ends: list[int] = []
    full = reader.offset + CHUNK_BYTES
    for record in islice(reader.records(), min(CHUNK_RECORDS, batch_records - place)):
        records.append(record)
        ends.append(reader.offset)
        if reader.offset >= full:
            break
    return Chunk(batch, place == 0, records, ends) if records else None
