"""Conditions of queries: which records they find."""

from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import Caller, an_org_with
from tests.salesforce_emulator.conftest import EXAMPLES
from tests.salesforce_emulator.soql.queries import names, reason_of

CONDITIONS = "SOQL and SOSL reference, conditionExpression Syntax"
COMPARISONS = "SOQL and SOSL reference, Comparison Operators"


@doc(COMPARISONS)
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ALPHA'", ["Alpha"]),
        ("Name > 'alpha' AND Name < 'H'", ["beta", "Gam%ma"]),
        ("AnnualRevenue >= 5", ["Alpha", "beta"]),
        ("AnnualRevenue = 5e0", ["beta"]),
        ("AnnualRevenue <= -7", ["It's"]),
        ("AnnualRevenue = null", ["Gam%ma"]),
        ("Industry != null AND Phone != NULL", ["Alpha", "It's", "a\nb"]),
        ("Name LIKE '%A'", ["Alpha", "beta", "Gam%ma"]),
        ("Name LIKE 'gam\\%%'", ["Gam%ma"]),
        ("Name LIKE '_eta'", ["beta"]),
        ("Name IN ('alpha', 'BETA', 'x')", ["Alpha", "beta"]),
        ("Name NOT IN ('alpha', 'beta')", ["Gam%ma", "It's", "a\nb"]),
        ("Phone IN ('1', null)", ["Alpha", "beta"]),
        ("Name = 'It\\'s'", ["It's"]),
        ("Name = 'a\\nb'", ["a\nb"]),
        ("Name = '\\u0041lpha'", ["Alpha"]),
        ("Id > '001000000000000' AND IsDeleted = false AND Phone < '2'", ["Alpha"]),
    ],
)
def test_a_comparison_finds_what_salesforce_finds(stocked: Caller, where: str, found: list[str]) -> None:
    assert names(stocked, f"WHERE {where}") == found


@doc(COMPARISONS)
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'M\u00dcLLER'", ["M\u00fcller"]),
        ("Name != 'm\u00dcller'", ["Mu", "\u00d6l"]),
        ("Name IN ('M\u00dcLLER', 'MU', null)", ["M\u00fcller", "Mu"]),
        ("Name NOT IN ('M\u00dcLLER')", ["Mu", "\u00d6l"]),
        ("Name LIKE 'm\u00dc%'", ["M\u00fcller"]),
        ("Site = null OR Site = '\u00d6l'", ["M\u00fcller", "Mu", "\u00d6l"]),
        ("Tags__c INCLUDES ('\u00c4')", ["Mu"]),
    ],
)
def test_letters_beyond_ascii_are_compared_in_any_case_too(umlauts: Caller, where: str, found: list[str]) -> None:
    assert names(umlauts, f"WHERE {where}") == found


@pytest.fixture(scope="module")
def umlauts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    schema = "objects: {Account: {fields: {Tags__c: {type: multipicklist, picklist: [x]}}}}"
    with an_org_with(schema, tmp_path_factory.mktemp("umlauts")) as org:
        org.load("Name,Site,Tags__c\nM\u00fcller,,\nMu,\u00f6l,a;\u00e4\n\u00d6l,,\n")
        yield org


@doc(COMPARISONS)
@pytest.mark.parametrize("where", ["Phone != '1'", "Phone <> '1'", "(NOT Phone = '1')", "Phone NOT IN ('1')"])
def test_what_has_no_value_differs_from_every_value(stocked: Caller, where: str) -> None:
    assert names(stocked, f"WHERE {where}") == ["beta", "Gam%ma", "It's", "a\nb"]


@doc(COMPARISONS)
def test_not_finds_exactly_what_its_condition_does_not(stocked: Caller) -> None:
    assert names(stocked, "WHERE NOT AnnualRevenue < 5") == ["Alpha", "beta", "Gam%ma"]


@doc(CONDITIONS)
def test_parentheses_group_conditions(stocked: Caller) -> None:
    where = "WHERE Industry = 'Energy' OR (Phone = '1' AND (NOT (AnnualRevenue = 5 OR AnnualRevenue = null)))"
    assert names(stocked, where) == ["Alpha", "It's", "a\nb"]


@doc("SOQL and SOSL reference, Querying Multi-Select Picklists")
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Tags__c INCLUDES ('a')", ["A", "AB"]),
        ("Tags__c includes ('A;b', 'c')", ["AB", "C"]),
        ("Tags__c EXCLUDES ('a')", ["C", "None"]),
        ("Tags__c = 'a;b'", ["AB"]),
    ],
)
def test_what_is_chosen_can_be_asked_for(tagged: Caller, where: str, found: list[str]) -> None:
    assert names(tagged, f"WHERE {where}", "Note__c") == found


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    schema = "objects: {Note__c: {fields: {Tags__c: {type: multipicklist, picklist: [a, b, c]}}}}"
    with an_org_with(schema, tmp_path_factory.mktemp("tagged")) as org:
        org.load("Name,Tags__c\nA,a\nAB,a;b\nC,c\nNone,\n", "Note__c")
        yield org


Test = Callable[[dict[str, Any]], bool]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


VALUES: dict[str, list[Any]] = {
    "Name": ["Alpha", "beta", "Gam%ma", "it's", "x"],
    "Phone": ["1", "3", "4", None],
    "AnnualRevenue": [1000, 5, -7, 0.5, 2, None],
}


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Test]:
    """A comparison, and how a reader of the guide would understand it."""
    field = draw(st.sampled_from(sorted(VALUES)))
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(VALUES[field]), min_size=1, max_size=3))
        negated = draw(st.booleans())
        folded = [fold(value) for value in chosen]
        text = f"{field} {'NOT ' * negated}IN ({', '.join(map(literal, chosen))})"
        return text, lambda record: (fold(record[field]) in folded) != negated
    value = draw(st.sampled_from(VALUES[field]))
    if value is None or draw(st.booleans()):
        negated = draw(st.booleans())
        text = f"{field} {'!=' if negated else '='} {literal(value)}"
        return text, lambda record: (fold(record[field]) == fold(value)) != negated
    sign = draw(st.sampled_from(sorted(OPERATORS)))
    return (
        f"{field} {sign} {literal(value)}",
        lambda record: record[field] is not None and OPERATORS[sign](fold(record[field]), fold(value)),
    )


def literal(value: str | float | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'").upper() + "'"
    return "null" if value is None else str(value)


def fold(value: str | float | None) -> str | float | None:
    return value.lower() if isinstance(value, str) else value


def groups(parts: st.SearchStrategy[tuple[str, Test]]) -> st.SearchStrategy[tuple[str, Test]]:
    several = st.lists(parts, min_size=2, max_size=4)
    return st.one_of(
        parts.map(lambda part: (f"(NOT ({part[0]}))", lambda record: not part[1](record))),
        several.map(lambda them: (joined(" AND ", them), lambda record: all(test(record) for _, test in them))),
        several.map(lambda them: (joined(" OR ", them), lambda record: any(test(record) for _, test in them))),
    )


def joined(operator: str, parts: list[tuple[str, Test]]) -> str:
    return f"({operator.join(text for text, _ in parts)})"


@doc(CONDITIONS)
@EXAMPLES
@given(st.recursive(comparisons(), groups, max_leaves=12))
def test_nested_conditions_find_what_each_of_their_parts_says(stocked: Caller, condition: tuple[str, Test]) -> None:
    text, test = condition
    records = stocked.query("SELECT Name, Phone, AnnualRevenue FROM Account")["records"]
    assert names(stocked, f"WHERE {text}") == [record["Name"] for record in records if test(record)]


@own
def test_long_and_deep_conditions_are_answered(org: Caller) -> None:
    name = uuid4().hex
    org.load(f"Name\n{name}\n")
    many = " AND ".join([f"Name = '{name}'", *["Fax=null"] * 1000])  # more do not fit into a URI
    assert org.count(many) == 1
    assert org.count("(" * 2000 + f"Name = '{name}'" + ")" * 2000) == 1
    assert org.count("Name IN (" + ", ".join([f"'{name}'"] * 300) + ")") == 1
    deep = f"Name = '{name}'"
    for level in range(20):
        deep = f"(Site = null {'OR' if level % 2 else 'AND'} Fax = null {'OR' if level % 2 else 'AND'} ({deep}))"
    assert org.count(deep) >= 1
    assert reason_of(org, f"SELECT Id FROM Account WHERE NOT (Site = 'x' AND {deep})") == (
        "MALFORMED_QUERY",
        "Conditions are nested more than 20 deep; use fewer parentheses",
    )
