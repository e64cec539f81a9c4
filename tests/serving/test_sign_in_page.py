"""Browsers that are not let in see how to sign in; programs get the answer of the guard."""

import pytest
from starlette.responses import PlainTextResponse

from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening
from salesforce_bulk_ingest.serving.sign_in_page import SignInPage
from tests.serving.test_door import Verifies
from tests.support.plain_http import plain_http

BROWSER = {"Accept": "text/html"}
GOOD = {"Authorization": "Bearer good"}


@pytest.mark.parametrize(
    ("door", "told"),
    [
        (Door(Verifies()), "The operator of this server gives them out."),
        (Door(Verifies(), issuer="https://login.example"), "from <code>https://login.example</code>"),
    ],
)
async def test_a_browser_is_told_how_to_sign_in(door: Door, told: str) -> None:
    guarded = SignInPage(PlainTextResponse("app"), door, "The title")
    with bound_socket("127.0.0.1", 0) as bound:
        async with listening([Listener(guarded, bound)]), plain_http() as http:
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            page = await http.get(f"{url}/v1/anything", headers=BROWSER)
            assert (page.status_code, page.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert "<h1>The title</h1>" in page.text and told in page.text and "anything" not in page.text
            for headers, method in ((GOOD | BROWSER, "GET"), ({"Accept": "*/*"}, "GET"), (BROWSER, "POST")):
                assert (await http.request(method, url, headers=headers)).text == "app"
