"""Rows beside an org: what is told of keys that no record has, of several records and of what can't be seen."""

import math
import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.comparison.changes import Fate
from salesforce_bulk_ingest.comparison.org_comparison import GONE, MORE_CALLS, OrgComparer, OrgComparison
from salesforce_bulk_ingest.comparison.record_reader import RecordReader
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.models import QueryPage
from salesforce_bulk_ingest.validation.destination import LoadTarget
from tests.comparison.describing import DESCRIBE, columns, sample_of

OWNERS = ("005000000000001AAA", "00G000000000001")


class Org(SalesforceClient):
    """Has these accounts, regions with these codes, a user and a queue."""

    def __init__(self, records: list[dict[str, Any]], regions: tuple[str, ...] = ()) -> None:
        self.records = records
        self.regions = regions
        self.owners_asked = list[tuple[str, int]]()

    async def query(self, soql: str) -> QueryPage:
        keys = {key.lower() for key in re.findall(r"'([^']*)'", soql)}
        if owners := re.search("FROM (User|Group) ", soql):
            self.owners_asked.append((owners[1], len(keys)))
            return QueryPage(records=tuple({"Id": key} for key in re.findall(r"'([^']*)'", soql) if key in OWNERS))
        if "FROM Region__c" in soql:
            found = [{"Id": code, "Code__c": code} for code in self.regions if code.lower() in keys]
            return QueryPage(records=tuple(found))
        if "!= null" in soql:
            return QueryPage(records=tuple(self.records[:1]))
        name = soql.rpartition(" WHERE ")[2].partition(" ")[0]
        return QueryPage(records=tuple(each for each in self.records if str(each[name]).lower() in keys))


async def compared(
    org: Org,
    header: list[str],
    rows: list[list[str]],
    operation: str = "upsert",
    hidden: tuple[str, ...] = (),
    most_calls: int = MORE_CALLS,
) -> OrgComparison:
    target = LoadTarget.of(DESCRIBE, operation, "Ext__c" if operation == "upsert" else None)
    indexes = {header.index(name) for name in hidden if name in header}
    comparer = OrgComparer(
        RecordReader(org, most_calls, math.inf),
        sample_of(rows),
        columns(header, operation, indexes, {"Group": "00G", "User": "005"}),
        target,
        hides=lambda name: name in hidden,
    )
    return await comparer.compare()


def accounts(count: int) -> list[dict[str, Any]]:
    return [{"Id": f"001{n:012}", "Ext__c": f"E-{n}", "Name": f"Name {n}"} for n in range(count)]


def told(comparison: OrgComparison) -> list[tuple[str, int]]:
    return [(mistake.kind, mistake.count) for mistake in comparison.mistakes]


async def test_a_first_load_into_an_org_without_such_keys_is_no_mistake() -> None:
    rows = [[f"E-{n}", "Name"] for n in range(50)]
    comparison = await compared(Org([]), ["Ext__c", "Name"], rows)
    assert comparison.fates == {Fate.NEW: 50} and comparison.mistakes == ()


@pytest.mark.parametrize(("known", "is_told"), [(20, True), (25, False)])
async def test_keys_of_which_most_are_unknown_are_told_where_the_org_has_others(known: int, is_told: bool) -> None:
    rows = [[f"E-{n}", f"Name {n}"] for n in range(50)]
    comparison = await compared(Org(accounts(known)), ["Ext__c", "Name"], rows)
    assert told(comparison) == ([("unknown keys", 50 - known)] if is_told else [])


async def test_a_few_new_rows_of_an_upsert_are_no_mistake() -> None:
    comparison = await compared(Org(accounts(5)), ["Ext__c", "Name"], [["N-1", "New"], ["N-2", "New"]])
    assert comparison.mistakes == ()


async def test_ids_of_another_object_are_told_as_such() -> None:
    rows = [[f"003{n:012}", "Name"] for n in range(3)]
    [mistake] = (await compared(Org(accounts(5)), ["Id", "Name"], rows, "update")).mistakes
    assert mistake.why == 'Most ids begin with "003", and those of Account with 001.'
    assert mistake.fails == "these rows"


async def test_keys_that_are_no_ids_are_not_told_as_ids_of_another_object() -> None:
    rows = [[f"Customer {n}", "Name"] for n in range(3)]
    [mistake] = (await compared(Org(accounts(5)), ["Id", "Name"], rows, "update")).mistakes
    assert (mistake.kind, mistake.why) == ("unknown keys", GONE)


async def test_a_key_that_several_records_have_is_told() -> None:
    org = Org([*accounts(2), {"Id": "001000000000009", "Ext__c": "e-1", "Name": "Second"}])
    comparison = await compared(org, ["Ext__c", "Name"], [["E-0", "Name 0"], ["E-1", "Name 1"]])
    assert told(comparison) == [("several records", 1)]


async def test_parents_that_are_not_there_are_told_with_masks_where_they_are_hidden() -> None:
    rows = [[f"E-{n}", code] for n, code in enumerate(["eu", "US", "US", ""])]
    header = ["Ext__c", "Region__r.Code__c"]
    records = [{**each, "Region__r": {"Code__c": "EU"}} for each in accounts(4)]
    [shown] = (await compared(Org(records, ("EU",)), header, rows)).parents
    [hidden] = (await compared(Org(records, ("EU",)), header, rows, hidden=("Region__r.Code__c",))).parents
    assert (shown.sobject, shown.rows, shown.keys) == ("Region__c", 2, ("US",))
    assert hidden.keys == ("[hidden, 2 characters]",)


async def test_owners_are_looked_for_among_the_objects_that_their_ids_are_of() -> None:
    org, header = Org(accounts(6)), ["Ext__c", "OwnerId"]
    owners = [*OWNERS, "005000000000009AAA", "005000000000009", "001000000000001AAA", "Ann"]
    comparison = await compared(org, header, [[f"E-{n}", owner] for n, owner in enumerate(owners)])
    assert [(each.sobject, each.rows, each.keys) for each in comparison.parents] == [
        ("User", 2, ("005000000000009AAA", "005000000000009"))
    ]
    assert org.owners_asked == [("Group", 1), ("User", 2)]
    assert comparison.unseen == ('Ids of other objects in OwnerId, "001", were not looked for.',)
    assert comparison.other_parents == ()
    hidden = await compared(org, header, [["E-4", "001000000000001AAA"]], hidden=("OwnerId",))
    assert hidden.unseen == ("Ids of other objects in OwnerId were not looked for.",)


async def test_parents_of_several_objects_in_one_column_are_told_each_for_itself() -> None:
    rows = [["E-0", "00G000000000009"], ["E-1", "005000000000009AAA"], ["E-2", "005000000000008AAA"]]
    comparison = await compared(Org(accounts(3)), ["Ext__c", "OwnerId"], rows)
    assert [(finding.count, finding.what) for finding in comparison.findings] == snapshot(
        [
            (
                2,
                '2 rows name a record of User in OwnerId that is not there. They fail, since there is no "005000000000009AAA", "005000000000008AAA".',
            ),
            (
                1,
                '1 row names a record of Group in OwnerId that is not there. They fail, since there is no "00G000000000009".',
            ),
        ]
    )


async def test_that_the_parents_in_a_column_could_not_all_be_looked_for_is_told_once() -> None:
    rows = [[f"E-{n}", owner] for n, owner in enumerate(OWNERS)]
    comparison = await compared(Org(accounts(2)), ["Ext__c", "OwnerId"], rows, most_calls=1)
    assert comparison.unseen == snapshot(
        ("Not all the parents in OwnerId could be looked for. It would take more than 1 API call.",)
    )


async def test_the_name_of_a_record_is_not_read_where_it_is_hidden() -> None:
    comparison = await compared(Org(accounts(1)), ["Id"], [["001000000000000"]], "delete", ("Name",))
    [example] = comparison.examples
    assert (example.key, example.name) == ("001000000000000", "")


async def test_what_can_not_be_compared_is_told() -> None:
    comparison = await compared(Org(accounts(1)), ["Ext__c", "Secret__c"], [["E-0", "x"]])
    assert comparison.unseen == ("Secret__c can't be compared.",)


async def test_new_rows_that_are_there_already_are_told_by_their_unique_field() -> None:
    comparison = await compared(Org(accounts(3)), ["Ext__c", "Name"], [["e-1", "One"], ["E-7", "Seven"]], "insert")
    [there] = comparison.there
    assert (there.columns, there.rows, there.is_unique, there.records) == (("Ext__c",), 1, True, ("001000000000001",))
    assert told(comparison) == [("there already", 1)]
