"""How JSON is printed."""

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import doc, seen
from tests.salesforce_emulator.caller import INGEST, Caller


@seen("a client's fixture (heroku-applink)")
def test_refusals_are_json_in_utf_8(org: Caller) -> None:
    for answer in (org.http.get(f"{INGEST}/x"), org.http.get(INGEST, headers={"Authorization": "Bearer x"})):
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


@doc("Bulk API 2.0 guide, quick start: X-PrettyPrint")
def test_errors_are_indented_for_those_who_ask_for_it(org: Caller) -> None:
    answer = org.http.get(f"{INGEST}/x", headers={"X-PrettyPrint": "1"})
    assert answer.text == snapshot("""\
[
  {
    "errorCode" : "NOT_FOUND",
    "message" : "The requested resource does not exist"
  }
]\
""")
