"""The servers that clients connect to, and the data that they load."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.salesforce_emulator.caller import FAULTS, JOURNAL, Caller, calling
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started

# Cells that stay whole only if the client and the org write and read CSV properly.
AWKWARD = {
    "comma": "Acme, Inc.",
    "quotes": 'Say "hi", she said "',
    "delimiters": "a;b|c^d`e\tf",
    "line break": "first\nsecond",
    "separator": "one line\u2028to most",
    "accents": "Ångström & Söhne, Zürich",
    "wide": "東京 😀",
    "formula": "=1+1",
    "markup": "<b>&amp;</b>",
}


@dataclass(frozen=True)
class AppKey:
    """The key of a connected app: the client has the private key in a file, the org knows the public key."""

    file: Path
    public_pem: str

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        key = generate_private_key(public_exponent=65537, key_size=2048)
        file = folder / "app.key"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(file, public.decode())


@dataclass(frozen=True)
class Product:
    """A running product, and a client of its embedded org, which shows the records that were loaded."""

    rest_url: str
    org: Caller

    @property
    def url(self) -> str:
        """The base URL of Salesforce's own paths."""
        return self.rest_url.removesuffix("/v1")


@contextmanager
def serving_product(folder: Path) -> Iterator[Product]:
    """Run `serve --emulator` in a process of its own."""
    with started(fresh_environ(folder), *SERVE_EMBEDDED) as server, calling(server.url("org's URL")) as org:
        yield Product(server.url("REST"), org)


def stored(org: Caller, *fields: str, object_: str = "Account") -> list[tuple[Any, ...]]:
    """The fields of all records of an object, sorted."""
    records = org.query(f"SELECT {', '.join(fields)} FROM {object_}")["records"]
    return sorted(tuple(record[field] for field in fields) for record in records)


def named(org: Caller, *names: str) -> list[str]:
    """Create accounts with these names; return their ids in the same order."""
    job = org.load("Name\n" + "".join(f"{name}\n" for name in names))
    ids = {row["Name"]: row["sf__Id"] for row in org.succeeded(job)}
    return [ids[name] for name in names]


def rows_of(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV text."""
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def meet(org: Caller, **rule: Any) -> None:
    """Put a fault in force in the org, which happens once unless the rule says otherwise."""
    org.go_wrong({"times": 1, **rule})


def faults_met(org: Caller) -> int:
    """How often the fault has happened."""
    return sum(rule["fired"] for rule in org.http.get(FAULTS).json()["rules"])


def asked_for(org: Caller, operation: str) -> list[int]:
    """The status of each request for this operation, in the journal of the org."""
    requests = org.http.get(JOURNAL).json()["requests"]
    return [request["status"] for request in requests if request["operation"] == operation]
