"""What columns stand for, and which columns fail the job."""

from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import MOST_KEPT
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.columns import likely_parents_of, parents_of, possible_parents_of
from tests.validation.checking import PARENTS, as_lines, found
from tests.validation.describing import ACCOUNT, CONTACT, TASK


def test_a_header_in_order_is_not_mentioned() -> None:
    header = ["lastname", "FIRSTNAME", "Account.Ext__c", "Project__r.Code__c", "Email"]
    assert found(CONTACT, "insert", header, parents=PARENTS) == []
    assert found(CONTACT, "update", ["Id", "Email"]) == []
    assert found(CONTACT, "upsert", ["Code__c", "LastName", "Project__c"], key="code__c") == []
    assert found(CONTACT, "delete", ["ID"]) == []
    assert found(TASK, "insert", ["Subject", "Contact:Who.Email"], parents=PARENTS) == []


def test_an_unknown_column_is_an_error_with_the_names_that_may_be_meant() -> None:
    header = ["Name", "BillingCty", "Billing Zip/Postal Code", "Zodiac sign", "Fernsprecher"]
    assert as_lines(found(ACCOUNT, "insert", header)) == snapshot(
        [
            'error BillingCty: Account has no field "BillingCty" that this user can see, which fails the whole job. | Did you mean BillingCity? Set the field in columns, or null there to leave the column out. (1,) x1',
            'error Billing Zip/Postal Code: Account has no field "Billing Zip/Postal Code" that this user can see, which fails the whole job. | Did you mean BillingPostalCode? Set the field in columns, or null there to leave the column out. (1,) x1',
            'error Zodiac sign: Account has no field "Zodiac sign" that this user can see, which fails the whole job. | Set the field in columns, or null there to leave the column out. (1,) x1',
            'error Fernsprecher: Account has no field "Fernsprecher" that this user can see, which fails the whole job. | Set the field in columns, or null there to leave the column out. (1,) x1',
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
            "Account.Parent.Ext__c: A column can go through one relationship, not several; this fails the whole job. | Name a field of Account itself in columns.",
            "Account:Account.Ext__c: Account leads to one object only, and naming it in the column fails the whole job. | Name it Account.Ext__c in columns.",
            'Parent:Account.Ext__c: Account has no relationship "Account", which fails the whole job. | Name it Parent.Ext__c in columns.',
            'Account:Ext__c: Contact has no field "Account:Ext__c" that this user can see, which fails the whole job. | Did you mean Account.Ext__c? Set the field in columns, or null there to leave the column out.',
            'Account.Exxt__c: Account has no field "Exxt__c" that this user can see, which fails the whole job. | Did you mean Ext__c? Set the field in columns, or null there to leave the column out.',
            "Account.Phone: Phone is neither an external id nor a lookup field of Account, which fails the whole job. | Use Id or Ext__c of Account in columns.",
            "Who.Email: Who leads to Contact or Lead, and a column that does not say to which fails the whole job. | Name it Contact:Who.Email in columns, say.",
            "Account:Who.Name: Who leads to Contact or Lead, and a column that does not say to which fails the whole job. | Name it Contact:Who.Name in columns, say.",
            'contact:who.Nothing: Contact has no field "Nothing" that this user can see, which fails the whole job. | Set the field in columns, or null there to leave the column out.',
        ]
    )


def test_a_parent_that_the_org_did_not_describe_is_not_checked() -> None:
    assert found(CONTACT, "update", ["Id", "Account.Whatever"]) == []


def hint(describe: SObjectDescribe, name: str) -> str:
    """What is advised about an unknown column."""
    [finding] = found(describe, "update", ["Id", name], parents=PARENTS)
    return finding.do.removesuffix("Set the field in columns, or null there to leave the column out.").strip()


def test_what_a_name_means_in_words_goes_before_what_it_is_spelled_like() -> None:
    names = ["Surname", "Vorname", "Apellidos", "Last Nme", "Account Erp Key", "Account External ID", "Account Name"]
    assert {name: hint(CONTACT, name) for name in names} == snapshot(
        {
            "Surname": "Did you mean LastName?",
            "Vorname": "Did you mean FirstName?",
            "Apellidos": "Did you mean LastName?",
            "Last Nme": "Did you mean LastName?",
            "Account Erp Key": "Rows say which Account they belong to by its id or external id: AccountId or Account.Ext__c.",
            "Account External ID": "Did you mean Account.Ext__c?",
            "Account Name": "Rows say which Account they belong to by its id or external id: AccountId or Account.Ext__c.",
        }
    )
    assert hint(ACCOUNT, "Surname") == hint(ACCOUNT, "Username") == ""


def test_objects_that_headers_speak_of_are_told_without_those_that_relationship_columns_name() -> None:
    header = ["Account Erp Key", "Project Code", "Last Name", "Code of Project", "Account.Ext__c", "Zodiac sign"]
    assert likely_parents_of(header, CONTACT) == ("Account", "Project__c")
    assert parents_of(header, CONTACT) == ("Account",)


def test_any_parent_is_possible_where_nothing_is_known_of_a_column_and_those_that_rows_need_come_first() -> None:
    assert possible_parents_of(["Last Name", "erp_no"], CONTACT) == ("Project__c", "Account")
    assert possible_parents_of(["Subject", "erp_no"], TASK) == ("Contact", "Lead")
    assert possible_parents_of(["erp_no"], ACCOUNT) == ("Account",)  # its owner is a user
    assert possible_parents_of(["Last Name", "Account Erp Key", "Project__r.Code__c"], CONTACT) == ()


def test_advice_on_names_of_people_and_on_what_a_task_is_about() -> None:
    assert hint(CONTACT, "Full Name") == snapshot(
        "Salesforce makes Name of FirstName and LastName: split whole names into columns for these, or set LastName for it in columns, which takes whole names as last names; null there loses them."
    )
    assert [hint(TASK, name) for name in ("Who", "Contact Name", "Lead Company")] == snapshot(
        [
            "Did you mean WhoId?",
            "Rows say which Contact they belong to by its id or external id: WhoId or Contact:Who.Number__c or Contact:Who.Code__c.",
            "",
        ]
    )
    assert likely_parents_of(["Contact Name", "Lead ID", "Who.Email"], TASK) == ("Contact",)
