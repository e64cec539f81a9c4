"""Sources of the access token: the settings, or the official CLI's login. The token is held in memory only."""

import ipaddress
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
CLI_LOGIN_SECONDS = 20
"""The longest time of both of the CLI's commands together: well under the time of the call that waits for them."""
INSTANCE_PATTERN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
TOKEN_PATTERN = re.compile(r"[!-~]+")

PAGE_HOSTS = (
    ".force.com", ".my.site.com", ".my.salesforce-setup.com", ".visualforce.com", ".documentforce.com",
)  # fmt: skip
"""Hosts of Salesforce's pages, some of them written by customers: they have no API, and no token may be sent to them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The URL of an org and an access token for it; the token is masked in `repr`."""

    instance_url: str
    access_token: SecretStr


class CredentialSource(Protocol):
    """A source of credentials."""

    async def credentials(self) -> Credentials:
        """Return the current credentials.

        Raises:
            NoCredentials: there are no credentials; the message says what to do.
        """
        ...

    def discard(self, stale: Credentials) -> bool:
        """Forget credentials that Salesforce refused; return whether the source may give others now."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """The credentials in the settings, which can't be renewed."""

    current: Credentials

    async def credentials(self) -> Credentials:
        return self.current

    def discard(self, stale: Credentials) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class MissingCredentials:
    """The stand-in where the settings name no org: the server starts all the same, and each call raises the reason."""

    reason: str

    async def credentials(self) -> Credentials:
        raise NoCredentials(self.reason)

    def discard(self, stale: Credentials) -> bool:
        return False


class CliLogin:
    """The login of the official Salesforce CLI, by alias or user name.

    The host comes from `sf org display --json`, the token from `sf org auth show-access-token --json`
    (Salesforce CLI Command Reference). Both commands run once, and once more after Salesforce refused the token.

    Args:
        org: alias or user name, as in `sf org list`.
        executable: the CLI's name on the PATH, or its path.
    """

    def __init__(self, org: str, executable: str = "sf") -> None:
        self._org = org
        self._executable = executable
        self._current: Credentials | None = None
        self._one_at_a_time = anyio.Lock()

    async def credentials(self) -> Credentials:
        async with self._one_at_a_time:
            if self._current is None:
                self._current = await self._ask()
            return self._current

    def discard(self, stale: Credentials) -> bool:
        if self._current is stale:
            self._current = None
        return True

    async def _ask(self) -> Credentials:
        try:
            with anyio.fail_after(CLI_LOGIN_SECONDS):
                display = await self._run("org", "display")
                token = await self._run("org", "auth", "show-access-token")
        except TimeoutError:
            raise NoCredentials(f"The Salesforce CLI did not answer within {CLI_LOGIN_SECONDS} s.") from None
        try:
            return Credentials(instance_url(display["instanceUrl"]), SecretStr(checked_token(token["accessToken"])))
        except (KeyError, ValueError):
            raise NoCredentials(self._refused(("org", "display"))) from None

    async def _run(self, *command: str) -> dict[str, str]:
        # Never quote the CLI's output in an error: it holds the token.
        try:
            done = await anyio.run_process(
                [self._executable, *command, "--json", "--target-org", self._org],
                check=False,
                # The stdin of this process may carry an MCP client's messages, which the CLI must not read.
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NoCredentials(
                f"The Salesforce CLI ({self._executable!r}) could not be started: install it, or name its full path in "
                "SALESFORCE_CLI."
            ) from error
        if done.returncode != 0:
            raise NoCredentials(self._refused(command))
        return self._result(command, done.stdout)

    def _result(self, command: Sequence[str], output: bytes) -> dict[str, str]:
        try:
            result = json.loads(output)["result"]
        except (ValueError, KeyError, TypeError, RecursionError):
            result = None
        if not isinstance(result, dict):
            raise NoCredentials(self._refused(command))
        return {key: value for key, value in result.items() if isinstance(value, str)}

    def _refused(self, command: Sequence[str]) -> str:
        return (
            f"The Salesforce CLI gave no login for {self._org!r} (`sf {' '.join(command)}`): run "
            f"`sf org login web --alias {self._org}` once, or choose another alias in SALESFORCE_ORG."
        )


def checked_token(given: str) -> str:
    """Return the token without the white space around a copied text.

    Raises:
        ValueError: the text can't be a token. An HTTP library would quote it in an error, so it is refused before.
    """
    token = given.strip()
    if not TOKEN_PATTERN.fullmatch(token):
        raise ValueError("expected an access token: one word of plain characters")
    return token


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
