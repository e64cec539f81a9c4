"""Which org this is, in words: an answer about writing has to say where it wrote."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from salesforce_bulk_ingest.salesforce.auth import is_loopback

# Host forms: My Domain URL formats, as listed by sfdx-core's sfdcUrl.ts (seen).
_KINDS = (
    (re.compile(r"\.sandbox\.my\.|--[a-z0-9]+\.(cs\d+\.)?my\.|^(cs\d+|test)\."), "sandbox"),
    (re.compile(r"\.scratch\.my\."), "scratch org"),
    (re.compile(r"\.(develop|trailblaze|demo|patch|free)\.my\."), "developer or demo org"),
    (re.compile(r"\.salesforce\.(com|mil)$"), "production"),
)


EMBEDDED = "embedded org"


@dataclass(frozen=True, slots=True)
class Org:
    """The org that a server writes to."""

    host: str
    kind: str

    @property
    def is_embedded(self) -> bool:
        """Whether it is this program's own, on this machine."""
        return self.kind == EMBEDDED

    def __str__(self) -> str:
        return f"{self.host} ({self.kind})" if self.host != self.kind else self.kind


def org_at(instance_url: str, *, embedded: bool) -> Org:
    """Name the org behind an origin by its host alone; nothing is asked."""
    parts = urlsplit(instance_url)
    if embedded:
        return Org(EMBEDDED, EMBEDDED)
    if is_loopback(instance_url):
        return Org(parts.netloc, "local org")
    host = parts.hostname or instance_url
    return Org(host, next((kind for form, kind in _KINDS if form.search(host)), "unknown kind of org"))
