"""Reads the web pages of an org, for tests."""

from html.parser import HTMLParser

import httpx2

from tests.salesforce_emulator.caller import Caller


class PageContent(HTMLParser):
    """The visible content of a page.

    Attributes:
        words: text of the page, with single spaces.
        links: target of each link, by its text.
        tags: names of all start tags.
    """

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self._words: list[str] = []
        self.links: dict[str, str] = {}
        self.tags: list[str] = []
        self._href: str | None = None
        self.feed(answer.text)
        self.words = " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self._href = dict(attrs)["href"]
        if tag in ("div", "dd", "dt", "h1", "h2", "p", "td", "th", "tr"):
            self._words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._href is not None:
            self.links.setdefault(data.strip(), self._href)


def address_of(org: Caller) -> str:
    """The URL of the org."""
    return str(org.http.base_url).rstrip("/")


def look(org: Caller, path: str, status: int = 200) -> PageContent:
    """Fetch a page without a token."""
    answer = httpx2.get(address_of(org) + path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return PageContent(answer)
