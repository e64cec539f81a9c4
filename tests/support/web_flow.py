"""A user who logs in on the pages of an embedded org and allows or denies access, without a browser."""

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx2

from salesforce_emulator.config import PASSWORD, USERNAME


class _Fields(HTMLParser):
    """The fields and buttons of the form on a page, by their names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("input", "button") and (name := given.get("name")):
            self.values[name] = given.get("value") or ""


def answer_of_the_user(
    authorization_url: str, *, allow: bool = True, username: str = USERNAME, password: str = PASSWORD
) -> str:
    """Return the URL to which the browser of a user is sent, who logs in and presses Allow or Deny."""
    with httpx2.Client(follow_redirects=False) as browser:
        login_page = browser.get(authorization_url)
        assert login_page.status_code == 200, login_page.text
        form = _fields_of(login_page) | {"username": username, "pw": password}
        to_consent = browser.post(authorization_url, data=form)
        assert to_consent.status_code == 303, to_consent.text
        consent_url = str(httpx2.URL(authorization_url).join(to_consent.headers["Location"]))
        buttons = _fields_of(browser.get(consent_url))
        pressed = "save" if allow else "cancel"
        return str(browser.post(consent_url, data={pressed: buttons[pressed]}).headers["Location"])


def parameters_of(url: str) -> dict[str, str]:
    """Return the parameters in the query of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _fields_of(page: httpx2.Response) -> dict[str, str]:
    assert page.status_code == 200, page.text
    return _Fields(page.text).values
