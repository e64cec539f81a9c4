"""The URL of an org: which hosts a token may be sent to."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
INSTANCE_PATTERN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)

PAGE_HOSTS = (
    ".force.com", ".my.site.com", ".my.salesforce-setup.com", ".visualforce.com", ".documentforce.com",
)  # fmt: skip
"""Hosts of Salesforce's pages, some of them written by customers: they have no API, and no token may be sent to them."""

LOGIN_HOSTS = {"login": "https://login.salesforce.com", "test": "https://test.salesforce.com"}
"""The login hosts of production and of sandboxes, by their names in the settings."""

API_HOST = re.compile(
    r"([a-z0-9-]+\.){1,3}my\.salesforce\.com"  # My Domains, with partitions such as sandbox and older instances
    r"|[a-z]{2,4}\d+\.salesforce\.com"  # na139, cs42, usa77
    r"|([a-z0-9-]+\.)+sfdc-[a-z0-9]+\.salesforce\.com"  # Hyperforce
)
"""The hosts of Salesforce's API (Salesforce Help, My Domain URL Formats; seen in sfdx-core's sfdcUrl.ts)."""


def instance_url(given: str) -> str:
    """Return the origin to send the token to, from `acme.my`, `acme.my.salesforce.com` or a whole URL.

    Raises:
        ValueError: the value is no https origin (http is accepted for loopback only), or a host of pages.
    """
    given = given.strip()
    scheme, host, port = _parts_of_url(given) if "//" in given else ("https", _host_of_name(given), None)
    if scheme != "https" and not (scheme == "http" and host in LOOPBACK_HOSTS):
        raise ValueError(
            "expected https:// (http:// is taken for this machine only, so that no token travels in clear)"
        )
    if f".{host}".endswith(PAGE_HOSTS):
        raise ValueError("that host shows pages and has no API: expected a My Domain name such as acme.my")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port is None else f"{scheme}://{shown}:{port}"


def _host_of_name(name: str) -> str:
    if not INSTANCE_PATTERN.fullmatch(name):
        raise ValueError("expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com")
    name = name.lower()
    whole = name.endswith((".salesforce.com", ".salesforce.mil")) or f".{name}".endswith(PAGE_HOSTS)
    return name if whole else f"{name}.salesforce.com"


def _parts_of_url(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            ipaddress.IPv6Address(host)
        elif not INSTANCE_PATTERN.fullmatch(host):
            raise ValueError
    except ValueError:
        raise ValueError("expected a URL such as https://acme.my.salesforce.com") from None
    if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected scheme and host only, such as https://acme.my.salesforce.com")
    return parts.scheme, host, port


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def login_url(given: str) -> str:
    """Return the origin of a login host, from `login`, `test`, or what may be an instance.

    Raises:
        ValueError: the value is no https origin (http is accepted for loopback only), or a host of pages.
    """
    return LOGIN_HOSTS.get(given.strip().lower()) or instance_url(given)


def trusted_instance_url(answered: str, configured: Collection[str]) -> str:
    """Return the URL of an org as a login answered it.

    Args:
        answered: the text of the answer.
        configured: the origins that the settings name.

    Raises:
        ValueError: the host is neither one of Salesforce's API nor one that the settings name.
    """
    url = instance_url(answered)
    parts = urlsplit(url)
    if url not in configured and not (
        parts.scheme == "https" and parts.port in (None, 443) and API_HOST.fullmatch(parts.hostname or "")
    ):
        raise ValueError("expected a host of Salesforce's API")
    return url
