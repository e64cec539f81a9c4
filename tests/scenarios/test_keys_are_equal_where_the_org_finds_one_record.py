"""Two keys are equal for the checks before an upload if, and only if, the org finds the same record by them."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.key_forms import any_form, forms_of
from tests.salesforce_emulator.caller import DATA, Caller, an_org_with, csv_text

SCHEMA = """
objects:
  Part__c:
    fields:
      Unique__c: {type: string, externalId: true, unique: true}
      Cased__c: {type: string, externalId: true, unique: true, caseSensitive: true}
      Plain__c: {type: string, externalId: true}
      Number__c: {type: double, precision: 18, scale: 2, externalId: true, unique: true}
      Mail__c: {type: email, externalId: true, unique: true}
      PlainMail__c: {type: email, externalId: true}
"""

# Spaces that are taken away and such that are not, letters whose lower case is another text, and signs of numbers.
texts = st.text("aAK1.0 \t\u00a0\u3000\u00e9\u00c9\u0131\u0130\u00df-", max_size=4) | st.sampled_from(
    ["#N/A", " #N/A", "#n/a"]
)
numbers = st.sampled_from(["7", "7.0", "007", " 7 ", "+7", "70e-1", "-7", "0", "-0", "0.00", ".5", "0.5", "", "#N/A"])
mails = st.sampled_from(["Ann@Example.com", "ann@example.com ", "ANN@example.com", "ben@example.com", " "])
KEYS = {
    "Unique__c": texts,
    "Cased__c": texts,
    "Plain__c": texts,
    "Number__c": numbers,
    "Mail__c": mails,
    "PlainMail__c": mails,
}
keys_of_a_field = st.sampled_from(sorted(KEYS)).flatmap(
    lambda field: st.tuples(st.just(field), st.lists(KEYS[field], min_size=1, max_size=12))
)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with an_org_with(SCHEMA, tmp_path_factory.mktemp("keys")) as caller:
        yield caller


@pytest.fixture(scope="module")
def part(org: Caller) -> SObjectDescribe:
    """The describe of the object with the keys."""
    return SObjectDescribe.model_validate(org.http.get(f"{DATA}/sobjects/Part__c/describe").json())


@settings(deadline=None, derandomize=True, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(example=keys_of_a_field)
def test_keys_have_one_form_where_the_org_finds_one_record_by_them(
    org: Caller, part: SObjectDescribe, example: tuple[str, list[str]]
) -> None:
    name, cells = example
    forms = list(forms_of(LoadTarget.of(part, "upsert", name).key_form, cells))
    records, errors = dict[int, str](), dict[int, str]()
    for order in (range(len(cells)), reversed(range(len(cells)))):
        rows = [["Name", name], *([str(number), cells[number]] for number in order)]
        job = org.load(csv_text(rows), "Part__c", "upsert", externalIdFieldName=name)
        records |= {int(row["Name"]): row["sf__Id"] for row in org.succeeded(job)}
        errors |= {int(row["Name"]): row["sf__Error"] for row in org.rows(job, "failedResults")}
    blank = {number for number, error in errors.items() if "not specified" in error}
    assert blank == {number for number, form in enumerate(forms) if not form}
    # Of the rows of one key the first alone is taken, here the first and the last of them.
    for number, form in enumerate(forms):
        same = [other for other, its in enumerate(forms) if its == form]
        assert (number in records) == (bool(form) and number in (same[0], same[-1])), (cells, errors)
        assert all(records[other] == records[number] for other in same if {number, other} <= records.keys())
    assert len(set(records.values())) == len(set(forms) - {""})


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(one=texts | numbers | mails, other=texts | numbers | mails)
def test_keys_that_any_field_takes_for_equal_are_equal_where_the_field_is_not_known(
    part: SObjectDescribe, one: str, other: str
) -> None:
    known = [LoadTarget.of(part, "upsert", name).key_form for name in KEYS]
    if any(len(set(forms_of(form, [one, other]))) == 1 for form in known):
        assert len(set(forms_of(any_form, [one, other]))) == 1
