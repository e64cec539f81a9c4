"""Rows of uploads: cells that are too many, missing, or under a name in another case."""

from pathlib import Path

from inline_snapshot import snapshot

from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.behaviours import assumed, seen
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.processing.loads import names


@seen("a live test of plugin-data: the rest of the job proceeds")
@assumed("code and text")
def test_only_the_rows_with_too_many_cells_fail(org: Caller) -> None:
    job = org.load("Name,Phone\nA,1\nB,2,extra\nC,3\n")
    assert org.errors(job) == snapshot(["INVALID_FIELD:The row has 3 values but the header has 2:--"])
    assert names(org, job) == ["A", "C"]


@assumed("no source shows what a short row does")
def test_missing_cells_are_empty(org: Caller) -> None:
    [row] = org.succeeded(org.load("Name,Phone,Site\nA\n"))
    assert [row["Name"], row["Phone"], row["Site"]] == ["A", "", ""]


def two_spellings(org: Caller) -> tuple[str, str]:
    """What the results hold of a good and of a bad row, under a header whose case is not all the fields'."""
    job = org.load("Name,PHONE,site\nA,1,x\n,2,y\n")
    return org.result(job, "successfulResults").splitlines()[1], org.result(job, "failedResults").splitlines()[1]


@assumed("a known issue of Salesforce says otherwise", switch="differing_header_case")
def test_failed_rows_come_back_whole_whatever_the_case_of_the_header(org: Caller) -> None:
    good, bad = two_spellings(org)
    assert (good.endswith('"A","1","x"'), bad.endswith('"","2","y"')) == (True, True)


@seen("a known issue of Salesforce, a028c00000gAyI4AAK")
@assumed("that it concerns no other result", switch="differing_header_case")
def test_columns_in_another_case_can_come_back_blank_in_failed_results(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(differing_header_case="blanked")) as org:
        good, bad = two_spellings(org)
        assert (good.endswith('"A","1","x"'), bad.endswith('"","",""')) == (True, True)
