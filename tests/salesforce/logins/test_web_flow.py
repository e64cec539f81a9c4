"""The login in a browser, at an embedded org."""

import httpx2
import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.setting_types import REDIRECT_URI
from salesforce_emulator.config import CLIENT_ID
from tests.support.web_flow import answer_of_the_user, parameters_of


def flow_at(url: str, http: httpx2.AsyncClient, client_id: str = CLIENT_ID) -> WebFlow:
    return WebFlow(TokenEndpoint(http, url, [url]), client_id, None, REDIRECT_URI)


async def test_a_user_who_allows_it_gets_a_token_and_a_refresh_token(org: str) -> None:
    async with open_http(trust_env=False) as http:
        flow = flow_at(org, http)
        callback = parameters_of(answer_of_the_user(flow.url))
        assert flow.is_ours(callback)
        granted = await flow.granted(callback)
    assert granted.credentials.instance_url == org
    assert granted.refresh_token is not None


async def test_a_user_who_denies_it_is_told_what_to_do(org: str) -> None:
    async with open_http(trust_env=False) as http:
        flow = flow_at(org, http)
        callback = parameters_of(answer_of_the_user(flow.url, allow=False))
        assert flow.is_ours(callback)
        with pytest.raises(NoCredentials) as raised:
            await flow.granted(callback)
    assert str(raised.value) == snapshot(
        "Access was denied: log in again and press Allow, or ask the org's administrator to let you use the app."
    )


async def test_a_code_counts_once_and_only_with_the_verifier_of_its_login(org: str) -> None:
    async with open_http(trust_env=False) as http:
        flow, other = flow_at(org, http), flow_at(org, http)
        assert (flow.state, flow.verifier) != (other.state, other.verifier)
        callback = parameters_of(answer_of_the_user(flow.url))
        assert not other.is_ours(callback)
        with pytest.raises(NoCredentials, match="invalid code verifier"):
            await other.granted(callback)
        again = parameters_of(answer_of_the_user(flow.url))
        await flow.granted(again)
        with pytest.raises(NoCredentials, match="invalid_grant"):
            await flow.granted(again)


@pytest.mark.parametrize("callback", [{}, {"error": "server_error", "error_description": "a\x1b[31m\nNext: call"}])
async def test_a_callback_without_a_code_is_told_on_one_line(callback: dict[str, str], org: str) -> None:
    async with open_http(trust_env=False) as http:
        with pytest.raises(NoCredentials) as raised:
            await flow_at(org, http).granted(callback)
    assert str(raised.value).startswith("The login was refused (")
    assert "\n" not in str(raised.value) and "\x1b" not in str(raised.value)


async def test_the_secrets_of_a_login_are_not_in_its_repr(org: str) -> None:
    async with open_http(trust_env=False) as http:
        flow = flow_at(org, http)
    assert flow.verifier not in repr(flow) and flow.state not in repr(flow)
