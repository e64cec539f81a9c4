"""Ids of ingest jobs, checked for form before any call goes out, and in every answer."""

import re

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.base.text import quoted

JOB_ID_PATTERN = r"^750[0-9A-Za-z]{12}([0-9A-Za-z]{3})?$"
"""The form of a job id: 15 or 18 characters with the key prefix 750 (seen in the Salesforce CLI's flag validation)."""

_JOB_ID = re.compile(JOB_ID_PATTERN.removesuffix("$"), re.ASCII)


def is_job_id(text: str) -> bool:
    """Return whether the text has the form of a job id."""
    return _JOB_ID.fullmatch(text) is not None


def is_same_job(one: str, other: str) -> bool:
    """Return whether two ids, of 15 or 18 characters, are of one job: the last three only encode the case of the others."""
    return one[:15] == other[:15]


def long_job_id(job_id: str) -> str:
    """Return the id with 18 characters, whose last three encode which of the others are capital letters.

    Source: Salesforce help, 15-character and 18-character ids; a character of the suffix for each five characters.
    """
    fives = (job_id[start : start + 5] for start in (0, 5, 10))
    bits = (sum(char.isupper() << place for place, char in enumerate(five)) for five in fives)
    return job_id[:15] + "".join(map(_OF_FIVE.__getitem__, bits))


_OF_FIVE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def shown_job_id(stored: str) -> str:
    """Return a stored id as a part of a sentence; quoted where an earlier version of this program stored another text."""
    return stored if is_job_id(stored) else quoted(stored)


def checked_job_id(given: str) -> str:
    """Return the id as it was given.

    Raises:
        InvalidJobId: this can't be the id of an ingest job. Without this check an empty id would address the list of
            all jobs.
    """
    if not is_job_id(given):
        raise InvalidJobId("This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.")
    return given
