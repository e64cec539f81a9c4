"""The tables of an org that is opened with another schema."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.org import Org
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import an_org
from tests.salesforce_emulator.schema.schemas import OBJECTS, SCHEMA, fields_of, refused


@pytest.fixture
def org_file(tmp_path: Path) -> Path:
    file = tmp_path / "schema.yaml"
    file.write_text(SCHEMA)
    return file


@own
def test_an_org_gains_what_its_schema_gains_and_keeps_its_prefixes(tmp_path: Path, org_file: Path) -> None:
    with an_org(tmp_path / "org", schema_file=org_file) as org:
        [row] = org.succeeded(org.load("Name\nOld\n", "Note_2__c"))
        assert row["sf__Id"].startswith("a01")
    org_file.write_text(
        "objects: {Another__c: {}, Note_2__c: {fields: {Text__c: {type: string, default: x}, Flag__c: {type: boolean}}}}"
    )
    with an_org(tmp_path / "org", schema_file=org_file) as org:
        old = org.record(row["sf__Id"], "Note_2__c")
        assert (old["Text__c"], old["Flag__c"]) == (None, False)
        [new] = org.succeeded(org.load("Name\nNew\n", "Note_2__c"))
        assert org.record(new["sf__Id"], "Note_2__c")["Text__c"] == "x"
        assert org.http.get(f"{OBJECTS}/Another__c").json()["objectDescribe"]["keyPrefix"] == "a02"
        assert "Tier__c" not in fields_of(org, "Account")


@own
def test_a_key_can_come_to_tell_cases_apart_or_to_ignore_them_and_numbers_can_get_another_format(
    tmp_path: Path, org_file: Path
) -> None:
    def seen(case_sensitive: str, format_: str, upserted: str) -> tuple[int, str, str]:
        """How many records have the key k-1, whether an upsert creates a record, and the number of the first record."""
        key = f"{{type: string, externalId: true, unique: true, caseSensitive: {case_sensitive}}}"
        number = f"{{type: autonumber, externalId: true, format: '{format_}'}}"
        org_file.write_text(f"objects: {{Part__c: {{fields: {{Key__c: {key}, Number__c: {number}}}}}}}")
        with an_org(tmp_path / "org", schema_file=org_file) as org:
            row = org.succeeded(org.load(f"Key__c\n{upserted}\n", "Part__c", "upsert", externalIdFieldName="Key__c"))[0]
            first = org.query("SELECT Number__c FROM Part__c ORDER BY Id LIMIT 1")["records"][0]
            return org.count("Key__c = 'k-1'", "Part__c"), row["sf__Created"], first["Number__c"]

    assert seen("true", "{0}", "K-1") == (0, "true", "1")
    assert seen("true", "{0}", "K-2") == (0, "true", "1")
    assert seen("false", "P-{000}", "k-2") == (1, "false", "P-001")
    assert seen("true", "{00}", "K-2") == (0, "true", "01")


@own
def test_an_org_that_holds_more_than_its_schema_names_says_so_at_the_start(
    tmp_path: Path, org_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def opened(schema_file: Path | None) -> list[str]:
        caplog.clear()
        Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=schema_file)).close()
        return caplog.messages

    assert opened(org_file) == opened(org_file) == []
    assert opened(None) == snapshot(
        [
            "This org holds more than its schema names (custom objects: 2, custom fields: 2), and hides that; start it with the schema file that names it"
        ]
    )
    org_file.write_text("objects: {INVOICE__c: {}, Note_2__c: {}}")
    assert opened(org_file) == snapshot(
        [
            "This org holds more than its schema names (custom objects: 0, custom fields: 9), and hides that; start it with the schema file that names it"
        ]
    )


@assumed("Salesforce converts some types into others; what is stored here would stay as it is")
@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            "Amount__c: {type: string}",
            "<folder>/schema.yaml, line 1, objects.Invoice__c.fields.Amount__c:"
            " Invoice__c.Amount__c holds number in this org and can't become text; give the new field another name,"
            " or start a new org in another folder",
        ),
        (
            "Account__c: {type: reference, referenceTo: Contact}",
            "<folder>/schema.yaml, line 1, objects.Invoice__c.fields.Account__c:"
            " Invoice__c.Account__c holds reference to Account in this org and can't become reference to Contact;"
            " give the new field another name, or start a new org in another folder",
        ),
    ],
)
def test_a_field_can_not_become_one_that_holds_other_values(
    tmp_path: Path, org_file: Path, field: str, message: str
) -> None:
    Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=org_file)).close()
    assert refused(tmp_path, f"objects: {{Invoice__c: {{fields: {{{field}}}}}}}") == message


@pytest.fixture
def schema_file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "schema.yaml"
    file.write_text("objects: {Account: {fields: {Erp_Id__c: {type: string}}}}")
    yield file


@own
def test_a_changed_schema_is_sent_again(tmp_path: Path, schema_file: Path) -> None:
    now = datetime(2025, 1, 31, 12, tzinfo=UTC)
    path = f"{OBJECTS}/Account/describe"
    with an_org(tmp_path / "org", clock=lambda: now) as org:
        first = org.http.get(path).headers["Last-Modified"]
    now += timedelta(days=1)
    with an_org(tmp_path / "org", clock=lambda: now) as org:
        assert org.http.get(path).headers["Last-Modified"] == first == "Fri, 31 Jan 2025 12:00:00 GMT"
    with an_org(tmp_path / "org", clock=lambda: now, schema_file=schema_file) as org:
        answer = org.http.get(path, headers={"If-Modified-Since": first})
        assert (answer.status_code, answer.headers["Last-Modified"]) == (200, "Sat, 01 Feb 2025 12:00:00 GMT")
