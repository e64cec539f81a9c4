"""Cells that stand for no value, by column and word."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import findings_of
from tests.validation.describing import CONTACT, picklist, sobject


def test_words_for_no_value_are_counted_by_column_with_the_values_that_empty_them() -> None:
    content = b'Name,Phone,Site\nA,#N/A,NULL\nB,"#N/A",-\nC,#NV,null\nD,#REF!,N/A\nNULL Inc,1,NULL\n'
    assert findings_of(content, Destination("insert")) == snapshot(
        [
            'warning Phone at 2, 3 (2): Cells are #N/A, so new records have no value there, perhaps not even the field\'s default. If they should get the default, empty them with values: {"Phone": {"#N/A": ""}}.',
            'warning Phone at 4, 5 (2): Cells are no values, and are stored as they are, or fail: #NV (1), #REF! (1). Empty them with values: {"Phone": {"#NV": "", "#REF!": ""}}.',
            'warning Site at 2, 3, 4, 5, 6 (5): Cells are no values, and are stored as they are, or fail: NULL (2), - (1), null (1), N/A (1). Empty them with values: {"Site": {"-": "", "N/A": "", "NULL": "", "null": ""}}.',
        ]
    )


def test_a_key_is_not_cleared_and_the_finding_about_blank_keys_says_what_to_do() -> None:
    content = b"Ext__c,Name\nK-1,#N/A\n#N/A,B\nNULL,C\n"
    assert [finding.split(":")[0] for finding in findings_of(content, Destination("upsert", "Ext__c"))] == snapshot(
        ["warning Ext__c at 3 (1)", "warning Ext__c at 4 (1)", "warning Name at 2 (1)"]
    )


def test_what_is_said_of_such_words_holds_for_the_operation_and_the_field() -> None:
    content = b"LastName,Amount__c,Level__c,Birthdate,Project__c\nA,-,#N/A,NULL,#N/A\nNULL,-,N/A,31.1.2026,-\n"
    of_each = {
        operation: findings_of(content, Destination(operation, describe=CONTACT)) for operation in ("insert", "update")
    }
    assert of_each == snapshot(
        {
            "insert": [
                'warning LastName at 3 (1): Cells are no values, and are stored as they are, or fail: NULL (1). Fill them in, since blank ones fail, too, or leave these rows out: leaveOut {"cells": {"LastName": ["NULL"]}}.',
                'warning Amount__c at 2, 3 (2): Cells are no values, and rows with them fail: - (2). Empty them with values: {"Amount__c": {"-": ""}}.',
                'warning Level__c at 2 (1): Cells are #N/A, so new records have no value there, perhaps not even the field\'s default. If they should get the default, empty them with values: {"Level__c": {"#N/A": ""}}.',
                'warning Level__c at 3 (1): Cells are no values, and rows with them fail: N/A (1). Empty them with values: {"Level__c": {"N/A": ""}}.',
                'warning Birthdate at 2 (1): Cells are no values, and rows with them fail: NULL (1). Empty them with values: {"Birthdate": {"NULL": ""}}.',
                'warning Project__c at 3 (1): Cells are no values, and rows with them fail: - (1). Fill them in, since blank ones fail, too, or leave these rows out: leaveOut {"cells": {"Project__c": ["-"]}}.',
                'warning Birthdate at 3 (1): Birthdate takes dates, and rows with others fail: "31.1.2026". Write dates as 2026-01-31. Or give formats: {"Birthdate": "DD.MM.YYYY"} reads "31.1.2026" as 2026-01-31.',
                'warning Project__c at 2 (1): Project__c is required, and rows without it fail. Fill it in, or leave these rows out: leaveOut {"cells": {"Project__c": ["", "#N/A"]}}.',
            ],
            "update": [
                "warning at 1 (1): There is no column Id, without which every row fails. If a column holds it, name Id for that in columns.",
                'warning LastName at 3 (1): Cells are no values, and are stored as they are, or fail: NULL (1). Empty them with values: {"LastName": {"NULL": ""}}; "#N/A" in place of the empty text clears the field.',
                'warning Amount__c at 2, 3 (2): Cells are no values, and rows with them fail: - (2). Empty them with values: {"Amount__c": {"-": ""}}; "#N/A" in place of the empty text clears the field.',
                'warning Level__c at 2 (1): Cells are #N/A, which clears their field. If the field should stay as it is, empty them with values: {"Level__c": {"#N/A": ""}}.',
                'warning Level__c at 3 (1): Cells are no values, and rows with them fail: N/A (1). Empty them with values: {"Level__c": {"N/A": ""}}; "#N/A" in place of the empty text clears the field.',
                'warning Birthdate at 2 (1): Cells are no values, and rows with them fail: NULL (1). Empty them with values: {"Birthdate": {"NULL": ""}}; "#N/A" in place of the empty text clears the field.',
                'warning Project__c at 2 (1): Cells are #N/A, which clears their field. If the field should stay as it is, empty them with values: {"Project__c": {"#N/A": ""}}.',
                'warning Project__c at 3 (1): Cells are no values, and rows with them fail: - (1). Empty them with values: {"Project__c": {"-": ""}}; "#N/A" in place of the empty text clears the field.',
                'warning Birthdate at 3 (1): Birthdate takes dates, and rows with others fail: "31.1.2026". Write dates as 2026-01-31. Or give formats: {"Birthdate": "DD.MM.YYYY"} reads "31.1.2026" as 2026-01-31.',
            ],
        }
    )


def test_a_value_of_a_picklist_is_no_placeholder() -> None:
    describe = sobject(
        "Ask__c", picklist("Answer__c", "Yes", "N/A"), picklist("Open__c", "None", restrictedPicklist=False)
    )
    destination = Destination("insert", describe=describe)
    assert findings_of(b"Answer__c,Open__c\nN/A,None\nn/a,NONE\nYes,Other\n", destination) == []
    assert [line.split(":")[0] for line in findings_of(b"Answer__c\nNULL\nn/a\n", destination)] == snapshot(
        ["warning Answer__c at 2 (1)"]
    )


def test_a_word_for_no_value_is_told_once_where_a_format_does_not_fit_it() -> None:
    mapping = ColumnMapping(formats={"Birthdate": "DD.MM.YYYY", "Amount__c": "1.234,5", "Active__c": "Ja/Nein"})
    content = b"LastName,Project__c,Birthdate,Amount__c,Active__c\nA,001000000000001AAA,-,N/A,NULL\n"
    found = findings_of(content, Destination("insert", describe=CONTACT), mapping)
    assert [line.split(":")[0] for line in found] == snapshot(
        ["warning Birthdate at 2 (1)", "warning Amount__c at 2 (1)", "warning Active__c at 2 (1)"]
    )


def test_rows_with_such_a_word_for_a_key_are_left_out_by_it() -> None:
    content = b"Code__c,LastName\nNULL,A\n#N/A,B\n"
    assert findings_of(content, Destination("upsert", "Code__c", describe=CONTACT))[1:] == snapshot(
        [
            'warning Code__c at 3 (1): Rows without Code__c fail. Fill it in, or leave these rows out: leaveOut {"cells": {"Code__c": ["", "#N/A"]}}.',
            'warning Code__c at 2 (1): Cells are no values, and are stored as they are, or fail: NULL (1). Fill them in, since blank ones fail, too, or leave these rows out: leaveOut {"cells": {"Code__c": ["NULL"]}}.',
        ]
    )


@pytest.mark.parametrize("cell", ["#5", "Null Island", "n", "#N/A.", " NULL", "--- ", "nano"])
def test_text_that_only_holds_such_a_word_is_a_value(cell: str) -> None:
    assert findings_of(f"Name,Site\nA,{cell}\n".encode(), Destination("insert")) == []
