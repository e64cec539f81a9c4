"""Numbers with three digits behind each point: told where the file shows that its decimal mark is the comma, and not else."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.points import PointChecks
from tests.support.orgs import agent, call

INSERT = {"object": "Opportunity", "operation": "insert"}
ROWS = "Name;StageName;CloseDate;Amount\nA;Prospecting;2026-01-31;1.234\nB;Prospecting;2026-02-01;{}\n"


async def told(org_url: str, csv: str, **data: Any) -> list[str]:
    """What is said of points in a dry run of these rows."""
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data={"csv": csv, **data}, dryRun=True)
    return [f"{found['what']} {found['do']}" for found in checked["findings"] if "point in" in found["what"]]


async def test_points_that_may_be_marks_of_thousands_are_told_with_the_formats_that_settle_it(org_url: str) -> None:
    csv = ROWS.format("12.500")
    assert await told(org_url, csv) == snapshot(
        [
            'Each point in Amount has three digits behind it, and is taken for a decimal one: "1.234", "12.500". Ask the user which is meant, and say it with formats: {"Amount": "1.234,5"} for thousands, {"Amount": "1234.5"} for decimals.'
        ]
    )
    for text in ("1.234,5", "1234.5"):
        assert not await told(org_url, csv, formats={"Amount": text})


@pytest.mark.parametrize("cell", ["17", "", "#N/A", "-2.000"])
async def test_numbers_without_points_settle_nothing(cell: str, org_url: str) -> None:
    assert await told(org_url, ROWS.format(cell))


@pytest.mark.parametrize("cell", ["12.5", "0.125", "1234.567", "1.2345"])
async def test_one_number_that_has_decimals_settles_it(cell: str, org_url: str) -> None:
    assert not await told(org_url, ROWS.format(cell))


async def test_a_format_that_is_proposed_for_other_numbers_of_the_column_says_it_already(org_url: str) -> None:
    assert not await told(org_url, ROWS.format("1.234.567,80"))


async def test_three_decimals_alone_are_no_sign(org_url: str) -> None:
    csv = ROWS.format("12.500").replace(";", ",")
    assert not await told(org_url, csv)
    days = csv.replace("2026-01-31", "31.01.2026").replace("2026-02-01", "01.02.2026")
    assert await told(org_url, days)
    assert await told(org_url, days, formats={"CloseDate": "DD.MM.YYYY"})


def test_hidden_cells_are_not_shown() -> None:
    findings = Findings()
    checks = PointChecks({0: "Amount"}, ["Amount"], findings, {"Amount"})
    checks.check(ParsedBlock(1, lambda: range(2, 3), rows=[["1.234"]]))
    checks.finish("SEMICOLON", {})
    [finding] = findings.sorted()
    assert "1.234" not in finding.what
