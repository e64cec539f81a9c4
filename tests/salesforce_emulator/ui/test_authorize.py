"""The pages of the web server flow: the login page, the consent page, and what an app is told."""

from pathlib import Path

import httpx2
import pytest

from salesforce_emulator.config import CALLBACK_URL, CLIENT_ID, PASSWORD, USERNAME
from tests.salesforce_emulator.api.logins import anonymous, authorization_url
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import JOURNAL, Caller, an_org
from tests.salesforce_emulator.clocks import Clock
from tests.salesforce_emulator.ui.pages import PageContent
from tests.support.web_flow import answer_of_the_user, parameters_of

EVIL = "<script>alert(1)</script>'\"&amp;"
RIGHT = {"username": USERNAME, "pw": PASSWORD}


def content(answer: httpx2.Response, status: int = 200) -> PageContent:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return PageContent(answer)


def logged_in(org: Caller, **parameters: str | None) -> str:
    """The path of the consent page."""
    with anonymous(org) as browser:
        answer = browser.post(authorization_url(org, **parameters), data=RIGHT)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@doc("OAuth 2.0 Web Server Flow")
def test_who_logs_in_and_allows_is_sent_to_the_app_with_a_code_and_its_state(org: Caller) -> None:
    url = answer_of_the_user(authorization_url(org, state="a b&c=\xe9"))
    assert url.startswith(f"{CALLBACK_URL}?code=aPrx")
    assert parameters_of(url).keys() == {"code", "state"}
    assert parameters_of(url)["state"] == "a b&c=\xe9"
    assert parameters_of(answer_of_the_user(authorization_url(org, state=None))).keys() == {"code"}


@doc("OAuth 2.0 Authorization Errors")
@seen("the text: Salesforce's mobile SDKs")
def test_who_denies_is_sent_to_the_app_with_an_error_and_its_state(org: Caller) -> None:
    assert parameters_of(answer_of_the_user(authorization_url(org), allow=False)) == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "a state of ours",
    }


@doc("OAuth 2.0 Web Server Flow: login_hint fills in the name; prompt and display are taken")
def test_the_login_page_names_the_app_and_takes_a_hint(org: Caller) -> None:
    with anonymous(org) as browser:
        answer = browser.get(authorization_url(org, login_hint=USERNAME, prompt="login consent", display="page"))
    page = content(answer)
    assert f"so that the app {CLIENT_ID} can ask for access" in page.words
    assert f"This org has one user, {USERNAME}, with the password {PASSWORD}." in page.words
    assert f'value="{USERNAME}"' in answer.text
    assert "script" not in page.tags  # which would renew the page, and empty its form


@own
def test_a_password_of_ones_own_is_on_no_page(tmp_path: Path) -> None:
    with an_org(tmp_path, password="a secret of ours") as org, anonymous(org) as browser:
        assert "a secret" not in browser.get(authorization_url(org)).text


@assumed("the text: that of Salesforce's login page as people quote it")
@pytest.mark.parametrize("wrong", [{"pw": "nonsense"}, {"username": "nobody@example.com"}, {"username": "", "pw": ""}])
def test_a_wrong_name_or_password_leads_back_to_the_login_page(org: Caller, wrong: dict[str, str]) -> None:
    with anonymous(org) as browser:
        answer = browser.post(authorization_url(org), data=RIGHT | wrong)
        page = content(answer)
        assert "Please check your username and password." in page.words
        assert "nonsense" not in answer.text
        assert browser.post(authorization_url(org)).status_code == 200


@doc("OAuth Tokens and Scopes")
def test_the_consent_page_says_who_asks_for_what_and_where_the_answer_goes(org: Caller) -> None:
    with anonymous(org) as browser:
        words = content(browser.get(logged_in(org))).words
    for part in (CLIENT_ID, "Manage user data via APIs api", "Perform requests at any time refresh_token", USERNAME):
        assert part in words
    assert CALLBACK_URL in words


@doc("OAuth 2.0 Web Server Flow")
@assumed("status and look of the page, and that a missing scope is told to the callback URL")
@pytest.mark.parametrize(
    ("parameters", "error", "description"),
    [
        ({"client_id": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"client_id": None}, "invalid_client_id", "client identifier invalid"),
        ({"redirect_uri": None}, "redirect_uri_missing", "redirect_uri not provided"),
        (
            {"redirect_uri": "http://localhost:1718/OauthRedirect"},
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ),
        ({"redirect_uri": f"{CALLBACK_URL}/"}, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        ({"redirect_uri": f"{CALLBACK_URL}?x"}, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch", "redirect_uri must match configuration"),
    ],
)
def test_an_app_or_a_callback_url_that_is_not_known_is_told_on_a_page_alone(
    org: Caller, parameters: dict[str, str | None], error: str, description: str
) -> None:
    with anonymous(org) as browser:
        for answer in (
            browser.get(authorization_url(org, **parameters)),
            browser.post(authorization_url(org, **parameters), data=RIGHT),
        ):
            page = content(answer, 400)
            assert f"{error}: {description}" in page.words
            assert "We can't authorize you because of an OAuth error." in page.words
            assert CALLBACK_URL in page.words


@doc("OAuth 2.0 Authorization Errors: the error is sent to the callback URL")
@assumed("the texts, and that scopes of an app are few")
@pytest.mark.parametrize(
    ("parameters", "error", "description"),
    [
        ({"response_type": "token"}, "unsupported_response_type", "response type not supported"),
        ({"response_type": None}, "unsupported_response_type", "response type not supported"),
        ({"scope": "api everything"}, "invalid_scope", "the requested scope is not allowed"),
    ],
)
def test_what_an_app_may_not_ask_for_is_told_to_its_callback_url(
    org: Caller, parameters: dict[str, str | None], error: str, description: str
) -> None:
    with anonymous(org) as browser:
        answer = browser.get(authorization_url(org, **parameters))
    assert answer.status_code == 303
    assert parameters_of(answer.headers["Location"]) == {
        "error": error,
        "error_description": description,
        "state": "a state of ours",
    }


@own
def test_an_app_may_have_several_callback_urls_also_with_parameters_of_their_own(tmp_path: Path) -> None:
    urls = ("http://127.0.0.1:8/back?x=1", "myapp://oauth/back")
    with an_org(tmp_path, callback_urls=urls) as org:
        first, second = (answer_of_the_user(authorization_url(org, redirect_uri=url)) for url in urls)
    assert first.startswith("http://127.0.0.1:8/back?x=1&code=")
    assert second.startswith("myapp://oauth/back?code=")


@own
def test_a_consent_page_is_answered_once_and_within_15_minutes(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org, anonymous(org) as browser:
        answered, late = logged_in(org), logged_in(org)
        assert content(browser.get(answered)).words == content(browser.get(answered)).words
        assert browser.post(answered, data={"save": "Allow"}).status_code == 303
        clock.forward(minutes=15)
        for answer in (
            browser.post(answered, data={"save": "Allow"}),
            browser.get(late),
            browser.post("/setup/secur/RemoteAccessAuthorizationPage.apexp", data={"save": "Allow"}),
        ):
            assert "this page has expired or was answered" in content(answer, 400).words


@own
def test_what_an_app_sends_never_becomes_markup(tmp_path: Path) -> None:
    with (
        an_org(tmp_path, client_id=EVIL, callback_urls=(f"http://localhost/{EVIL}",)) as org,
        anonymous(org) as browser,
    ):
        asked = {"client_id": EVIL, "redirect_uri": f"http://localhost/{EVIL}"}
        pages = [
            browser.get(authorization_url(org, **asked, login_hint=EVIL)),
            browser.post(authorization_url(org, **asked), data={"username": EVIL, "pw": EVIL}),
            browser.get(logged_in(org, **asked)),
            browser.get(authorization_url(org, redirect_uri=EVIL)),
        ]
    for page in pages:
        assert EVIL in content(page, page.status_code).words
        assert "script" not in content(page, page.status_code).tags


@own
def test_the_pages_lead_nowhere_but_to_the_org_and_the_callback_url(org: Caller) -> None:
    with anonymous(org) as browser:
        policies = [
            browser.get(path).headers["Content-Security-Policy"] for path in (authorization_url(org), logged_in(org))
        ]
    targets = [policy.partition("form-action ")[2].partition(";")[0] for policy in policies]
    assert targets == ["'self'", "'self' http:"]
    assert all("frame-ancestors 'none'" in policy for policy in policies)


@own
def test_the_pages_are_not_for_sites_that_point_their_name_at_this_machine(org: Caller) -> None:
    with anonymous(org) as browser:
        for path in (authorization_url(org), logged_in(org)):
            assert browser.get(path, headers={"Host": "attacker.example"}).status_code == 421


@own
def test_the_journal_has_the_steps_of_a_login_but_nothing_secret(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        code = parameters_of(answer_of_the_user(authorization_url(org)))["code"]
        journal = org.http.get(JOURNAL)
    operations = [entry["operation"] for entry in journal.json()["requests"]]
    assert operations == ["authorize"] * 4
    assert not [secret for secret in (PASSWORD, code, "source", "a+state") if secret in journal.text]


@own
def test_a_fault_can_happen_to_a_login(tmp_path: Path) -> None:
    with an_org(tmp_path) as org, anonymous(org) as browser:
        org.go_wrong({"on": "authorize", "fault": "error-page", "times": 1})
        assert browser.get(authorization_url(org)).status_code == 502
        assert browser.get(authorization_url(org)).status_code == 200
