"""Failed rows are grouped by status code, fields and message."""

import json
import re
import tracemalloc
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.results.error_groups import MOST_GROUPS, ErrorGroup, ErrorGrouper

COLUMNS = ("sf__Id", "sf__Error", "Name", "Status__c", "Amount__c", "Account.Ext__c")


def groups_of(errors: Iterable[tuple[str, Sequence[str]]]) -> tuple[ErrorGroup, ...]:
    """The error groups of rows, each row an error and the cells after it."""
    grouper = ErrorGrouper(COLUMNS)
    for error, cells in errors:
        grouper.add(("", error, *cells, *[""] * (len(COLUMNS) - 2 - len(cells))))
    return grouper.groups()


def patterns_of(*errors: str, cells: Sequence[str] = ()) -> list[tuple[int, str]]:
    return [(group.count, group.pattern) for group in groups_of((error, cells) for error in errors)]


def test_a_group_holds_what_it_takes_to_correct_its_rows() -> None:
    bad = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: {}:Status__c --"
    groups = groups_of((bad.format(value), ("Acme", value)) for value in ("Hott", "Cld", "C", "4", "5-6", "a:b"))
    assert [group.as_json() for group in groups] == snapshot(
        [
            {
                "code": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "fields": ["Status__c"],
                "pattern": "bad value for restricted picklist field: {value}",
                "count": 6,
                "examples": [
                    {
                        "offset": 0,
                        "message": "bad value for restricted picklist field: Hott",
                        "values": {"Status__c": "Hott"},
                    },
                    {
                        "offset": 1,
                        "message": "bad value for restricted picklist field: Cld",
                        "values": {"Status__c": "Cld"},
                    },
                    {
                        "offset": 2,
                        "message": "bad value for restricted picklist field: C",
                        "values": {"Status__c": "C"},
                    },
                    {
                        "offset": 3,
                        "message": "bad value for restricted picklist field: 4",
                        "values": {"Status__c": "4"},
                    },
                    {
                        "offset": 4,
                        "message": "bad value for restricted picklist field: 5-6",
                        "values": {"Status__c": "5-6"},
                    },
                ],
                "cells": {"Status__c": ["4", "5-6", "C", "Cld", "Hott", "a:b"]},
            }
        ]
    )
    assert [(group.is_retryable, group.advice) for group in groups] == snapshot(
        [
            (
                False,
                'Translate these cells with values, such as {"Rating": {"H": "Hot"}}, or have an admin add them to the picklist; a record type may offer fewer than the field.',
            )
        ]
    )


# Messages of Salesforce, and where it puts values (API reference, 5.3).
ERRORS = (
    "STRING_TOO_LONG:Account Name: data value too large: <value> (max length=255):Name --",
    "INVALID_TYPE_ON_FIELD_IN_RECORD:Amount: value not of required type: <value>:Name --",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: <value>:Name --",
    "INVALID_EMAIL_ADDRESS:Email: invalid email address: <value>:Name --",
    "INVALID_FIELD:Foreign key external ID: <value> not found for field Ext__c in entity Contact:--",
    "MALFORMED_ID:Account ID: id value of incorrect type: <value>:Name --",
    "DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: <id>:--",
    "DUPLICATE_EXTERNAL_ID:Ext__c: more than one record found for external id field: [<id>, <id>]:--",
    "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or <number> records: <id>,<id>,<id>:--",
    "ENTITY_IS_DELETED:entity <id> is deleted since <date>:--",
    "SOME_NEW_CODE:<email> has been refused <number> times for '<word>', see \"<word>\":--",
    "SOME_NEW_CODE:nobody knows <name> of <number>:Name --",
    "SOME_NEW_CODE:nobody knows <name>:--",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION:<id> is closed:Name --",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION:order <order> is closed:--",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:T: execution of AfterInsert\n\ncaused by: row <row>, id <id>: line 5:--",
)  # fmt: skip

ids = st.from_regex(r"\A(001|003|00Q|500|a0B)[0-9A-Za-z]{2}0000[0-9A-Za-z]{6}([A-Z0-5]{3})?\Z").filter(
    lambda text: re.search("[A-Za-z]", text) is not None
)
words = st.text(st.sampled_from("abcXYZ é漢"), min_size=1, max_size=12).map(str.strip).filter(bool)
values = {
    "value": st.text(st.sampled_from("abcXYZ09 é漢:,'\"@-.{}\n"), min_size=1, max_size=20),
    "id": ids,
    "number": st.integers(0, 10**9).map(str) | st.decimals(-1000, 1000, places=2).map(str),
    "row": st.integers(0, 10**9).map(str),
    "date": st.dates(date(1900, 1, 1)).map(str)
    | st.datetimes(datetime(1900, 1, 1)).map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "email": st.emails(domains=st.just("example.com")).filter(
        lambda text: re.fullmatch(r"[\w.+-]+@[\w.]+", text) is not None
    ),
    "word": words,
    "name": st.from_regex(r"\A[A-Z][a-z]{3,9} (Corp|[0-9]{2,4})\Z"),
    "order": st.from_regex(r"\A[A-Z]{2}-[0-9]{4}\Z"),
}


@st.composite
def rows_of(draw: st.DrawFn, template: str) -> tuple[str, tuple[str, ...]]:
    """A row that fails with this, and its cells: what is quoted stands in Name."""
    chosen: list[str] = []

    def fill(match: re.Match[str]) -> str:
        chosen.append(draw(values[match[1]]))
        return chosen[-1]

    error = re.sub("<([a-z]+)>", fill, template)
    noise = draw(st.sampled_from(["", "record", "Open", "12", "is", "closed", "Europe 7"]))
    return error, (chosen[0] if re.search("<(value|name|order)>", template) else "Acme", noise)


@given(st.data(), st.sampled_from(ERRORS))
def test_rows_that_differ_in_values_only_are_one_group(data: st.DataObject, template: str) -> None:
    rows = data.draw(st.lists(rows_of(template), min_size=2, max_size=8))
    [group] = groups_of(rows)
    assert group.count == len(rows)


@given(st.data(), st.lists(st.sampled_from(ERRORS), min_size=2, max_size=4, unique=True))
def test_messages_that_say_different_things_are_different_groups(data: st.DataObject, templates: list[str]) -> None:
    rows = [data.draw(rows_of(template)) for template in templates]
    assert len(groups_of(rows)) == len(templates)


rule_texts = st.text(st.sampled_from("abc 019'\".%-é"), min_size=1, max_size=30).map(str.strip).filter(bool)


@given(st.lists(rule_texts, min_size=2, max_size=6, unique=True), st.lists(words, max_size=4))
def test_validation_rules_with_different_texts_are_different_groups(texts: list[str], cells: list[str]) -> None:
    assume(not any(cell in text for cell in cells for text in texts if any(c.isdigit() for c in cell)))
    errors = [(f"FIELD_CUSTOM_VALIDATION_EXCEPTION:{text}:Status__c --", cells) for text in texts * 2]
    groups = groups_of(errors)
    assert {group.pattern for group in groups} == set(texts)
    assert {group.count for group in groups} == {2}


def test_rules_that_differ_in_a_number_or_a_quoted_word_are_different_groups() -> None:
    rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION:{}:Amount__c --"
    texts = [
        "Above 100 needs 'A'",
        "Above 200 needs 'A'",
        "Above 200 needs 'B'",
        "Closed Won needs a date",
        "Closed Lost needs a date",
    ]
    groups = groups_of((rule.format(text), (text[:11], "Closed Won", "200")) for text in texts)
    assert {group.pattern for group in groups} == set(texts)


def test_a_word_that_happens_to_stand_in_a_cell_divides_no_group() -> None:
    """Names of objects and fields are values in some other column."""
    error = "SOME_NEW_CODE:the Contact of this record is wrong:--"
    [group] = groups_of([(error, ("Contact",)), (error, ("Acme",)), (error, ("wrong",))])
    assert (group.count, group.pattern) == (3, "the Contact of this record is wrong")


texts_of_rows = st.lists(st.sampled_from(ERRORS).flatmap(rows_of), min_size=1, max_size=4)


@given(st.data(), texts_of_rows)
def test_rows_are_grouped_alike_whether_or_not_a_text_came_before(
    data: st.DataObject, drawn: list[tuple[str, tuple[str, ...]]]
) -> None:
    """White space at the end makes each text another one that says the same."""
    errors, cells = [error for error, _ in drawn], [cells for _, cells in drawn]
    rows = data.draw(st.lists(st.tuples(st.sampled_from(errors), st.sampled_from(cells)), max_size=20))
    assert groups_of(rows) == groups_of((error + " " * count, cells) for count, (error, cells) in enumerate(rows))


@given(st.data(), st.lists(st.sampled_from(ERRORS), min_size=1, max_size=2))
def test_rows_are_grouped_alike_whether_or_not_their_texts_are_known_by_a_template(
    data: st.DataObject, templates: list[str]
) -> None:
    """A different number of spaces at the end makes a text like none before."""
    rows = data.draw(st.lists(st.sampled_from(templates).flatmap(rows_of), max_size=12))
    assert groups_of(rows) == groups_of((error + " " * count, cells) for count, (error, cells) in enumerate(rows))


def test_a_row_whose_cell_is_in_its_message_is_told_from_others_with_the_same_text() -> None:
    error = "SOME_NEW_CODE:nobody knows Oslo:Name --"
    groups = groups_of([(error, ("Rome",)), (error, ("Oslo",)), (error, ("Bonn",)), (error, ("Oslo",))])
    assert [(group.count, group.pattern) for group in groups] == [(2, "nobody knows Oslo"), (2, "nobody knows {value}")]


def test_texts_that_come_again_after_many_others_are_counted_on() -> None:
    rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION:{}:--"
    texts = [rule.format(text) for number in range(3_000) for text in ("always the same", f"Order {number:05}")]
    groups = groups_of((text, (text[-8:-3],)) for text in texts)
    assert [(group.count, group.pattern) for group in groups] == snapshot(
        [(3000, "Order {value}"), (3000, "always the same")]
    )


def test_names_of_fields_are_no_values() -> None:
    error = "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: '{}' of 'Acme'.:--"
    assert patterns_of(*[error.format(name) for name in ("Name", "Other__c")], cells=("Name", "Other__c")) == snapshot(
        [
            (1, "Unable to create/update fields: 'Name' of {value}."),
            (1, "Unable to create/update fields: 'Other__c' of {value}."),
        ]
    )


def test_a_list_of_ids_is_one_placeholder_even_where_the_message_is_cut() -> None:
    ids = ",".join(f"001XX{number:07}DHPFAA" for number in range(1_000))
    error = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or {} records: {}:--"
    assert patterns_of(
        error.format(200, ids), error.format(2, ids[:37] + ","), error.format(9, ids[:18] + "…")
    ) == snapshot([(3, "unable to obtain exclusive access to this record or {number} records: {id}")])


def test_a_field_without_a_column_has_no_value_and_a_relationship_column_is_found_by_either_name() -> None:
    cells = ("Acme", "Open", "1", "E-1")
    errors = [
        "INVALID_FIELD:Foreign key external ID: E-1 not found for field Ext__c in entity Account:--",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:AccountId --",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
        "DUPLICATE_VALUE:duplicate value found: Status__c duplicates value on record with id: <unknown>:--",
    ]
    found = {group.code: group.examples[0].values for group in groups_of((error, cells) for error in errors)}
    assert found == snapshot(
        {
            "DUPLICATE_VALUE": {"Status__c": "Open"},
            "INVALID_CROSS_REFERENCE_KEY": {"Account.Ext__c": "E-1"},
            "INVALID_FIELD": {"Account.Ext__c": "E-1"},
            "REQUIRED_FIELD_MISSING": {},
        }
    )


@pytest.mark.parametrize("order", [1, -1])
def test_groups_as_frequent_as_each_other_come_in_the_order_of_code_fields_and_pattern(order: int) -> None:
    errors = ["B:x:Two --", "B:x:One --", "B:a:One --", "A:x:--"][::order]
    assert [(group.code, group.fields, group.pattern) for group in groups_of((error, ()) for error in errors)] == [
        ("A", (), "x"),
        ("B", ("One",), "a"),
        ("B", ("One",), "x"),
        ("B", ("Two",), "x"),
    ]


def test_errors_beyond_the_limit_of_groups_are_one_group() -> None:
    groups = groups_of((f"CODE_{number}:x:--", ()) for number in range(MOST_GROUPS + 500))
    assert len(groups) == MOST_GROUPS + 1
    assert (groups[0].code, groups[0].pattern, groups[0].count) == ("UNKNOWN", "", 500)
    assert sum(group.count for group in groups) == MOST_GROUPS + 500


@pytest.mark.slow
def test_what_is_kept_is_bounded_whatever_the_org_says() -> None:
    grouper = ErrorGrouper(["sf__Id", "sf__Error", *[f"F{number}__c" for number in range(20)]])
    row = ["v" * 20_000] * 20
    tracemalloc.start()
    for number in range(2_000):
        names = ",".join(f"F{index}__c" for index in range(20))
        grouper.add(["", f"C_{'X' * 5_000}_{number}:{number} {chr(0x6F22) * 20_000}:{names},{'N' * 9_000} --", *row])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 20_000_000
    for group in grouper.groups():
        assert len(json.dumps(group.as_json(), ensure_ascii=False)) < 10_000


@given(st.lists(st.sampled_from(ERRORS).flatmap(rows_of), max_size=8))
def test_a_group_survives_being_stored_as_json(rows: list[tuple[str, tuple[str, ...]]]) -> None:
    groups = groups_of(rows)
    assert tuple(ErrorGroup.from_json(json.loads(json.dumps(group.as_json()))) for group in groups) == groups


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["a", " ", "x@", "'", "1,", "0a", "001000000000001AAA,", "value not of required type: ", "\u6f22"]
)
def test_an_endless_message_is_counted_as_fast_as_another(text: str) -> None:
    """A pattern that looks at each character again and again would take minutes."""
    message = text * (130_000 // len(text))
    for code in ("SOME_NEW_CODE", "FIELD_CUSTOM_VALIDATION_EXCEPTION"):
        [group] = groups_of((f"{code}:{message}:Name --", (message[:60_000], text)) for _ in range(10))
        assert group.count == 10


def test_a_row_that_is_too_short_and_a_result_without_errors_count_for_nothing() -> None:
    grouper = ErrorGrouper(COLUMNS)
    grouper.add(("unbalanced",))
    without = ErrorGrouper(("sf__Id", "sf__Created"))
    without.add(("", "true"))
    assert grouper.groups() == without.groups() == ()
