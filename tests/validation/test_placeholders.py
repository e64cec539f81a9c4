"""Cells that stand for no value, by column and word."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import findings_of


def test_words_for_no_value_are_counted_by_column_with_the_values_that_empty_them() -> None:
    content = b'Name,Phone,Site\nA,#N/A,NULL\nB,"#N/A",-\nC,#NV,null\nD,#REF!,N/A\nNULL Inc,1,NULL\n'
    assert findings_of(content, Destination("insert")) == snapshot(
        [
            'warning Phone at 2, 3 (2): Cells are #N/A, which clears their field. If the field should stay as it is, empty them with values: {"Phone": {"#N/A": ""}}.',
            'warning Phone at 4, 5 (2): Cells are no values, and are stored as they are, or fail: #NV (1), #REF! (1). Empty them with values: {"Phone": {"#NV": "", "#REF!": ""}}; "#N/A" in place of the empty text clears the field.',
            'warning Site at 2, 3, 4, 5, 6 (5): Cells are no values, and are stored as they are, or fail: NULL (2), - (1), null (1), N/A (1). Empty them with values: {"Site": {"-": "", "N/A": "", "NULL": "", "null": ""}}; "#N/A" in place of the empty text clears the field.',
        ]
    )


def test_a_key_is_not_cleared_and_the_finding_about_blank_keys_says_what_to_do() -> None:
    content = b"Ext__c,Name\nK-1,#N/A\n#N/A,B\nNULL,C\n"
    assert [finding.split(":")[0] for finding in findings_of(content, Destination("upsert", "Ext__c"))] == snapshot(
        ["warning Ext__c at 3 (1)", "warning Ext__c at 4 (1)", "warning Name at 2 (1)"]
    )


@pytest.mark.parametrize("cell", ["#5", "Null Island", "n", "#N/A.", " NULL", "--- ", "nano"])
def test_text_that_only_holds_such_a_word_is_a_value(cell: str) -> None:
    assert findings_of(f"Name,Site\nA,{cell}\n".encode(), Destination("insert")) == []
