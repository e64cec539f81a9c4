"""The schema file: mistakes, each told in one line with its place."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.org import Org
from salesforce_emulator.schema.schema_file import SchemaError
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.schema.schemas import refused


@own
@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            "objects: [",
            snapshot(
                "The schema file <folder>/schema.yaml, line 1, character 11: a bracket is opened and never closed; close it"
            ),
        ),
        (
            "- a",
            snapshot(
                "<folder>/schema.yaml, line 1, the whole: write names with their settings here, as in name: {...}"
            ),
        ),
        (
            "object: {}",
            snapshot(
                "<folder>/schema.yaml, line 1, object: there is no such setting; leave it out or correct its name"
            ),
        ),
        (
            "objects:\n  Invoice: {}",
            snapshot(
                "<folder>/schema.yaml, line 2, objects.Invoice: Invoice is no object of this org; a custom object's name ends in __c, the others are Account, Asset, Calendar, Campaign, CampaignMember, Case, Contact, Event, Group, Individual, Lead, Opportunity, Organization, Product2, Profile, RecordType, Task, User, UserPermissionAccess"
            ),
        ),
        (
            "objects:\n  Account:\n    label: Client",
            snapshot(
                "<folder>/schema.yaml, line 2, objects.Account: Account is a standard object, whose label can't be changed"
            ),
        ),
        (
            "objects:\n  A__c: {}\n  a__C: {}",
            snapshot("<folder>/schema.yaml, line 3, objects.a__C: A__c is there twice"),
        ),
        (
            "objects:\n  Account:\n    fields: {}\n    rules: []\n    fields: {}",
            snapshot("The schema file <folder>/schema.yaml, line 5: fields stands there twice; keep one of them"),
        ),
        (
            "objects:\n  A__c: {}\n  Account: {}\n  A__c: {}",
            snapshot("The schema file <folder>/schema.yaml, line 4: A__c stands there twice; keep one of them"),
        ),
        (
            "objects:\n\tA__c: {}",
            snapshot(
                "The schema file <folder>/schema.yaml, line 2, character 1: nothing can begin with this character; indent with spaces, or put the text in quotes"
            ),
        ),
        (
            "objects:\n  A__c: {label: a: b}",
            snapshot(
                "The schema file <folder>/schema.yaml, line 2, character 18: a comma or a closing bracket is missing before this; add it"
            ),
        ),
        (
            "objects:\n  A__c:\n    label: 'it",
            snapshot(
                "The schema file <folder>/schema.yaml, line 3, character 15: a quote is opened and never closed; close it"
            ),
        ),
        (
            "objects:\n  A__c:\n   fields: {}\n  label: x\n rules: []",
            snapshot(
                "The schema file <folder>/schema.yaml, line 5, character 2: this does not line up with what is above; correct the indentation"
            ),
        ),
        (
            "objects:\n  A__c: {label: \0}",
            snapshot(
                "The schema file <folder>/schema.yaml, line 2: a character that can't be seen stands there; take it out"
            ),
        ),
        (
            "--- {}\n--- {}",
            snapshot(
                "The schema file <folder>/schema.yaml, line 2, character 1: a second document begins here; leave it out"
            ),
        ),
        (
            "objects:\n  A__c\n  B__c: {}",
            snapshot(
                "The schema file <folder>/schema.yaml, line 3, character 7: a colon stands where no name can end; quote text that holds one, or add one above"
            ),
        ),
        (
            "objects: " + "[" * 1000,
            snapshot("The schema file <folder>/schema.yaml: this is nested too deep to be read; take brackets out"),
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_line_with_its_place(tmp_path: Path, schema: str, message: str) -> None:
    assert refused(tmp_path, schema) == message


@own
@pytest.mark.parametrize(
    ("schema", "character"),
    [
        ("objects: {A__c: {fields: {B__c: {type: date, default: 2025-02-30}}}}", 55),
        ("objects: {A__c: {label: *a}}", 25),
    ],
    ids=["no such day", "no such alias"],
)
def test_a_mistake_that_only_the_parser_has_words_for_is_told_with_its_place_and_what_to_do(
    tmp_path: Path, schema: str, character: int
) -> None:
    told = refused(tmp_path, schema)
    assert told.startswith(f"The schema file <folder>/schema.yaml, line 1, character {character}: ")
    assert told.endswith("; correct it, or put the text in quotes")


@own
@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            "Erp_Id: {type: string}",
            snapshot(
                "Erp_Id: 'Erp_Id' is no name of a custom field; use letters, digits and single _, and end it in __c"
            ),
        ),
        ("Name__c:", snapshot("Name__c: write names with their settings here, as in name: {...}")),
        (
            "Name__c: {type: text}",
            snapshot(
                "Name__c.type: use 'string', 'textarea', 'boolean', 'int', 'double', 'currency', 'percent', 'date', 'datetime', 'time', 'email', 'phone', 'url', 'picklist', 'multipicklist', 'reference', 'encryptedstring', 'autonumber' or 'location'"
            ),
        ),
        (
            "Name__c: {type: string, len: 5}",
            snapshot("Name__c.len: there is no such setting; leave it out or correct its name"),
        ),
        ("Name__c: {type: string, length: 256}", snapshot("Name__c: a string has at most 255 characters")),
        (
            "Name__c: {type: boolean, length: 5}",
            snapshot("Name__c: only string, textarea, encryptedstring have a length to set; leave it out of a boolean"),
        ),
        (
            "Name__c: {type: string, format: 'A-{0}'}",
            snapshot("Name__c: only an autonumber has a format; leave it out of a string"),
        ),
        (
            "Name__c: {type: autonumber, format: A-1}",
            snapshot("Name__c: a format has its digits in braces once, as in INV-{0000}"),
        ),
        (
            "Name__c: {type: autonumber, unique: true}",
            snapshot("Name__c: an auto-number is unique by itself; leave unique out"),
        ),
        (
            "Name__c: {type: location, required: true}",
            snapshot("Name__c: no row can set a field of type location; leave required out"),
        ),
        ("Name__c: {type: int, default: 1.5}", snapshot("Name__c: the default does not fit: use a whole number")),
        (
            "Name__c: {type: int, length: 5}",
            "Name__c: only string, textarea, encryptedstring have a length to set; leave it out of an int",
        ),
        ("Name__c: {type: time, default: noon}", snapshot("Name__c: the default does not fit: a time can't have one")),
        (
            "a__b__c__c: {type: string}",
            snapshot(
                "a__b__c__c: 'a__b__c__c' is no name of a custom field; use letters, digits and single _, and end it in __c"
            ),
        ),
        ("Name__c: {type: string, required: 1}", snapshot("Name__c.required: use true or false")),
        (
            "Name__c: {type: boolean, required: true}",
            snapshot("Name__c: a boolean always has a value; leave required out"),
        ),
        ("Name__c: {type: double, default: .inf}", snapshot("Name__c: the default does not fit: use a number")),
        ("Name__c: {type: percent, default: .nan}", snapshot("Name__c: the default does not fit: use a number")),
        ("Name__c: {type: boolean, default: 5}", snapshot("Name__c: the default does not fit: use true or false")),
        (
            "Name__c: {type: date, default: soon}",
            snapshot("Name__c: the default does not fit: use a day, as in 2025-01-31"),
        ),
        (
            "Name__c: {type: double, precision: 3, scale: 4}",
            snapshot("Name__c: scale, the digits after the point, can't be more than precision, all digits"),
        ),
        ("Name__c: {type: double, precision: 30}", snapshot("Name__c.precision: use 18 or less")),
        ("Name__c: {type: double, precision: 0}", snapshot("Name__c.precision: use 1 or more")),
        ("Name__c: {type: double, precision: many}", snapshot("Name__c.precision: write a whole number")),
        (
            "Name__c: {type: string, scale: 4}",
            snapshot("Name__c: only currency, double, percent have precision and scale; leave them out of a string"),
        ),
        (
            "Name__c: {type: reference, referenceTo: 5}",
            snapshot("Name__c.referenceTo: write a list here, as in [A, B]"),
        ),
        (
            "Name__c: {type: picklist, picklist: [Yes, No]}",
            snapshot(
                "Name__c.picklist.0: write text here, in quotes if it looks like something else, as yes, no and numbers do"
            ),
        ),
        (
            "Name__c: {type: date, unique: true}",
            snapshot("Name__c: only string, email, double, autonumber can be externalId or unique, not date"),
        ),
        (
            "Name__c: {type: string, externalId: true, caseSensitive: true}",
            "Name__c: only a string that is unique can be caseSensitive",
        ),
        (
            "Name__c: {type: string, unique: true, externalId: true, default: X1}",
            "Name__c: a unique field can't have a default, for two records would hold it; leave one of the two out",
        ),
        (
            "Name__c: {type: picklist}",
            snapshot("Name__c: a picklist needs its values, as in picklist: [A, B], and only a picklist has them"),
        ),
        ("Name__c: {type: string, restricted: true}", snapshot("Name__c: only a picklist can be restricted")),
        (
            "Name__c: {type: picklist, picklist: [a], restricted: true, default: b}",
            snapshot("Name__c: the default does not fit: use one of a"),
        ),
        (
            "Name__c: {type: reference}",
            snapshot(
                "Name__c: a reference needs the object it leads to, as in referenceTo: Account, and only a reference has one"
            ),
        ),
        (
            "Name__c: {type: reference, referenceTo: Nope}",
            snapshot(
                "Name__c.referenceTo: there is no object Nope; use one of Account, Asset, Calendar, Campaign, CampaignMember, Case, Contact, Event, Group, Individual, Lead, Opportunity, Organization, Product2, Profile, RecordType, Task, User, UserPermissionAccess"
            ),
        ),
        (
            "Name__c: {type: reference, referenceTo: Account, relationshipName: Owner}",
            snapshot("Name__c: Account already has a relationship Owner; choose another name"),
        ),
        (
            "Name__c: {type: string, relationshipName: Name__r}",
            snapshot("Name__c: only a reference has relationship names"),
        ),
        (
            "External_Id__c: {type: string}",
            snapshot("External_Id__c: Account already has a field External_Id__c; choose another name"),
        ),
    ],
)
def test_a_field_that_can_not_be_is_told_with_what_to_do(tmp_path: Path, field: str, message: str) -> None:
    schema = f"objects:\n  Account:\n    fields:\n      Fine__c: {{type: string}}\n      {field}\n"
    assert refused(tmp_path, schema).replace("<folder>/schema.yaml, line 5, objects.Account.fields.", "") == message


@own
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "{name: A, when: Nope = 5, message: stop}",
            snapshot(
                "<folder>/schema.yaml, line 4, objects.Account.rules.0.when: No such column 'Nope' on entity 'Account', at character 1 of Nope = 5; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, when: Foo > 1, message: stop}",
            snapshot(
                "<folder>/schema.yaml, line 4, objects.Account.rules.0.when: No such column 'Foo' on entity 'Account', at character 1 of Foo > 1; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, when: Name = = 1, message: stop}",
            snapshot(
                "<folder>/schema.yaml, line 4, objects.Account.rules.0.when: unexpected token: '=', at character 8 of Name = = 1; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, message: stop,\n          when: Nope = 5}",
            snapshot(
                "<folder>/schema.yaml, line 5, objects.Account.rules.0.when: No such column 'Nope' on entity 'Account', at character 1 of Nope = 5; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, when: Name = 'a' OR, message: stop}",
            snapshot(
                "<folder>/schema.yaml, line 4, objects.Account.rules.0.when: unexpected token: '<EOF>', at character 14 of Name = 'a' OR; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, when: Owner.Name = 'a', message: stop}",
            snapshot(
                "<folder>/schema.yaml, line 4, objects.Account.rules.0.when: Only fields of Account itself can be used here, not 'Owner.Name', at character 1 of Owner.Name = 'a'; write a condition as after WHERE in SOQL, on Account's own fields"
            ),
        ),
        (
            "{name: A, when: Name = 'a', message: stop, field: Nope}",
            snapshot("<folder>/schema.yaml, line 4, objects.Account.rules.0.field: Account has no field Nope"),
        ),
        (
            "{name: A, message: stop}",
            snapshot("<folder>/schema.yaml, line 4, objects.Account.rules.0.when: this is missing; add it"),
        ),
    ],
)
def test_a_rule_that_can_not_be_understood_is_told_at_the_start(tmp_path: Path, rule: str, message: str) -> None:
    assert refused(tmp_path, f"objects:\n  Account:\n    rules:\n      - {rule}\n") == message


@own
def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_bytes(b"objects:\n  A__c:\n    label: \xff\n")
    with pytest.raises(SchemaError) as error:
        Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=file))
    assert str(error.value) == f"The schema file {file}, line 3: this is not UTF-8; save the file as UTF-8"


@own
def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nothing\.yaml can't be read: .*; correct its name or its rights$"):
        Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=tmp_path / "nothing.yaml"))


@own
def test_an_object_of_another_kind_and_a_field_of_a_person_account_elsewhere_are_told(tmp_path: Path) -> None:
    kinds = ("Log__b", "Sent__e", "Rule__mdt", "Far__x", "ns__Log__b")
    told = [refused(tmp_path, f"objects: {{{name}: {{}}}}") for name in kinds]
    told.append(refused(tmp_path, "objects: {Contact: {fields: {Birth__pc: {type: date}}}}"))
    assert told == snapshot(
        [
            "<folder>/schema.yaml, line 1, objects.Log__b: Log__b is a big object, which this org does not have; leave it out",
            "<folder>/schema.yaml, line 1, objects.Sent__e: Sent__e is a platform event, which this org does not have; leave it out",
            "<folder>/schema.yaml, line 1, objects.Rule__mdt: Rule__mdt is a custom metadata type, which this org does not have; leave it out",
            "<folder>/schema.yaml, line 1, objects.Far__x: Far__x is an external object, which this org does not have; leave it out",
            "<folder>/schema.yaml, line 1, objects.ns__Log__b: ns__Log__b is a big object, which this org does not have; leave it out",
            "<folder>/schema.yaml, line 1, objects.Contact.fields.Birth__pc: Birth__pc is a field of person accounts, so add it to Account",
        ]
    )
