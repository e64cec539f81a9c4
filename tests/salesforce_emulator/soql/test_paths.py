"""Names of queries that lead to parent records."""

from itertools import product

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import DATA, Caller, shown
from tests.salesforce_emulator.soql.queries import names, reason_of

RELATIONSHIPS = "SOQL and SOSL reference, Relationship Queries"


@doc(RELATIONSHIPS)
def test_fields_of_parents_come_as_nested_records_and_a_missing_parent_as_null(stocked: Caller) -> None:
    soql = "SELECT LastName, Account.Name, account.owner.Username FROM Contact WHERE LastName != 'Li' ORDER BY LastName"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 2,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "LastName": "Ngata",
      "Account": {
        "attributes": {
          "type": "Account",
          "url": "/services/data/v63.0/sobjects/Account/<001 id>"
        },
        "Name": "Alpha",
        "Owner": {
          "attributes": {
            "type": "User",
            "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
          },
          "Username": "admin@emulator.example"
        }
      }
    },
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "LastName": "Solo",
      "Account": null
    }
  ]
}\
""")


@seen("threads on Who and What in SOQL: the type is Name, and the URL tells which object it is")
def test_a_parent_that_may_be_of_several_objects_shows_what_they_have_in_common(stocked: Caller) -> None:
    soql = "SELECT Subject, Who.Name, Who.Type, What.Name, Owner.Email FROM Task ORDER BY Subject"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 2,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Task",
        "url": "/services/data/v63.0/sobjects/Task/<00T id>"
      },
      "Subject": "Call",
      "Who": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
        },
        "Name": "Whetu Ngata",
        "Type": "Contact"
      },
      "What": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/Account/<001 id>"
        },
        "Name": "beta"
      },
      "Owner": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
        },
        "Email": "admin@emulator.example"
      }
    },
    {
      "attributes": {
        "type": "Task",
        "url": "/services/data/v63.0/sobjects/Task/<00T id>"
      },
      "Subject": "Mail",
      "Who": null,
      "What": null,
      "Owner": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
        },
        "Email": "admin@emulator.example"
      }
    }
  ]
}\
""")


@doc(RELATIONSHIPS)
@assumed("the text")
def test_conditions_reach_five_relationships_far(stocked: Caller) -> None:
    assert names(stocked, "WHERE Account.Owner.Profile.Name = 'system administrator'", "Contact", "LastName") == [
        "Ngata",
        "Li",
    ]
    assert reason_of(stocked, f"SELECT Id FROM Account WHERE {'Parent.' * 6}Name = 'x'") == (
        "INVALID_FIELD",
        snapshot("Path 'Parent.Parent.Parent.Parent.Parent.Parent.Name' is longer than 5 relationships"),
    )


def parents(count: int) -> list[str]:
    """So many fields, each at the end of another relationship."""
    chains = (chain for length in range(1, 6) for chain in product(["Parent", "MasterRecord"], repeat=length))
    return [".".join([*chain, "Id"]) for chain, _ in zip(chains, range(count), strict=False)]


@doc("SOQL and SOSL reference, Understanding Relationship Query Limitations: 55")
@assumed("code and text; each object that a lookup can lead to counts")
def test_a_query_follows_at_most_55_relationships(org: Caller) -> None:
    assert "records" in org.query(f"SELECT {', '.join(parents(55))} FROM Account LIMIT 1")
    assert reason_of(org, f"SELECT {', '.join(parents(56))} FROM Account") == snapshot(
        ("MALFORMED_QUERY", "A query can't follow more than 55 relationships")
    )
