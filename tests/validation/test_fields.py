"""Uploads against describes: which columns, keys and cells are found, and that nothing else is."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import MOST_KEPT, Finding, Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.fields import NO_PARENTS, FieldChecks
from tests.validation.describing import ACCOUNT, CONTACT, TASK, field, picklist, sobject

PROJECT = sobject("Project__c", field("Code__c", externalId=True), field("Name"))
PARENTS = {"Account": ACCOUNT, "Project__c": PROJECT, "Contact": CONTACT}


def found(
    describe: SObjectDescribe,
    operation: str,
    header: Sequence[str],
    *blocks: Sequence[list[str]],
    key: str | None = None,
    parents: Mapping[str, SObjectDescribe] = NO_PARENTS,
) -> list[Finding]:
    """What is found of a header and of rows in blocks; the first row is on line 2."""
    findings = Findings()
    checks = FieldChecks(describe, operation, key, header, findings, parents)
    checks.check_header()
    line = 2
    for rows in blocks:
        lines = range(line, line + len(rows))
        checks.check(ParsedBlock(len(header), lambda lines=lines: lines, rows=list(rows)))  # type: ignore[misc]
        line += len(rows)
    checks.finish()
    return list(findings.sorted())


def told(findings: Sequence[Finding]) -> list[str]:
    """Findings, a line for each."""
    return [f"{each.level} {each.column}: {each.what} | {each.do} {each.lines} x{each.count}" for each in findings]


# Columns.


def test_a_header_in_order_is_not_mentioned() -> None:
    header = ["lastname", "FIRSTNAME", "Account.Ext__c", "Project__r.Code__c", "Email"]
    assert found(CONTACT, "insert", header, parents=PARENTS) == []
    assert found(CONTACT, "update", ["Id", "Email"]) == []
    assert found(CONTACT, "upsert", ["Code__c", "LastName", "Project__c"], key="code__c") == []
    assert found(CONTACT, "delete", ["ID"]) == []
    assert found(TASK, "insert", ["Subject", "Contact:Who.Email"], parents=PARENTS) == []


def test_an_unknown_column_is_an_error_with_the_names_that_may_be_meant() -> None:
    header = ["Name", "BillingCty", "Billing Zip/Postal Code", "Zodiac sign", " "]
    assert told(found(ACCOUNT, "insert", header)) == snapshot(
        [
            'error BillingCty: Account has no field "BillingCty" that this user can see, which fails the whole job. | Did you mean BillingCity or BillingState? Set the field in columns, or null there to leave the column out. (1,) x1',
            'error Billing Zip/Postal Code: Account has no field "Billing Zip/Postal Code" that this user can see, which fails the whole job. | Did you mean BillingPostalCode? Set the field in columns, or null there to leave the column out. (1,) x1',
            'error Zodiac sign: Account has no field "Zodiac sign" that this user can see, which fails the whole job. | Set the field in columns, or null there to leave the column out. (1,) x1',
            "error  : A column has no name, which fails the whole job. | Set the field in columns, or null there to leave the column out. (1,) x1",
        ]
    )


def test_a_name_that_is_very_long_is_cut() -> None:
    [finding] = found(CONTACT, "update", ["Id", "x" * 5000])
    assert len(finding.what) < 200


def test_a_file_of_another_object_is_told_quickly() -> None:
    header = ["Id", *(f"Column {number}" for number in range(5000))]
    findings = found(CONTACT, "update", header)
    assert len(findings) == MOST_KEPT + 1 and sum(finding.count for finding in findings) == 5000


def test_relationship_columns_that_fail_the_job() -> None:
    columns = [
        (CONTACT, "Acount.Ext__c"),
        (CONTACT, "AccountId.Ext__c"),
        (CONTACT, "Project__c.Code__c"),
        (CONTACT, "Zodiac.Ext__c"),
        (CONTACT, "Account.Parent.Ext__c"),
        (CONTACT, "Account:Account.Ext__c"),
        (ACCOUNT, "Parent:Account.Ext__c"),
        (CONTACT, "Account:Ext__c"),
        (CONTACT, "Account.Exxt__c"),
        (CONTACT, "Account.Phone"),
        (TASK, "Who.Email"),
        (TASK, "Account:Who.Name"),
        (TASK, "contact:who.Nothing"),
    ]
    findings = [found(describe, "update", ["Id", column], parents=PARENTS) for describe, column in columns]
    assert all((finding.level, finding.lines) == ("error", (1,)) for [finding] in findings)
    assert [f"{finding.column}: {finding.what} | {finding.do}" for [finding] in findings] == snapshot(
        [
            'Acount.Ext__c: Contact has no relationship "Acount", which fails the whole job. | Did you mean Account.Ext__c? Set the field in columns, or null there to leave the column out.',
            'AccountId.Ext__c: Contact has no relationship "AccountId", which fails the whole job. | Did you mean Account.Ext__c? Set the field in columns, or null there to leave the column out.',
            'Project__c.Code__c: Contact has no relationship "Project__c", which fails the whole job. | Did you mean Project__r.Code__c? Set the field in columns, or null there to leave the column out.',
            'Zodiac.Ext__c: Contact has no relationship "Zodiac", which fails the whole job. | Set the field in columns, or null there to leave the column out.',
            "Account.Parent.Ext__c: A column can go through one relationship, not several; this fails the whole job. | Name a field of Account itself.",
            "Account:Account.Ext__c: Account leads to one object only, and naming it in the column fails the whole job. | Name it Account.Ext__c.",
            'Parent:Account.Ext__c: Account has no relationship "Account", which fails the whole job. | Name it Parent.Ext__c.',
            'Account:Ext__c: Contact has no field "Account:Ext__c" that this user can see, which fails the whole job. | Did you mean AccountId? Set the field in columns, or null there to leave the column out.',
            'Account.Exxt__c: Account has no field "Exxt__c" that this user can see, which fails the whole job. | Did you mean Ext__c? Set the field in columns, or null there to leave the column out.',
            "Account.Phone: Phone is neither an external id nor a lookup field of Account, which fails the whole job. | Use Id or Ext__c of Account.",
            "Who.Email: Who leads to Contact or Lead, and a column that does not say to which fails the whole job. | Name it Contact:Who.Email, say.",
            "Account:Who.Name: Who leads to Contact or Lead, and a column that does not say to which fails the whole job. | Name it Contact:Who.Name, say.",
            'contact:who.Nothing: Contact has no field "Nothing" that this user can see, which fails the whole job. | Set the field in columns, or null there to leave the column out.',
        ]
    )


def test_a_parent_that_the_org_did_not_describe_is_not_checked() -> None:
    assert found(CONTACT, "update", ["Id", "Account.Whatever"]) == []


def test_two_columns_for_one_field_are_an_error_and_two_ways_to_a_parent_a_warning() -> None:
    header = ["Id", "Email", "EMAIL", "AccountId", "Account.Ext__c"]
    assert told(found(CONTACT, "update", header, parents=PARENTS)) == snapshot(
        [
            'error EMAIL: Several columns are Email: "Email", "EMAIL". | Keep one: set null in columns for the others. (1,) x1',
            'warning Account.Ext__c: Several columns say which record AccountId leads to: "AccountId", "Account.Ext__c". Rows that fill more than one fail. | Keep one: set null in columns for the others. (1,) x1',
        ]
    )


# What the operation takes.


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


def test_why_a_column_is_read_only_is_told() -> None:
    header = ["LastName", "Project__c", "Id", "Score__c", "Number__c", "Name"]
    assert told(found(CONTACT, "insert", header)) == snapshot(
        [
            "warning Id: An insert takes no Id; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
            "warning Score__c: Score__c can't be set since it is a formula; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
            "warning Number__c: Number__c can't be set since Salesforce numbers it; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
            "warning Name: Name can't be set by this user; rows that fill it fail. | Leave it out: set null for it in columns. (1,) x1",
        ]
    )


def test_an_insert_without_a_required_column_fails_in_every_row() -> None:
    assert told(found(CONTACT, "insert", ["FirstName"])) == snapshot(
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
    findings = [told(found(CONTACT, "delete", header)) for header in headers]
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
    hard = [told(found(CONTACT, "hardDelete", header)) for header in headers]
    assert hard == [
        [line.replace("a delete", "a hardDelete").replace("A delete", "A hardDelete") for line in each]
        for each in findings
    ]


# Keys.


def checks_of(operation: str, header: Sequence[str], key: str | None = None) -> FieldChecks:
    return FieldChecks(CONTACT, operation, key, header, Findings())


def test_the_key_is_the_id_or_the_external_id_and_an_insert_has_none() -> None:
    assert checks_of("insert", ["Id", "LastName"]).key_index is None
    assert checks_of("update", ["LastName", "ID"]).key_index == 1
    assert checks_of("delete", ["id"]).key_index == 0
    assert checks_of("upsert", ["Id", "CODE__C"], "Code__c").key_index == 1
    assert checks_of("upsert", ["LastName"], "Code__c").key_index is None


def test_keys_are_equal_where_they_name_one_record() -> None:
    same = checks_of("update", ["Id"]).key_form
    assert same("003000000000001") == same("003000000000001AAA") != same("003000000000001aaa"[:14] + "2")
    assert same("00300000000000a") != same("00300000000000A")
    same = checks_of("upsert", ["Email"], "Email").key_form
    assert same("ann@example.com") == same("ANN@example.com")
    same = checks_of("upsert", ["Code__c"], "Code__c").key_form
    assert same("a") != same("A")


def test_a_blank_key_fails_its_row_except_in_an_upsert_by_id() -> None:
    assert checks_of("update", ["Id"]).needs_keys
    assert checks_of("upsert", ["Code__c"], "Code__c").needs_keys
    assert not checks_of("upsert", ["Id"], "Id").needs_keys
    assert not checks_of("insert", ["LastName"]).needs_keys


def test_a_key_that_is_missing_or_no_key_is_told() -> None:
    required = ["LastName", "Project__c"]
    findings = [
        *found(CONTACT, "update", ["LastName"]),
        *found(CONTACT, "upsert", required, key="Code__c"),
        *found(CONTACT, "upsert", required, key="Id"),
        *found(CONTACT, "upsert", required, key="FirstName"),
        *found(CONTACT, "upsert", required, key="Cod__c"),
    ]
    assert told(findings) == snapshot(
        [
            "warning None: There is no column Id, without which every row fails. | If a column holds it, name Id for that in columns. (1,) x1",
            "warning None: There is no column Code__c, without which every row fails. | If a column holds it, name Code__c for that in columns. (1,) x1",
            "warning None: There is no column Id, so every row makes a new record. | If a column holds it, name Id for that in columns. (1,) x1",
            'error None: "FirstName" is no external id of Contact, so the job fails. | Make the job with externalIdFieldName Id or Email or Number__c or Code__c. (1,) x1',
            'error None: "Cod__c" is no external id of Contact, so the job fails. | Make the job with externalIdFieldName Id or Email or Number__c or Code__c. (1,) x1',
        ]
    )


# Cells.


def cells(describe: SObjectDescribe, name: str, *values: str, operation: str = "update") -> list[Finding]:
    record_id = f"{describe.key_prefix}000000000001"
    return found(describe, operation, ["Id", name], [[record_id, value] for value in values])


@pytest.mark.parametrize("name", [each.name for each in CONTACT.fields if each.updateable])
def test_an_empty_cell_and_null_are_never_wrong(name: str) -> None:
    assert cells(CONTACT, name, "", "#N/A", "") == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Level__c", ["Primary", "SECONDARY"], ["Tertiary", "primary ", "None"]),
        ("Languages__c", ["English;german", "German", "English; German", "English;"], ["French", "English;French"]),
        (
            "Amount__c",
            ["1", "-1.5", "+.5", "1.", "1e6", "1.2E-3"],
            ["1,000.5", "$5", "ten", "1 000", "1.2.3", "N/A", "-"],
        ),
        ("Birthdate", ["2026-01-31", "2026-01-31Z"], ["31.01.2026", "1/31/2026", "2026-1-31", "2026-01", "today"]),
        (
            "Seen__c",
            ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123+02:00", "2026-01-31T09:30:00-0800", "2026-01-31"],
            ["2026-01-31 09:30:00", "2026-01-31T09:30", "01/31/2026 9:30 AM"],
        ),
        ("Active__c", ["true", "FALSE", "1", "0"], ["yes", "x", "2"]),
        ("AccountId", ["001000000000001", "001000000000001AAA"], ["001", "Acme", "00100000000000é", "001-00000000001"]),
        ("FirstName", ["x" * 40], ["x" * 41]),
    ],
)
def test_cells_that_a_field_does_not_take_are_found_by_line(name: str, good: list[str], bad: list[str]) -> None:
    assert cells(CONTACT, name, *good) == []
    for value in bad:
        [finding] = cells(CONTACT, name, *good, value, *good)
        assert (finding.level, finding.column, finding.count) == ("warning", name, 1)
        assert finding.lines == (2 + len(good),)
        assert name in finding.what and (name == "FirstName" or f'"{value}"' in finding.what)


def test_the_first_values_and_lines_are_shown_and_all_are_counted() -> None:
    rows = [[f"00300000000000{number}", f"Level {number % 7}"] for number in range(9)]
    assert told(found(CONTACT, "update", ["Id", "Level__c"], rows, rows, [["003000000000001", "x" * 500]])) == snapshot(
        [
            'warning Level__c: Level__c takes only the active values of its picklist, and rows with others fail: "Level 0", "Level 1", "Level 2", "Level 3", "Level 4". | Map them with values: it takes "Primary", "Secondary". (2, 3, 4, 5, 6) x19'
        ]
    )


def test_ids_of_another_object_are_found_where_they_name_the_records() -> None:
    rows = [["003000000000001"], ["001000000000001"], ["003000000000001AAA"]]
    assert told(found(CONTACT, "delete", ["Id"], rows)) == snapshot(
        [
            'warning Id: Id takes record ids, and rows with others fail: "001000000000001". | Write the 15 or 18 letters and digits of an id, which begins with 003 here. (3,) x1'
        ]
    )


def test_a_required_cell_that_is_blank_fails_an_insert_and_no_update() -> None:
    rows = [["Ann", "a01000000000001"], ["", "a01000000000001"], ["#N/A", ""]]
    assert told(found(CONTACT, "insert", ["LastName", "Project__c"], rows)) == snapshot(
        [
            "warning LastName: LastName is required, and rows without it fail. | Fill it in, or leave these rows out. (3, 4) x2",
            "warning Project__c: Project__c is required, and rows without it fail. | Fill it in, or leave these rows out. (4,) x1",
        ]
    )
    assert found(CONTACT, "insert", ["LastName", "Project__r.Code__c"], [["Ann", ""]], parents=PARENTS) != []
    assert found(CONTACT, "update", ["Id", "LastName"], [["003000000000001", ""]]) == []


def test_a_picklist_without_active_values_takes_none() -> None:
    describe = sobject("Thing__c", picklist("Level__c", inactive=("Old",)), keyPrefix="a01")
    [finding] = cells(describe, "Level__c", "Old")
    assert finding.do == "It has no active values: leave it out."


def test_rows_that_are_too_narrow_or_too_wide_are_checked_as_far_as_they_go() -> None:
    rows = [["003000000000001"], ["003000000000001", "Old", "more"], ["003000000000001", "Primary"]]
    [finding] = found(CONTACT, "update", ["Id", "Level__c"], rows)
    assert (finding.lines, finding.count) == ((3,), 1)


def test_cells_of_columns_that_fail_the_job_or_a_delete_are_not_looked_at() -> None:
    assert [each.level for each in found(CONTACT, "update", ["Id", "What"], [["003000000000001", "x"]])] == ["error"]
    findings = found(CONTACT, "delete", ["Id", "Level__c"], [["003000000000001", "None"]])
    assert [each.level for each in findings] == ["error"]


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@given(
    name=st.sampled_from([each.name for each in CONTACT.fields]),
    blocks=st.lists(st.lists(TEXT | st.sampled_from(["1.5", "2026-01-31", "Primary", "true", "#N/A", ""]))),
)
def test_each_wrong_cell_is_counted_once_however_the_rows_are_cut_into_blocks(
    name: str, blocks: list[list[str]]
) -> None:
    def without_newlines(cell: str) -> str:
        return cell.replace("\n", " ")  # a number with a line break is the one thing that may slip through

    rows = [[[without_newlines(cell)] for cell in block] for block in blocks]
    together = found(CONTACT, "update", [name], *rows)
    one_by_one = found(CONTACT, "update", [name], *([row] for block in rows for row in block))
    assert together == one_by_one
