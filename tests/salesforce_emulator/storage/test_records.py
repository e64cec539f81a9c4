"""Records in the database: their serial numbers and their values."""

from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import an_org


@own
def test_two_processes_never_hand_out_the_same_id(tmp_path: Path) -> None:
    with an_org(tmp_path) as first, an_org(tmp_path) as second:
        jobs = [(org, org.submit("Name\n" + "A\n" * 2000)) for _ in range(3) for org in (first, second)]
        ids = [row["sf__Id"] for org, job_id in jobs for row in org.succeeded(org.until(job_id))]
    assert len(set(ids)) == len(ids) == 12_000
