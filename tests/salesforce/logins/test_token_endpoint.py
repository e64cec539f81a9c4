"""The answers of login hosts, good and bad."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.setting_types import REDIRECT_URI
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET
from tests.salesforce.upstream import Answer, Upstream
from tests.support.asgi_server import running
from tests.support.logins import Place, key, pem
from tests.support.web_flow import answer_of_the_user, parameters_of


async def test_what_the_org_says_about_a_login_comes_with_what_to_do(place: Place) -> None:
    key_file = place.write("key.pem", pem(key()))
    told = [
        await place.refusal_with(client_id="not-an-app", client_secret=CLIENT_SECRET),
        await place.refusal_with(client_id=CLIENT_ID, client_secret="not-the-secret"),
        await place.refusal_with(client_id=CLIENT_ID, refresh_token="not-a-token"),
        await place.refusal_with(client_id=CLIENT_ID, username="other@example.com", jwt_key_file=key_file),
    ]
    assert told == snapshot(
        [
            'URL refused the login (invalid_client_id, "client identifier invalid"). The consumer key (client_id) is not that of an app of this org; a new app takes up to ten minutes to count.',
            'URL refused the login (invalid_client, "invalid client credentials"). The consumer secret (client_secret) is wrong, or missing for an app that requires it.',
            'URL refused the login (invalid_grant, "expired access/refresh token"). The refresh token was revoked, has expired, or was used by another program: log in again.',
            'URL refused the login (invalid_grant, "user hasn\'t approved this consumer"). The user is not pre-authorized for the app: in Setup, add a permission set or profile of the user to the app.',
        ]
    )


def answering(*answers: Answer) -> Upstream:
    return Upstream(list(answers))


@contextmanager
def login_host(*answers: Answer) -> Iterator[str]:
    with running(answering(*answers)) as url:
        yield url


OAUTH_ERRORS = {
    "Audience validation failed": "invalid_grant",
    "expired authorization code": "invalid_grant",
    "no client credentials user enabled": "invalid_grant",
    "grant type not supported": "unsupported_grant_type",
    "inactive user": "inactive_user",
    "login rate exceeded": "rate_limit_exceeded",
    "something new": "new_error",
}


async def test_each_known_error_of_a_login_has_its_own_advice(tmp_path: Path) -> None:
    told = {}
    for description, error in OAUTH_ERRORS.items():
        with login_host(Answer.of({"error": error, "error_description": description}, 400)) as url:
            place = Place(url, tmp_path)
            told[description] = await place.refusal_with(client_id="x", refresh_token="SECRET-OF-THE-TEST")
    assert told == snapshot(
        {
            "Audience validation failed": 'URL refused the login (invalid_grant, "Audience validation failed"). The login host is not that of the org: login_url (SALESFORCE_LOGIN_URL) is `login` for production, `test` for a sandbox.',
            "expired authorization code": 'URL refused the login (invalid_grant, "expired authorization code"). The clock of this machine is wrong by minutes, so the assertion has expired: set it.',
            "no client credentials user enabled": 'URL refused the login (invalid_grant, "no client credentials user enabled"). The app has no user to run as: in Setup, enable the client credentials flow and choose "Run As" in its policies.',
            "grant type not supported": 'URL refused the login (unsupported_grant_type, "grant type not supported"). The app does not allow this way to log in, or the host does not: client credentials go to the My Domain alone.',
            "inactive user": 'URL refused the login (inactive_user, "inactive user"). The user is not active.',
            "login rate exceeded": 'URL refused the login (rate_limit_exceeded, "login rate exceeded"). The org takes no more logins for now: wait some minutes.',
            "something new": 'URL refused the login (new_error, "something new"). Check the settings of the app in Setup.',
        }
    )


@pytest.mark.parametrize("before", ["no such token: ", "x" * 490])
@pytest.mark.parametrize("secret", ["SECRET-OF-THE-TEST", "SECRET-OF\\THE-TEST"])
async def test_a_login_that_quotes_the_secret_is_told_without_it(secret: str, before: str, tmp_path: Path) -> None:
    quoting = Answer.of({"error": "invalid_grant", "error_description": f"{before}{secret}"}, 400)
    with login_host(quoting) as url:
        told = await Place(url, tmp_path).refusal_with(client_id="x", refresh_token=secret)
    assert "SECRET-OF" not in told
    assert f"{before}***" in told


@pytest.mark.parametrize(
    "answered",
    [
        "https://evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://evil.salesforce.com",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://user@acme.my.salesforce.com",
        "https://acme.lightning.force.com",
        "https://login.salesforce.com",
        "",
        "\x1b]0;x\x07 https://evil.example\nNext: call",
    ],
)
async def test_no_token_goes_to_a_host_that_is_not_salesforce_s(answered: str, tmp_path: Path) -> None:
    with login_host(Answer.of({"access_token": "00D!A", "instance_url": answered})) as url:
        told = await Place(url, tmp_path).refusal_with(client_id="x", refresh_token="r")
    assert told.startswith("The login answered that the org is at ")
    assert "no host of Salesforce's API" in told
    assert "\n" not in told and "\x1b" not in told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(200, b"<html>"), "URL gave no access token"),
        (Answer.of({"instance_url": "https://acme.my.salesforce.com"}), "URL gave no access token"),
        (
            Answer.of({"access_token": "two words", "instance_url": "https://acme.my.salesforce.com"}),
            "URL gave no access token",
        ),
        (Answer(404, b"<html>"), "URL refused the login (UNKNOWN_EXCEPTION, "),
    ],
    ids=["a page", "no token", "no word", "404"],
)
async def test_an_answer_that_is_no_login_is_told(answer: Answer, told: str, tmp_path: Path) -> None:
    with login_host(answer) as url:
        assert (await Place(url, tmp_path).refusal_with(client_id="x", refresh_token="r")).startswith(told)


async def test_a_token_that_has_ended_before_can_be_ended_once_more(org: str) -> None:
    async with open_http(trust_env=False) as http:
        flow = WebFlow(TokenEndpoint(http, org, [org]), CLIENT_ID, None, REDIRECT_URI)
        granted = await flow.granted(parameters_of(answer_of_the_user(flow.url)))
        assert granted.refresh_token is not None
        for _ in range(2):
            await flow.endpoint.revoke(granted.refresh_token)


async def test_a_host_that_does_not_end_a_token_is_told() -> None:
    with login_host(Answer.of({"error": "unsupported_token_type"}, 400)) as url:
        async with open_http(trust_env=False) as http:
            with pytest.raises(NoCredentials, match="unsupported_token_type"):
                await TokenEndpoint(http, url).revoke(SecretStr("A.TOKEN.OF.A.USER"))
