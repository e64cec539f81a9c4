"""The login that may open one organization alone."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SalesforceError, Unreachable
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET
from tests.salesforce.upstream import (
    Answer,
    Upstream,
)
from tests.support.asgi_server import running
from tests.support.canary import TOKEN
from tests.support.logins import Place
from tests.support.orgs import ERAS, Era, Recorder, paths_in, text_of

USER_INFO = "/services/oauth2/userinfo"
OURS, OTHER = "00D000000000001EAA", "00D000000000002EAA"
INSERT = {"object": "Account", "operation": "insert"}


async def test_the_expected_org_is_opened_by_an_id_of_either_length_and_by_every_way_to_log_in(place: Place) -> None:
    whole = await _organization_id(place)
    ways: list[dict[str, Any]] = [
        {"access_token": ACCESS_TOKEN},
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    ]
    for way in ways:
        for expected in (whole, whole[:15]):
            assert await place.organization_with(**way, expect_org=expected) == whole[:15]


async def _organization_id(place: Place) -> str:
    file = place.write("first.toml", f"instance_url = '{place.url}'\naccess_token = '{ACCESS_TOKEN}'".encode())
    async with open_services(load_settings({}, {}, file), paths_in(place.folder)) as services:
        return (await services.client.org()).organization_id or ""


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("source", ["file", "environment"])
async def test_another_org_gets_no_call_but_the_question_which_one_it_is(era: Era, source: str, tmp_path: Path) -> None:
    org = Recorder(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    with running(org) as url:
        values = {"instance_url": url, "access_token": ACCESS_TOKEN, "expect_org": OTHER}
        file = Place(url, tmp_path).write("settings.toml", _toml(values if source == "file" else {}))
        names = {"instance_url": "INSTANCE_URL", "access_token": "AUTOMATION_API_KEY", "expect_org": "EXPECT_ORG"}
        environ = {f"SALESFORCE_{names[name]}": value for name, value in values.items()}
        settings = load_settings({}, environ if source == "environment" else {}, file)
        async with (
            open_services(settings, replace(paths_in(tmp_path), settings_file=file)) as services,
            Client(build_mcp(services, None), mode=era) as tools,
            httpx2.AsyncClient(transport=httpx2.ASGITransport(build_rest(services.gateway))) as rest,
        ):
            created = await tools.call_tool("create-ingest-job", {"body": INSERT})
            answers = [
                await rest.post("http://127.0.0.1/v1/jobs/ingest", json=INSERT),
                await rest.put("http://127.0.0.1/v1/jobs/ingest/750000000000001AAA/batches", content=b"Name\nAcme\n"),
            ]
    assert {call.partition("?")[0] for call in org.calls} == {f"GET {USER_INFO}"}
    text = re.sub(r"00DEm\w{13}", "00DEm", text_of(created).replace(url.removeprefix("http://"), "HOST"))
    assert text == snapshot("""\
SERVER_UNAVAILABLE: expect_org is 00D000000000002EAA, but this login opens 00DEm (HOST): no other call was made. Choose the login of the org that is meant, or change expect_org (SALESFORCE_EXPECT_ORG).
Next: Tell the user; nothing can be loaded until then.\
""")
    for answer in answers:
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
        assert "expect_org is 00D000000000002EAA, but this login opens 00DEm" in answer.json()[0]["message"]


def _toml(values: Mapping[str, str]) -> bytes:
    return "\n".join(f"{name} = '{value}'" for name, value in values.items()).encode()


async def _error_of(upstream: Upstream, folder: Path) -> SalesforceError:
    """The error of a list of jobs at an org with prepared answers, for a token that may be renewed."""
    with running(upstream) as url:
        values = {"instance_url": url, "client_id": "x", "client_secret": "y", "expect_org": OURS}
        file = Place(url, folder).write("settings.toml", _toml(values))
        granted = ({"access_token": f"{TOKEN}{number}", "instance_url": url} for number in count(1))
        upstream.answers[:] = [Answer.of(next(granted)) if not answer.status else answer for answer in upstream.answers]
        async with open_services(load_settings({}, {}, file), paths_in(folder)) as services:
            with pytest.raises(SalesforceError) as raised:
                await services.client.create_job(INSERT)
    raised.value.args = (str(raised.value).replace(url, "URL").replace(url.removeprefix("http://"), "HOST"),)
    return raised.value


LOGIN = Answer(0)
"""Stands for the answer to a login."""


async def test_a_renewed_session_that_opens_another_org_gets_no_call(tmp_path: Path) -> None:
    ours, other = (Answer.of({"organization_id": known}) for known in (OURS, OTHER))
    upstream = Upstream([LOGIN, ours, Answer(401), LOGIN, other])
    error = await _error_of(upstream, tmp_path)
    assert isinstance(error, NoCredentials) and str(error) == snapshot(
        "expect_org is 00D000000000001EAA, but this login opens 00D000000000002EAA (HOST): no other call was made. Choose the login of the org that is meant, or change expect_org (SALESFORCE_EXPECT_ORG)."
    )
    sent_with_second = [seen.path for seen in upstream.seen if seen.headers.get("authorization", "").endswith("TESTS2")]
    assert sent_with_second == [USER_INFO]


@pytest.mark.parametrize("answer", [Answer(403), Answer(404), Answer.of({"user_id": "005000000000001AAA"})])
async def test_a_login_that_does_not_tell_its_organization_is_refused(answer: Answer, tmp_path: Path) -> None:
    upstream = Upstream([LOGIN, answer])
    error = await _error_of(upstream, tmp_path)
    assert isinstance(error, NoCredentials) and str(error) == snapshot(
        "expect_org is 00D000000000001EAA, and this login does not tell which organization it opens (HOST): no other call was made. Its scopes have to allow /services/oauth2/userinfo."
    )
    assert [seen.path for seen in upstream.seen] == ["/services/oauth2/token", USER_INFO]


async def test_an_org_that_is_out_of_order_may_be_called_later_since_nothing_was_sent(tmp_path: Path) -> None:
    upstream = Upstream([LOGIN, Answer(503)] * 9)
    error = await _error_of(upstream, tmp_path)
    assert isinstance(error, Unreachable) and error.nothing_sent
    assert str(error) == snapshot(
        "The login failed. Which organization it opens can't be learned: Salesforce answered with status 503 and no explanation."
    )


async def test_a_token_that_has_ended_is_told_as_such(tmp_path: Path) -> None:
    error = await _error_of(Upstream([LOGIN, Answer(403, b"Bad_OAuth_Token")]), tmp_path)
    assert (type(error).__name__, str(error)) == snapshot(("SessionExpired", "Session expired or invalid"))
