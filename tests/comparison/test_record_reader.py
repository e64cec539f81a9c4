"""Records are read by their keys in few queries, and what can't be read is told."""

import math
import re
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from salesforce_bulk_ingest.comparison.record_reader import MOST_QUERY_BYTES, KeyField, RecordReader
from salesforce_bulk_ingest.salesforce.client import SalesforceClient, query_of
from salesforce_bulk_ingest.salesforce.errors import Rejected, SalesforceError, TimedOut
from salesforce_bulk_ingest.salesforce.models import QueryPage
from tests.comparison.describing import field

EXT = KeyField("Account", "Ext__c", field("Ext__c", external_id=True, unique=True, length=40))
ID = KeyField("Account", "Id", None)


class Org(SalesforceClient):
    """Has a record for each key that it is asked for, or refuses a query."""

    def __init__(self, refuse: Callable[[str], SalesforceError | None] = lambda soql: None) -> None:
        self.queries = list[str]()
        self._refuse = refuse

    async def query(self, soql: str) -> QueryPage:
        self.queries.append(soql)
        error = self._refuse(soql)
        if error is not None:
            raise error
        keys = re.findall(r"'((?:[^'\\]|\\.)*)'", soql)
        return QueryPage(records=tuple({"Id": key, "Ext__c": key} for key in keys))


def reader_of(org: Org, most_calls: int = 100, until: float = math.inf) -> RecordReader:
    return RecordReader(org, most_calls, until)


async def test_keys_go_in_lists_that_a_uri_has_room_for() -> None:
    org, ids = Org(), [f"001{number:012}" for number in range(10_000)]
    reader = reader_of(org)
    found = await reader.find(ID, ids, ["Name", "Phone", "Name"])
    assert len(found.by_key) == 10_000 and found.failure is None
    assert reader.calls == len(org.queries) <= 10_000 / 500 + 5
    assert all(len(query_of(soql)) <= MOST_QUERY_BYTES for soql in org.queries)
    assert org.queries[0].startswith("SELECT Id,Name,Phone FROM Account WHERE Id IN ('001")


async def test_keys_are_asked_for_once_and_escaped() -> None:
    org = Org()
    found = await reader_of(org).find(EXT, [" O'Neill ", "o'neill", "a\\b", "", "#N/A", "x" * 41])
    assert org.queries == ["SELECT Id,Ext__c FROM Account WHERE Ext__c IN ('o\\'neill','a\\\\b')"]
    assert found.asked == {"o'neill", "a\\b", "x" * 41}


@pytest.mark.parametrize(
    ("type", "cell", "literal"),
    [
        ("double", "1e3", "1000.0"),
        ("double", "0.0000001", "0.0000001"),
        ("double", "many", None),
        ("reference", "001000000000001", "'001000000000001'"),
        ("reference", "nothing", None),
        ("string", 'say "a\nb"', "'say \\\"a\\nb\\\"'"),
    ],
)
def test_a_key_is_written_as_its_type_has_it(type: str, cell: str, literal: str | None) -> None:
    assert KeyField("Account", "Key__c", field("Key__c", type)).literal(cell) == literal


async def test_fields_that_the_org_says_it_has_not_are_left_out_and_told() -> None:
    def refuse(soql: str) -> SalesforceError | None:
        for name in ("Phone", "Region__r"):
            if name in soql:
                return Rejected(400, "INVALID_FIELD", f"\"No such column '{name}' on entity 'Account'.\"")
        return None

    org = Org(refuse)
    found = await reader_of(org).find(EXT, ["E-1"], ["Name", "Phone", "Region__r.Code__c"])
    assert found.unseen == ["Phone", "Region__r.Code__c"]
    assert list(found.by_key) == ["e-1"] and found.failure is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Rejected(403, "INSUFFICIENT_ACCESS", '"of E-1"'), "Salesforce answered INSUFFICIENT_ACCESS."),
        (Rejected(400, "INVALID_FIELD", "\"No such column 'Ext__c' on E-1\""), "Salesforce answered INVALID_FIELD."),
        (TimedOut("Salesforce did not answer within 30 s."), "Salesforce did not answer within 30 s."),
    ],
)
async def test_a_refusal_is_told_without_the_keys_that_it_quotes(error: SalesforceError, told: str) -> None:
    found = await reader_of(Org(lambda soql: error)).find(EXT, ["E-1"], ["Name"])
    assert (found.failure, found.asked, found.by_key) == (told, set(), {})


async def test_what_was_read_before_the_calls_are_used_up_is_there() -> None:
    reader = reader_of(Org(), most_calls=2)
    found = await reader.find(ID, [f"001{number:012}" for number in range(10_000)])
    assert found.failure == "It would take more than 2 API calls."
    assert reader.calls == 2 and 0 < len(found.asked) < 10_000


async def test_nothing_is_asked_once_the_time_is_up() -> None:
    class Slow(Org):
        async def query(self, soql: str) -> QueryPage:
            await anyio.sleep_forever()
            raise AssertionError

    found = await reader_of(Slow(), until=0).find(EXT, ["E-1"])
    assert found.failure == "Salesforce did not answer in time."


async def test_further_pages_are_read_and_counted() -> None:
    class Paging(Org):
        async def query(self, soql: str) -> QueryPage:
            return QueryPage(records=({"Id": "1", "Ext__c": "E-1"},), done=False, next_records_url="/query/01g-1")

        async def query_more(self, locator: str) -> QueryPage:
            assert locator == "01g-1"
            return QueryPage(records=({"Id": "2", "Ext__c": "E-1"},))

    reader = reader_of(Paging())
    found = await reader.find(EXT, ["E-1"])
    assert [record["Id"] for record in found.by_key["e-1"]] == ["1", "2"] and reader.calls == 2


async def test_records_that_the_org_found_and_did_not_give_are_told() -> None:
    class Short(Org):
        async def query(self, soql: str) -> QueryPage:
            return (await super().query(soql)).model_copy(update={"total_size": 3})

    found = await reader_of(Short()).find(EXT, ["E-1", "E-2"])
    assert found.failure == "Salesforce gave 2 of the 3 records that a query found."


async def test_fields_beyond_the_room_of_a_query_are_told() -> None:
    names = [f"{'x' * 40}{number}__c" for number in range(200)]
    found: Any = await reader_of(Org()).find(EXT, ["E-1"], names)
    assert found.by_key and 0 < len(found.unseen) < 200
