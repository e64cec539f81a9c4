"""The syntax of queries: what is refused, and how a mistake is shown."""

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.soql.queries import reason_of, refusal

CONDITIONS = "SOQL and SOSL reference, conditionExpression Syntax"


@doc(CONDITIONS)
@pytest.mark.parametrize(
    ("where", "token"),
    [
        ("Name = 'a' AND Name = 'b' OR Name = 'c'", "OR"),
        ("NOT Name = 'a' AND Name = 'b'", "AND"),
    ],
)
def test_and_or_and_not_do_not_mix_without_parentheses(stocked: Caller, where: str, token: str) -> None:
    assert reason_of(stocked, f"SELECT Id FROM Account WHERE {where}") == (
        "MALFORMED_QUERY",
        f"unexpected token: '{token}'",
    )


@seen("threads that quote the API: an excerpt, a caret, row and column, then the reason")
def test_a_mistake_is_shown_at_its_place(org: Caller) -> None:
    assert refusal(org, "SELECT Id FROM Account WHERE Nope = 5") == snapshot(
        (
            "INVALID_FIELD",
            """\

SELECT Id FROM Account WHERE Nope = 5
                             ^
ERROR at Row:1:Column:30
No such column 'Nope' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )
    assert refusal(org, "SELECT Id\nFROM Nope") == snapshot(
        (
            "INVALID_TYPE",
            """\

FROM Nope
     ^
ERROR at Row:2:Column:6
sObject type 'Nope' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )
    assert refusal(org, "SELECT Name FROM Account WHERE Name = 'a' garbage") == snapshot(
        (
            "MALFORMED_QUERY",
            """\

LECT Name FROM Account WHERE Name = 'a' garbage
                                        ^
ERROR at Row:1:Column:43
unexpected token: 'garbage'\
""",
        )
    )
    assert refusal(org, "SELECT Name FROM Account WHERE") == snapshot(
        (
            "MALFORMED_QUERY",
            """\

SELECT Name FROM Account WHERE
                              ^
ERROR at Row:1:Column:31
unexpected token: '<EOF>'\
""",
        )
    )
    assert refusal(org, "SELECT Nope__r.Name FROM Account") == snapshot(
        (
            "INVALID_FIELD",
            """\

SELECT Nope__r.Name FROM Account
       ^
ERROR at Row:1:Column:8
Didn't understand relationship 'Nope__r' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )


@assumed("the org does not know all of SOQL, and says where it stops to")
@pytest.mark.parametrize(
    ("soql", "token"),
    [
        ("SELECT Id FROM Account WHEER Name = 'a'", "WHEER"),
        ("SELECT Id FROM Account (Name)", "("),
        ("SELECT Id FROM Account LIMIT -1", "-1"),
        ("SELECT Id FROM Account LIMIT 1.5", "1.5"),
        ("SELECT Id FROM Account WHERE Name = 'a", "'"),
        ("SELECT Id FROM Account WHERE Name IN ()", ")"),
        ("SELECT \x00 FROM Account", "\x00"),
        ("SELECT FIELDS(NONE) FROM Account", "NONE"),
    ],
)
def test_the_rest_of_soql_is_refused_where_it_begins(org: Caller, soql: str, token: str) -> None:
    assert reason_of(org, soql) == ("MALFORMED_QUERY", f"unexpected token: '{token}'")


FUNCTIONS = "functions other than FIELDS() and a lone COUNT()"
WITHIN = "a query within a query"


@own
@pytest.mark.parametrize(
    ("soql", "token", "name"),
    [
        ("SELECT Name, (SELECT Id FROM Contacts) FROM Account", "(", WITHIN),
        ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "SELECT", WITHIN),
        ("SELECT Id FROM Account WHERE Id NOT IN ( select AccountId FROM Contact)", "select", WITHIN),
        ("SELECT MAX(CreatedDate) FROM Account", "(", FUNCTIONS),
        ("SELECT Name, toLabel(Type) FROM Account", "(", FUNCTIONS),
        ("SELECT Name, COUNT(Id) FROM Account", "(", FUNCTIONS),
        ("SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2025", "(", FUNCTIONS),
        ("SELECT Type FROM Account GROUP BY Type", "GROUP", "GROUP BY"),
        ("SELECT Id FROM Account USING SCOPE mine", "USING", "USING SCOPE"),
        ("SELECT Id FROM Account WHERE Name = 'a' LIMIT 1 for  update", "for", "FOR UPDATE"),
        ("SELECT Id FROM Account FOR VIEW", "FOR", "FOR VIEW"),
        ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "WITH", "WITH SECURITY_ENFORCED"),
        ("SELECT Id FROM Account LIMIT 1 ALL ROWS", "ALL", "ALL ROWS"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "Owner", "TYPEOF"),
        ("SELECT Id FROM Account a", "a", "an alias of the object"),
        ("SELECT Id FROM Account AS a", "AS", "an alias of the object"),
        ("SELECT a.Id FROM Account a WHERE a.Name = 'x'", "a", "an alias of the object"),
        ("SELECT c.Id FROM Account a, a.Contacts c", "a", "an alias of the object"),
        ("SELECT Id FROM Account WHERE CreatedDate = THIS_FISCAL_QUARTER", "THIS_FISCAL_QUARTER", "fiscal periods"),
        ("SELECT Id FROM Account WHERE CreatedDate > N_FISCAL_YEARS_AGO:2", "N_FISCAL_YEARS_AGO", "fiscal periods"),
    ],
)
def test_what_only_salesforce_knows_of_soql_is_named_where_it_begins(
    org: Caller, soql: str, token: str, name: str
) -> None:
    assert reason_of(org, soql) == (
        "MALFORMED_QUERY",
        f"unexpected token: '{token}'. The embedded org does not support {name}",
    )


@assumed("the text")
def test_a_query_without_text_is_refused(org: Caller) -> None:
    assert refusal(org, "")[0] == "MALFORMED_QUERY"
