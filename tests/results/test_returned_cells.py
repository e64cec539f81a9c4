"""A warning names the columns in which returned cells may not be those that were sent."""

from salesforce_bulk_ingest.results.returned_cells import ReturnedCells


def test_numbers_times_and_blank_columns_are_named() -> None:
    cells = ReturnedCells()
    cells.add(["Acme", "1.5E8", "", "2026-01-31T08:30:00.000Z", "7"])
    cells.add(["", "", "", "", "8"])
    finding = cells.finding("Rows go out.", ["Name", "AnnualRevenue", "Site", "When__c", "Number__c"])
    assert (finding.level, finding.what, finding.count) == ("warning", "Rows go out.", 2)
    assert finding.do == (
        'Compare with the source before they go: numbers or times in "AnnualRevenue", "When__c" and all cells blank in '
        '"Site".'
    )


def test_without_such_columns_none_is_named() -> None:
    cells = ReturnedCells()
    cells.add(["Acme"])
    assert cells.finding("Rows go out.", ["Name"]).do == "Compare with the source."
