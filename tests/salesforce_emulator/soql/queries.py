"""Queries that tests send to an org."""

from tests.salesforce_emulator.caller import DATA, Caller


def names(org: Caller, where: str, object_: str = "Account", field: str = "Name") -> list[str]:
    """The names of the records that the query finds, in the order of the query."""
    answer = org.query(f"SELECT {field} FROM {object_} {where}")
    assert isinstance(answer, dict), answer
    return [record[field] for record in answer["records"]]


def refusal(org: Caller, soql: str) -> tuple[str, str]:
    """The code and the message with which a query is refused."""
    answer = org.http.get(f"{DATA}/query", params={"q": soql})
    assert answer.status_code == 400
    [error] = answer.json()
    return error["errorCode"], error["message"]


def reason_of(org: Caller, soql: str) -> tuple[str, str]:
    """The code and the message with which a query is refused, without the lines that show the position."""
    code, message = refusal(org, soql)
    return code, message.rpartition("\n")[2]
