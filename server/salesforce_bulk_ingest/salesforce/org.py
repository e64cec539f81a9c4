"""The org by host, kind and organization: answers about writes name it, and records on this machine are by its key."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from salesforce_bulk_ingest.base.loopback import is_loopback
from salesforce_bulk_ingest.base.text import quoted

SANDBOX = "sandbox"

PRODUCTION, SANDBOX, SCRATCH, DEVELOPER = "production", "sandbox", "scratch org", "developer or demo org"
LOCAL, UNKNOWN = "local org", "unknown kind of org"

# Host forms: My Domain URL formats, as listed by sfdx-core's sfdcUrl.ts (seen).
_KINDS = (
    (re.compile(r"\.sandbox\.my\.|--[a-z0-9]+\.(cs\d+\.)?my\.|^(cs\d+|test)\."), SANDBOX),
    (re.compile(r"\.scratch\.my\."), SCRATCH),
    (re.compile(r"\.(develop|trailblaze|demo|patch|free)\.my\."), DEVELOPER),
    (re.compile(r"\.salesforce\.(com|mil)$"), PRODUCTION),
)


EMBEDDED = "embedded org"
LONGEST_ORG_NAME = 80
"""The most characters of an organization's name (Object Reference, Organization)."""

ORGANIZATION_ID = re.compile(r"00D[0-9A-Za-z]{12}([A-Z0-5]{3})?", re.ASCII)
"""The id of an organization, of 15 or 18 characters (Salesforce Help, Standard Field Record ID Prefix Decoder)."""

_SUFFIX_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def checked_organization_id(given: str) -> str:
    """Return the id of an organization as it was given, without white space around it.

    Raises:
        ValueError: it is none, or is mistyped.
    """
    text = given.strip()
    if not ORGANIZATION_ID.fullmatch(text):
        raise ValueError("expected the id of an organization: 15 or 18 letters and digits that begin with 00D")
    if text[15:] not in ("", _suffix(text)):
        raise ValueError("expected the id of an organization; its last three characters do not fit the others")
    return text


def is_same_organization(one: str, other: str) -> bool:
    """Return whether two ids, of 15 or 18 characters, are of one organization."""
    return one[:15] == other[:15]


def _suffix(text: str) -> str:
    """Return the last three characters of an id, which tell the capitals of the others, five by each, the first the lowest
    bit (Salesforce Help, 15-character and 18-character ids)."""
    fives = (text[start : start + 5] for start in (0, 5, 10))
    return "".join(
        _SUFFIX_CHARACTERS[sum(letter.isupper() << place for place, letter in enumerate(five))] for five in fives
    )


@dataclass(frozen=True, slots=True)
class Org:
    """The org that a server writes to.

    Attributes:
        host: the host of the org, with the port of a local org; for the embedded org, its kind.
        kind: the kind of org in words, such as `production` or `sandbox`.
        organization_id: the id of the organization, 15 or 18 characters; None where the login does not tell it.
        name: the name that people gave the organization, a text of others; None where it is not told.
    """

    host: str
    kind: str
    organization_id: str | None = None
    name: str | None = None

    @property
    def key(self) -> str:
        """What records of the org are kept under: its organization, since an org may have several hosts, else the host."""
        return self.organization_id[:15] if self.organization_id else self.host

    @property
    def is_embedded(self) -> bool:
        """Whether the org is the embedded one, which this program runs on this machine."""
        return self.kind == EMBEDDED

    @property
    def may_be_production(self) -> bool:
        """Whether the org is production, or of an unknown kind."""
        return self.kind in (PRODUCTION, UNKNOWN)

    def __str__(self) -> str:
        """Return the org as people know it; the address of an org on this machine tells nobody anything."""
        if self.is_embedded:
            return self.kind
        if self.name is None:
            return f"{self.host} ({self.kind})"
        host = "" if is_loopback(f"http://{self.host}") else f", {self.host}"
        return f"{quoted(self.name, LONGEST_ORG_NAME)} ({self.kind}{host})"


@dataclass(frozen=True, slots=True)
class ConfiguredOrg:
    """The org as far as the settings tell it, without a call.

    Attributes:
        name: the name of its table in the settings, or None.
        org: the org at its host; None where the login alone knows the host.
        login: the login that knows the host, in words; None without one.
        may_be_production: whether the org is production, or of an unknown kind.
    """

    name: str | None = None
    org: Org | None = None
    login: str | None = None
    may_be_production: bool = False


UNCONFIGURED = ConfiguredOrg()
"""The settings name no org."""


def org_at(instance_url: str, *, embedded: bool) -> Org:
    """Return the org at an instance URL, without a call: its kind is derived from the host, its organization unknown."""
    parts = urlsplit(instance_url)
    if embedded:
        return Org(EMBEDDED, EMBEDDED)
    if is_loopback(instance_url):
        return Org(parts.netloc, LOCAL)
    host = parts.hostname or instance_url
    return Org(host, next((kind for form, kind in _KINDS if form.search(host)), UNKNOWN))
