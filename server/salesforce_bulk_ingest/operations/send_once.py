"""What keeps the rows of loads from going twice, together."""

from dataclasses import dataclass

from salesforce_bulk_ingest.operations.create_once import CreateOnce
from salesforce_bulk_ingest.operations.earlier_loads import EarlierLoads
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.operations.upload_once import Uploads


@dataclass(frozen=True, slots=True)
class SendOnce:
    """What keeps rows from going twice.

    Attributes:
        uploads: sends rows to a job, once.
        creates: makes the jobs of rows, one for all equal calls.
        retries: fetches rows of earlier jobs, each of which is retried once.
        earlier_loads: knows which rows went into earlier jobs.
    """

    uploads: Uploads
    creates: CreateOnce
    retries: Retries
    earlier_loads: EarlierLoads
