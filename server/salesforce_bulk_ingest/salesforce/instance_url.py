"""The URL of an org: which hosts a token may be sent to."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS, in_url, is_safe

INSTANCE_PATTERN = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", re.IGNORECASE)

PAGE_HOSTS = (
    ".force.com", ".my.site.com", ".my.salesforce-setup.com", ".visualforce.com", ".documentforce.com",
)  # fmt: skip
"""Hosts of Salesforce's pages, some of them written by customers: they have no API, and no token may be sent to them."""

LOGIN_HOSTS = {"login": "https://login.salesforce.com", "test": "https://test.salesforce.com"}
"""The login hosts of production and of sandboxes, by their names in the settings."""

API_HOST = re.compile(
    r"([a-z0-9-]+\.){1,3}my\.salesforce\.com"  # My Domains, with partitions such as sandbox and older instances
    r"|[a-z]{2,3}\d+\.salesforce\.com"  # na139, cs42, usa77
    r"|([a-z0-9-]+\.)+sfdc-[a-z0-9]+\.salesforce\.com"  # Hyperforce
)
"""The hosts of Salesforce's API (Salesforce Help, My Domain URL Formats; seen in sfdx-core's sfdcUrl.ts)."""


PARTITIONS = ("sandbox", "develop", "scratch", "demo", "patch", "free", "trailblaze", "bt", "sfdctest")
"""The kinds of orgs that are told by a part of the host (Salesforce Help, My Domain URL Formats; seen in sfdx-core)."""

_NOT_AN_ORG = ("login", "test", "www", "help")
_ONE_LABEL = re.compile(r"([a-z0-9-]+)\.salesforce\.com")
_GIVEN = re.compile(r"(?P<scheme>https?://)?(?P<host>[a-z0-9.-]+?)(?P<port>:[0-9]{1,5})?([/?#].*)?", re.IGNORECASE)
_MAY_BE_SHOWN = re.compile(r"(?=.{1,40}$)(?!.*([0-9a-f]-*){16})(?!([^0-9]*[0-9]){8})[a-z][a-z0-9]*(-{1,2}[a-z0-9]+)*")
"""A part of a host as people choose and write one, once a capital at its beginning is taken for a small letter. A secret
that somebody has put there is longer, has many digits of base 16 in a row or many of base 10, or has capitals."""

UNSHOWN = "that host"
"""What stands in a message for a host that may be a secret."""

LONGEST_SHOWN = 100
"""The most characters of a host that is shown; those of orgs are shorter."""

ONE_NAME = "expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com"


def instance_url(given: str) -> str:
    """Return the origin to send the token to, from `acme.my`, `acme.my.salesforce.com` or a whole URL.

    Raises:
        ValueError: the value is no https origin (http is accepted for loopback only), or no host of the API. The message
            says what the value may be meant to be, as far as that shows no secret.
    """
    given = given.strip()
    try:
        scheme, host, port = _parts_of_url(given) if "//" in given else ("https", _host_of_name(given), None)
        _check_host(scheme, host, _shown(given))
    except ValueError as error:
        meant = _meant(given)
        raise ValueError(f"{error}; did you mean {meant!r}?" if meant else str(error)) from None
    origin = f"{scheme}://{in_url(host)}"
    return origin if port is None else f"{origin}:{port}"


def _check_host(scheme: str, host: str, shown: str) -> None:
    if not is_safe(f"{scheme}://{in_url(host)}"):
        raise ValueError(
            "expected https:// (http:// is taken for this machine only, so that no token travels in clear)"
        )
    if f".{host}".endswith(PAGE_HOSTS):
        raise ValueError(f"{shown} shows pages and has no API: expected a My Domain name such as acme.my")
    if f"https://{host}" in LOGIN_HOSTS.values():
        raise ValueError(
            f"{shown} is a login host and no org: expected a My Domain name such as acme.my; login_url names the "
            "login host"
        )
    if _ONE_LABEL.fullmatch(host) and not API_HOST.fullmatch(host):
        raise _no_name(shown)


def _host_of_name(name: str) -> str:
    shown = _shown(name)
    if not INSTANCE_PATTERN.fullmatch(name):
        raise _no_name(shown)
    name = name.lower()
    if f".{name}".endswith(PAGE_HOSTS) or name.endswith(".my.salesforce.mil"):
        return name
    host = name if name.endswith(".salesforce.com") else f"{name}.salesforce.com"
    if not API_HOST.fullmatch(host) and f"https://{host}" not in LOGIN_HOSTS.values():
        raise _no_name(shown)
    return host


def _no_name(shown: str) -> ValueError:
    return ValueError(ONE_NAME if shown == UNSHOWN else f"{ONE_NAME}, not {shown}")


def _shown(given: str) -> str:
    """Return the host of what was given as a part of a message, in the case of its letters; one that may be a secret is not
    shown."""
    found = _GIVEN.fullmatch(given)
    host = found["host"] if found is not None else ""
    return repr(host) if _may_be_shown(host) else UNSHOWN


def _may_be_shown(host: str) -> bool:
    parts = (part[:1].lower() + part[1:] for part in host.split("."))
    return len(host) <= LONGEST_SHOWN and all(map(_MAY_BE_SHOWN.fullmatch, parts))


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


def _meant(given: str) -> str | None:
    """Return what to write in place of a value that is no instance; None where that isn't clear, or may be a secret."""
    found = _GIVEN.fullmatch(given)
    if found is None:
        return None
    first, *others = found["host"].split(".")
    host = found["host"].lower()
    if host in LOOPBACK_HOSTS:
        return f"http://{host}{found['port']}" if found["port"] else None
    name = first.removesuffix("--c")  # the host of Visualforce pages and files
    if name.lower() in _NOT_AN_ORG or not _may_be_shown(name):
        return None
    if API_HOST.fullmatch(host):
        if not _may_be_shown(found["host"]):
            return None
        return host.removesuffix(".salesforce.com")
    partition = next((part for part in PARTITIONS if others and others[0].lower() == part), None)
    is_of_salesforce = f".{host}".endswith((".salesforce.com", *PAGE_HOSTS)) or host == f"{first}.{partition}".lower()
    if not is_of_salesforce and (others or found["scheme"]):
        return None
    if partition is None and "--" in name:
        partition = "sandbox"
    return ".".join(part for part in (name.lower(), partition, "my") if part)


def login_url(given: str) -> str:
    """Return the origin of a login host, from `login`, `test`, or what may be an instance.

    Raises:
        ValueError: the value is no https origin (http is accepted for loopback only), or a host of pages.
    """
    name = given.strip().lower().removeprefix("https://").rstrip("/").removesuffix(".salesforce.com")
    return LOGIN_HOSTS.get(name) or instance_url(given)


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
