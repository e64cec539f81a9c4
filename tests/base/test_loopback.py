"""Which URLs are this machine, and which are safe from everybody else."""

import pytest

from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS, in_url, is_loopback, is_safe


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("https://127.0.0.1.evil.com", False),
        ("https://acme.my.salesforce.com", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback
    assert is_safe(url) == (loopback or url.startswith("https:"))


@pytest.mark.parametrize(
    "url", ["http://evil.example", "http://127.0.0.1.evil.com", "ftp://127.0.0.1", "http://[", "/x"]
)
def test_plain_http_to_others_and_what_is_no_url_is_not_safe(url: str) -> None:
    assert not is_safe(url)


def test_an_address_of_ipv6_stands_in_brackets_in_a_url() -> None:
    assert {in_url(host) for host in LOOPBACK_HOSTS} == {"127.0.0.1", "localhost", "[::1]"}
