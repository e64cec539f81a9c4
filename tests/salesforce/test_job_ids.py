"""Job ids: the form is checked, and nothing else."""

import re

import pytest

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.salesforce.job_ids import JOB_ID_PATTERN, checked_job_id, long_job_id

GOOD = ["750XX0000004Ab1", "750XX0000004Ab1QAE", "750XX0000004Ab1YAE", "750000000000000"]
BAD = [
    "", "750", "750XX0000004Ab", "750XX0000004Ab1Q", "750XX0000004Ab1QAEx", "001XX0000004Ab1", "750XX0000004Ab1\n",
    " 750XX0000004Ab1", "750XX0000004Ab/", "750XX0000004A?1", "750XX0000004A\u06631", "750xx0000004ab\u212a", "../../jobs/query",
]  # fmt: skip


@pytest.mark.parametrize("given", GOOD)
def test_an_id_of_the_right_form_passes_unchanged_whatever_its_suffix(given: str) -> None:
    assert checked_job_id(given) == given
    assert re.search(JOB_ID_PATTERN, given)


@pytest.mark.parametrize("given", BAD)
def test_what_can_not_be_an_id_is_refused_without_quoting_it(given: str) -> None:
    with pytest.raises(InvalidJobId) as raised:
        checked_job_id(given)
    assert str(raised.value) == (
        "This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters."
    )
    assert (raised.value.status, raised.value.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "long", ["750XX0000004Ab1YAE", "7505e0000062mPgAAI", "750zZzZzZzZzZzZQKV", "750000000000000AAA"]
)
def test_an_id_of_15_characters_has_the_suffix_that_tells_its_capital_letters(long: str) -> None:
    assert long_job_id(long[:15]) == long_job_id(long) == long
