"""Ids of ingest jobs, checked for form before any call goes out."""

import re

from salesforce_bulk_ingest.base.errors import InvalidJobId

JOB_ID_PATTERN = r"^750[0-9A-Za-z]{12}([0-9A-Za-z]{3})?$"
"""The form of a job id: 15 or 18 characters with the key prefix 750 (seen in the Salesforce CLI's flag validation)."""

_JOB_ID = re.compile(JOB_ID_PATTERN.removesuffix("$"), re.ASCII)


def checked_job_id(given: str) -> str:
    """Return the id as it was given.

    Raises:
        InvalidJobId: this can't be the id of an ingest job. Without this check an empty id would address the list of
            all jobs.
    """
    if not _JOB_ID.fullmatch(given):
        raise InvalidJobId("This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.")
    return given
