"""This machine as the host of a URL: the one host to which plain HTTP is safe."""

from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names and addresses of this machine that no other machine reaches."""


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def is_safe(url: str) -> bool:
    """Return whether nobody on the way to the host of a URL can read or change what is sent and answered."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)


def in_url(host: str) -> str:
    """Return a host as URLs and Host headers spell it, which put an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
