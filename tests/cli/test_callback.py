"""The page on this machine that takes the code of a login."""

import socket

import httpx2
import pytest

from salesforce_bulk_ingest.cli.callback import waiting_for_callback
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.serving.ports import CantStart
from tests.support.plain_http import plain_http


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def flow_to(redirect_uri: str, http: httpx2.AsyncClient) -> WebFlow:
    return WebFlow(TokenEndpoint(http, "https://login.salesforce.com"), "an-app", None, redirect_uri)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_the_first_callback_of_this_login_counts_and_others_change_nothing(host: str) -> None:
    url = f"http://{host}:{free_port()}/OauthRedirect"
    async with plain_http() as http:
        flow = flow_to(url, http)
        async with waiting_for_callback(flow) as callback:
            foreign = await http.get(url, params={"code": "THEIRS", "state": "of another"})
            elsewhere = await http.get(url.replace("/OauthRedirect", "/"), params={"code": "X", "state": flow.state})
            ours = await http.get(url, params={"code": "OURS", "state": flow.state})
            again = await http.get(url, params={"code": "LATER", "state": flow.state})
            answer = await callback(10.0)
    assert [page.status_code for page in (foreign, elsewhere, ours, again)] == [400, 404, 200, 200]
    assert answer == {"code": "OURS", "state": flow.state}
    assert "THEIRS" not in foreign.text


async def test_a_callback_without_a_code_shows_that_access_was_not_given() -> None:
    url = f"http://127.0.0.1:{free_port()}/x"
    async with plain_http() as http:
        flow = flow_to(url, http)
        async with waiting_for_callback(flow) as callback:
            page = await http.get(url, params={"error": "access_denied", "state": flow.state})
            assert (await callback(10.0))["error"] == "access_denied"
    assert (page.status_code, "Access was not given" in page.text) == (400, True)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_another_program_on_the_port_of_either_loopback_address_is_told() -> None:
    """A browser takes `localhost` for either, and that program would get the callback."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        async with plain_http() as http:
            with pytest.raises(CantStart, match=rf"^::1:{port} is in use"):
                async with waiting_for_callback(flow_to(f"http://localhost:{port}/OauthRedirect", http)):
                    raise AssertionError("it is taken")


async def test_where_nobody_logs_in_that_is_told() -> None:
    async with plain_http() as http:
        async with waiting_for_callback(flow_to(f"http://127.0.0.1:{free_port()}/x", http)) as callback:
            with pytest.raises(
                NoCredentials, match=r"^Nobody has logged in within 0 minutes\. .* one of its callback URLs"
            ):
                await callback(0.0)


async def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with plain_http() as http:
            with pytest.raises(CantStart) as raised:
                async with waiting_for_callback(flow_to(f"http://localhost:{port}/OauthRedirect", http)):
                    raise AssertionError("it is taken")
    assert str(raised.value) == (
        f"127.0.0.1:{port} is in use by another program: stop it or choose another --redirect-uri, and add it to the "
        "callback URLs of the app."
    )
