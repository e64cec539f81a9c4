"""Bringing what this machine keeps of an org under the key of the org, before anything of it is looked up."""

import logging

from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.salesforce.org import Org

logger = logging.getLogger(__name__)


async def settle(org: Org, ledger: Ledger, job_files: JobFiles | None) -> Org:
    """Bring records and cached files under the key of the org; return the org as the ledger knows it."""
    known = await ledger.settle(org)
    if job_files is not None:
        try:
            await run_in_thread(job_files.adopt, known)
        except OSError as error:
            logger.warning("what is kept of %s by its host name can't be moved: %s", known, error)
    return known
