"""Web pages of the ports: for whom they are, and what a browser is told to keep away from them."""

import pytest
from starlette.datastructures import Headers

from salesforce_bulk_ingest.serving.web_page import wants_page, web_page


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json, Text/HTML;q=0.1", True),
        ("*/*", False),
        ("application/json, text/event-stream", False),
        ("text/htmlx", False),
        ("", False),
    ],
)
def test_a_page_is_for_those_who_name_html(accept: str, is_page: bool) -> None:
    assert wants_page(Headers({"Accept": accept})) is is_page


def test_a_page_escapes_what_it_shows_and_lets_nothing_in() -> None:
    values = {"title": "<b>", "reason": "<script>", "issuer": None}
    page = web_page("sign_in.html", values, 401, {"WWW-Authenticate": "Bearer"})
    text = bytes(page.body).decode()
    assert "&lt;script&gt;" in text and "<script" not in text and "<b>" not in text
    assert (page.status_code, page.headers["WWW-Authenticate"]) == (401, "Bearer")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
