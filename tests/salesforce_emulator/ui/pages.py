"""Reads the pages of an org as somebody with a browser sees them."""

from html.parser import HTMLParser

import httpx2

from tests.salesforce_emulator.caller import Caller


class Looked(HTMLParser):
    """A page as someone sees it: its words, and where its links lead."""

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
    return str(org.http.base_url).rstrip("/")


def look(org: Caller, path: str, status: int = 200) -> Looked:
    """The page as anybody gets it, without a token."""
    answer = httpx2.get(address_of(org) + path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Looked(answer)
