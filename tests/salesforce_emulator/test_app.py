"""The org as an application."""

from pathlib import Path

import httpx2

from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import INGEST, JOURNAL, Caller, an_org
from tests.salesforce_emulator.ui.pages import address_of, look


@doc("Bulk API 2.0 guide, Use Compression for Responses")
def test_answers_are_compressed_for_those_who_ask_for_gzip(org: Caller) -> None:
    job = org.load("Name\n" + "Acme\n" * 1000)
    url = f"{INGEST}/{job['id']}/successfulResults"
    plain = org.http.get(url, headers={"Accept-Encoding": "identity"})
    packed = org.http.get(url, headers={"Accept-Encoding": "gzip, deflate"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.text == plain.text
    assert "Content-Length" not in plain.headers | packed.headers
    assert plain.headers["Content-Type"] == "text/csv; charset=UTF-8"


@own
def test_looking_uses_up_no_requests_and_is_not_in_the_journal(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        for path in ("/", "/faults", "/objects/Account", "/window.css"):
            httpx2.get(address_of(org) + path).raise_for_status()
        assert org.http.get(JOURNAL).json() == {"requests": []}
        assert "Requests in 24 hours 0 of 100,000" in look(org, "/").words
