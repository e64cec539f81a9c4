"""The writes of a chunk: counters, and results in no certain order."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from salesforce_emulator.errors import RowError
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Garbage stays where only the collector of reference cycles would find it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@own
@pytest.mark.usefixtures("no_collector")
def test_failed_rows_are_let_go_with_their_chunk(tmp_path: Path) -> None:
    wrong = "A,many\n" + f"{'x' * 300},1\n" + ",1\n"  # a number, a text, a required field
    with an_org(tmp_path) as org:
        assert org.load("Name,NumberOfEmployees\n" + wrong)["numberRecordsFailed"] == 3
        assert not [held for held in gc.get_objects() if isinstance(held, RowError)]


@doc("Bulk API 2.0 guide, Get Job Successful Record Results: the order is not guaranteed")
@assumed("which order: one of chance within each chunk of 200")
def test_results_come_in_another_order_than_the_upload(org: Caller) -> None:
    names = [f"{number:03}" for number in range(400)]
    job = org.load("Name\n" + "\n".join(names) + "\n")
    result = [row["Name"] for row in org.succeeded(job)]
    assert result != names
    assert sorted(result[:200]) == names[:200]
    assert sorted(result[200:]) == names[200:]


@seen("a live test with half of 10,000 rows bad (salesforcecli/plugin-data)")
def test_one_bad_row_in_ten_leaves_the_job_complete(org: Caller) -> None:
    job = org.load("Name,Site\n" + "".join(f"{'' if n % 10 == 0 else n},one in ten\n" for n in range(1000)))
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1000, 100)
    assert (len(org.succeeded(job)), len(org.errors(job))) == (900, 100)
    assert org.count("Site = 'one in ten'") == 900
