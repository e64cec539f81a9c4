"""The chunks of a job's records that are saved together, each within one of Salesforce's internal batches."""

from dataclasses import dataclass
from itertools import islice

from salesforce_emulator.processing.csv_reader import CsvReader, Record

CHUNK_RECORDS = 200
"""The largest number of records of a chunk (documented for triggers, and seen in the counters of real jobs)."""

CHUNK_BYTES = 4_000_000
"""The size in bytes at which a chunk ends early, so that chunks of wide records fit into memory (assumed)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that are saved and counted together.

    Attributes:
        begins_batch: whether an internal batch begins with the chunk.
        records: the cells of each record.
        ends: the position in the upload after each record, in bytes.
    """

    begins_batch: bool
    records: list[Record]
    ends: list[int]


def next_chunk(reader: CsvReader, records_read: int, batch_records: int) -> Chunk | None:
    """Read the next chunk of the upload, which ends at the latest with its internal batch.

    Args:
        reader: a reader at the position of the next record.
        records_read: the number of the job's records before that position.
        batch_records: the number of records of an internal batch.

    Returns:
        The chunk; None at the end of the upload.
    """
    read_of_batch = records_read % batch_records
    records: list[Record] = []
    ends: list[int] = []
    full = reader.offset + CHUNK_BYTES
    for record in islice(reader.records(), min(CHUNK_RECORDS, batch_records - read_of_batch)):
        records.append(record)
        ends.append(reader.offset)
        if reader.offset >= full:
            break
    return Chunk(read_of_batch == 0, records, ends) if records else None
