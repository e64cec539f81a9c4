"""Checks of a header against the describe and the operation."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.validation.destination import Match
from tests.validation.checking import PARENTS, as_lines, found
from tests.validation.describing import CONTACT, field, sobject


def test_two_ways_to_a_parent_are_a_warning() -> None:
    header = ["Id", "Email", "AccountId", "Account.Ext__c"]
    assert as_lines(found(CONTACT, "update", header, parents=PARENTS)) == snapshot(
        [
            'warning Account.Ext__c: Several columns say which record AccountId leads to: "AccountId", "Account.Ext__c". Rows that fill more than one fail. | Keep one: set null in columns for the others. (1,) x1'
        ]
    )


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_read_only_columns_by_operation(operation: str) -> None:
    later = field("Parent__c", "reference", updateable=False)
    first = field("Once__c", createable=False)
    describe = sobject("Thing__c", *CONTACT.fields[7:9], later, first, field("Key__c", externalId=True))
    header = ["Id", "Score__c", "Number__c", "Parent__c", "Once__c", "Key__c"]
    columns = [each.column for each in found(describe, operation, header, key="Key__c")]
    assert (
        columns
        == {
            "insert": ["Id", "Score__c", "Number__c", "Once__c"],
            "update": ["Score__c", "Number__c", "Parent__c"],
            "upsert": ["Id", "Score__c", "Number__c", "Parent__c", "Once__c"],
        }[operation]
    )


@pytest.mark.parametrize(
    ("match", "told"),
    [
        (
            None,
            [
                "Parent__c can't be changed by this user; rows that fill it fail.",
                "Once__c can't be set by this user; rows that fill it fail.",
                "Thing__c requires Title__c: without a column for it rows that make a new record fail.",
            ],
        ),
        ("updateOnly", ["Parent__c can't be changed by this user; rows that fill it fail."]),
        (
            "createOnly",
            [
                "Once__c can't be set by this user; rows that fill it fail.",
                "Thing__c requires Title__c: without a column for it every row fails.",
            ],
        ),
    ],
)
def test_an_upsert_of_old_or_new_records_alone_is_held_to_what_these_take(match: Match | None, told: list[str]) -> None:
    later = field("Parent__c", "reference", updateable=False)
    first = field("Once__c", createable=False)
    needed = field("Title__c", nillable=False)
    describe = sobject("Thing__c", later, first, needed, field("Key__c", externalId=True))
    header = ["Parent__c", "Once__c", "Key__c"]
    assert [each.what for each in found(describe, "upsert", header, key="Key__c", match=match)] == told


@pytest.mark.parametrize(
    ("match", "may_create", "may_update", "is_told"),
    [
        ("updateOnly", True, False, True),
        ("updateOnly", False, True, False),
        ("createOnly", True, False, False),
        ("createOnly", False, True, True),
        (None, False, True, False),
    ],
)
def test_a_user_needs_the_permission_for_the_rows_that_go(
    match: Match | None, may_create: bool, may_update: bool, is_told: bool
) -> None:
    describe = sobject("Thing__c", field("Key__c", externalId=True))
    describe = describe.model_copy(update={"createable": may_create, "updateable": may_update})
    assert bool(found(describe, "upsert", ["Key__c"], key="Key__c", match=match)) == is_told


def test_why_a_column_is_read_only_is_told() -> None:
    header = ["LastName", "Project__c", "Id", "Score__c", "Number__c", "Name"]
    assert as_lines(found(CONTACT, "insert", header)) == snapshot(
        [
            "warning Id: An insert takes no Id; rows that fill it fail. | Leave it out: set null for it in columns. If it holds ids of another system, set Code__c there. (1,) x1",
            "warning Score__c: Score__c can't be set since it is a formula or a roll-up summary; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
            "warning Number__c: Number__c can't be set since Salesforce numbers it; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
            "warning Name: Name can't be set by this user; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
        ]
    )


def test_a_compound_is_told_as_made_of_other_fields() -> None:
    whole = field("BillingAddress", "address", createable=False, updateable=False)
    part = field("BillingCity", compoundFieldName="BillingAddress")
    header = ["BillingAddress", "BillingCity"]
    street = field("BillingStreet", compoundFieldName="BillingAddress")
    assert as_lines(found(sobject("Account", whole, part), "insert", header)) == snapshot(
        [
            "warning BillingAddress: BillingAddress can't be set since Salesforce makes it of BillingCity; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1"
        ]
    )
    [finding] = found(sobject("Account", whole, part, street), "insert", header)
    assert finding.do == "If it holds streets, set BillingStreet for it in columns; null there leaves it out."


def test_a_name_of_a_person_is_told_as_made_of_its_parts() -> None:
    parts = [field(name, compoundFieldName="Name") for name in ("LastName", "FirstName")]
    whole = field("Name", compoundFieldName="Name", createable=False, updateable=False)
    for operation, done in (("insert", "set"), ("update", "changed")):
        [finding] = found(
            sobject("Contact", *parts, whole), operation, ["Name", "LastName", *["Id"] * (done == "changed")]
        )
        assert finding.what == (
            f"Name can't be {done} since Salesforce makes it of LastName, FirstName; rows that fill it fail."
        )


def test_a_name_that_can_not_be_filled_may_be_a_last_name() -> None:
    [finding, _] = found(CONTACT, "insert", ["Name", "FirstName", "Project__c"])
    assert finding.do == "If it holds last names, set LastName for it in columns; null there leaves it out."


def test_an_insert_without_a_required_column_fails_in_every_row() -> None:
    assert as_lines(found(CONTACT, "insert", ["FirstName"])) == snapshot(
        [
            "warning None: Contact requires LastName, Project__c: without a column for it every row fails. | Add it; or name it in columns for the column that holds it; or give all rows one value with set. (1,) x1"
        ]
    )
    [finding] = found(CONTACT, "upsert", ["Code__c"], key="Code__c")
    assert finding.what == snapshot(
        "Contact requires LastName, Project__c: without a column for it rows that make a new record fail."
    )


def test_a_lookup_is_there_through_its_relationship() -> None:
    assert found(CONTACT, "insert", ["LastName", "Project__r.Code__c"]) == []


def test_a_person_account_needs_a_last_name_and_no_name() -> None:
    name, last = field("Name", nillable=False), field("LastName")
    persons = sobject("Account", name, last, field("IsPersonAccount", "boolean", createable=False, updateable=False))
    assert found(persons, "insert", ["LastName"]) == []
    assert len(found(sobject("Account", name, last), "insert", ["LastName"])) == 1


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("insert", "createable"), ("update", "updateable"), ("delete", "deletable"), ("hardDelete", "deletable")],
)
def test_an_object_that_the_user_may_not_change_is_a_warning(operation: str, permission: str) -> None:
    describe = sobject("Thing__c", field("Name"), **{permission: False})
    header = ["Name"] if operation == "insert" else ["Id"]
    [finding] = found(describe, operation, header)
    assert finding.what == f"This user may not {operation} records of Thing__c: every row fails."


def test_a_delete_takes_the_id_alone() -> None:
    headers = (["Id", "Email", "What?"], ["Contact ID"], ["Id", "ID"])
    findings = [as_lines(found(CONTACT, "delete", header)) for header in headers]
    assert findings == snapshot(
        [
            [
                'error None: A delete takes one column, Id; more fail the whole job: "Email", "What?". | Set only to ["Id"]. (1,) x1'
            ],
            [
                "error None: There is no column Id, the one that a delete takes. | Name Id in columns for the column that holds it, and set null there for the others. (1,) x1"
            ],
            ['error None: A delete takes one column, Id; more fail the whole job: "ID". | Set only to ["Id"]. (1,) x1'],
        ]
    )
    hard = [as_lines(found(CONTACT, "hardDelete", header)) for header in headers]
    assert hard == [
        [line.replace("a delete", "a hardDelete").replace("A delete", "A hardDelete") for line in each]
        for each in findings
    ]


def test_a_key_that_is_missing_or_no_key_is_told() -> None:
    required = ["LastName", "Project__c"]
    findings = [
        *found(CONTACT, "update", ["LastName"]),
        *found(CONTACT, "upsert", required, key="Code__c"),
        *found(CONTACT, "upsert", required, key="Id"),
        *found(CONTACT, "upsert", required, key="FirstName"),
        *found(CONTACT, "upsert", required, key="Cod__c"),
    ]
    assert as_lines(findings) == snapshot(
        [
            "warning None: There is no column Id, without which every row fails. | If a column holds it, name Id for that in columns. (1,) x1",
            "warning None: There is no column Code__c, without which every row fails. | If a column holds it, name Code__c for that in columns. (1,) x1",
            "warning None: There is no column Id, so every row makes a new record. | If a column holds it, name Id for that in columns. (1,) x1",
            'error None: "FirstName" is no external id of Contact, so the job fails. | Make the job with externalIdFieldName Email or Number__c or Code__c or Id. (1,) x1',
            'error None: "Cod__c" is no external id of Contact, so the job fails. | Make the job with externalIdFieldName Email or Number__c or Code__c or Id. (1,) x1',
        ]
    )
