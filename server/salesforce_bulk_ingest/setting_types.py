"""The types of the settings: which values each takes, and what is said about one that it does not take."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from salesforce_bulk_ingest.base.loopback import is_safe
from salesforce_bulk_ingest.operations.confirmation import ConfirmRule
from salesforce_bulk_ingest.salesforce.credentials import pasted_token
from salesforce_bulk_ingest.salesforce.instance_url import instance_url, login_url
from salesforce_bulk_ingest.salesforce.models import Operation
from salesforce_bulk_ingest.salesforce.org import checked_organization_id

API_VERSION = re.compile(r"(4[1-9]|[5-9]\d)\.0")
"""The API versions that have ingest jobs, from 41.0 on (Bulk API 2.0 guide, Introduction)."""

REDIRECT_URI = "http://localhost:1717/OauthRedirect"
"""The callback URL of the official CLI (Salesforce CLI Command Reference, org login web)."""

CALLBACK_URL = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[1-9]\d{0,4})?/[\w.~/-]*", re.ASCII)
"""The callback URLs that this program can serve."""

LEAST_UPLOAD_BYTES = 1_000
MOST_UPLOAD_BYTES = 150_000_000 * 3 // 4
"""The number of bytes that 150 MB of base64 hold: Salesforce limits an upload after base64 (Bulk API 2.0 guide, Upload Job
Data)."""

HOST = re.compile(r"(?:[\w-]{1,63}(?:\.[\w-]{1,63})*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
ORIGIN = re.compile(rf"[a-z][a-z0-9+.-]*://{HOST.pattern}|null", re.ASCII | re.IGNORECASE)
"""A browser's Origin header (RFC 6454, 7); a page without an origin of its own sends `null`."""

MAY_BE_A_TOKEN = re.compile(r".*(!|-----BEGIN).*|[^/\\]{60,}", re.DOTALL)
"""A text that may be a token or a private key, and must not be shown: tokens are one long word, most with an exclamation
mark; no usual path of a folder is."""

IN_THE_WRONG_PLACE = (
    "that may be a secret, and would be shown; an access token is for access_token (SALESFORCE_AUTOMATION_API_KEY)"
)
"""The complaint about such a text where another is expected."""

OBJECT_PATTERN = re.compile(r"[A-Za-z0-9_*?]+")
"""The name of an object, or of certain objects, in which `*` and `?` stand for any characters."""

FIELD_PATTERN = re.compile(rf"({OBJECT_PATTERN.pattern}\.)?{OBJECT_PATTERN.pattern}")
"""The name of a field, or of fields of certain objects, in which `*` and `?` stand for any characters."""

STDERR = "stderr"
"""The value of `audit` for standard error."""

LEAST_KEY_CHARACTERS = 32

PUBLIC_URL = re.compile(rf"(?P<scheme>https?)://(?P<host>{HOST.pattern})/?", re.ASCII | re.IGNORECASE)
SCOPE = re.compile(r"[!#-\[\]-~]+")
"""A scope of an access token (RFC 6749, 3.3)."""

ORG_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""The name of an org: that of its table `[orgs.NAME]` in `settings.toml`."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _split_rules(value: object) -> object:
    # A comma also stands between the thousands of a number.
    rules = value
    if isinstance(value, str):
        rules = [part.strip() for part in re.split(r",(?!\d{3}\b)", value) if part.strip()]
    # A variable that is empty, and a flag that is not given, are not set.
    return [] if rules in (["none"], ("none",)) else rules


def _split_folders(value: object) -> object:
    # Folders are separated as in PATH, because the name of a folder may hold commas.
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _folder(value: Path) -> Path:
    try:
        folder = Path(os.path.abspath(value.expanduser()))
    except RuntimeError:  # `~name` of a user who does not exist
        folder = value
    if not folder.is_dir():
        named = "" if MAY_BE_A_TOKEN.fullmatch(str(value)) else f", not {folder}"
        raise ValueError(f"expected a folder that exists{named}")
    return folder


def _api_version(value: str) -> str:
    if not API_VERSION.fullmatch(value):
        raise ValueError("expected a version such as 63.0, 41.0 or later")
    return value


def _upload_bytes(value: int) -> int:
    if not LEAST_UPLOAD_BYTES <= value <= MOST_UPLOAD_BYTES:
        raise ValueError(
            f"expected {LEAST_UPLOAD_BYTES:,} to {MOST_UPLOAD_BYTES:,}: Salesforce takes 150 MB an upload as base64, which "
            "makes four bytes of three, and advises 100,000,000 at most"
        )
    return value


def _host(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError("expected a name as in a Host header, such as bulk.example or bulk.example:8443")
    return value


def _origin(value: str) -> str:
    if not ORIGIN.fullmatch(value):
        raise ValueError(
            "expected scheme and host and nothing after, such as https://app.example or http://localhost:3000"
        )
    return value


def _public_url(value: str) -> str:
    match = PUBLIC_URL.fullmatch(value)
    if match is None or not is_safe(value):
        raise ValueError(
            "expected scheme and host and nothing after, such as https://bulk.example (http:// for this machine only, so "
            "that no token travels in clear)"
        )
    return value.rstrip("/")


def _trusted_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_url = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username or parts.password)
    except ValueError:
        is_url = False
    if not is_url or not is_safe(value):
        raise ValueError("expected a URL such as https://login.example (http:// for this machine only)")
    return value


def _scope(value: str) -> str:
    if not SCOPE.fullmatch(value):
        raise ValueError("expected one scope: plain characters without spaces and quotes")
    return value


def _shown(value: str) -> str:
    """Return a value that is shown and handed to other programs, unless it may be a secret in the wrong place."""
    if MAY_BE_A_TOKEN.fullmatch(value):
        raise ValueError(IN_THE_WRONG_PLACE)
    return value


def _program(value: str) -> str:
    return value if os.path.dirname(value) else _shown(value)


def _consumer_key(value: str) -> str:
    # It is as long as a secret is, but has no exclamation mark.
    return value if "!" not in value else _shown(value)


def _username(value: str) -> str:
    return value if "@" in value else _shown(value)


def _token(value: SecretStr) -> SecretStr:
    return SecretStr(pasted_token(value.get_secret_value()))


def _file(value: Path) -> Path:
    # Whether the file is there is told by the login, which reads it.
    given = str(value)
    if value == Path():  # an empty text, too
        raise ValueError("expected the path of a file")
    if "-----BEGIN" in given or "\n" in given:
        raise ValueError("expected the path of a file, not the text that is in it")
    _shown(given)
    try:
        return Path(os.path.abspath(value.expanduser()))
    except RuntimeError:  # `~name` of a user who does not exist
        return value


def _redirect_uri(value: str) -> str:
    if not CALLBACK_URL.fullmatch(value):
        raise ValueError(
            f"expected a URL of this machine, such as {REDIRECT_URI}, as it is among the app's callback URLs"
        )
    return value


def _secret(value: SecretStr) -> SecretStr:
    return SecretStr(pasted_token(value.get_secret_value(), "one word of plain characters"))


def _field_pattern(value: str) -> str:
    if not FIELD_PATTERN.fullmatch(value):
        raise ValueError("expected the name of one field, such as SSN__c, *Email* or Contact.*Email*")
    for name in value.split("."):
        _shown(name)
    return value


def _org_name(value: str) -> str:
    if not ORG_NAME.fullmatch(value):
        raise ValueError("expected the name of an [orgs.NAME] table: at most 40 letters, digits, - and _")
    return value


def _object_pattern(value: str) -> str:
    if not OBJECT_PATTERN.fullmatch(value):
        raise ValueError("expected the API name of one object, such as Account or *__c")
    return _shown(value)


def _confirm_rule(value: str) -> str:
    ConfirmRule.parse(value)
    return value


def _confirm_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < LEAST_KEY_CHARACTERS:
        raise ValueError(f"expected at least {LEAST_KEY_CHARACTERS} characters, which nobody can guess")
    return value


def _audit_place(value: str) -> str:
    if value in ("-", "stdout"):
        raise ValueError(f"expected the path of a file, or {STDERR}")
    return value if value == STDERR else str(_file(Path(value)))


Folder = Annotated[Path, AfterValidator(_folder)]
Folders = Annotated[tuple[Folder, ...], BeforeValidator(_split_folders)]
Host = Annotated[str, AfterValidator(_host)]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
Operations = Annotated[tuple[Literal["delete", "hardDelete"], ...], BeforeValidator(_split)]
DeniedOperations = Annotated[tuple[Operation, ...], BeforeValidator(_split)]
ObjectPatterns = Annotated[tuple[Annotated[str, AfterValidator(_object_pattern)], ...], BeforeValidator(_split)]
FieldPatterns = Annotated[tuple[Annotated[str, AfterValidator(_field_pattern)], ...], BeforeValidator(_split)]
ConfirmRules = Annotated[tuple[Annotated[str, AfterValidator(_confirm_rule)], ...], BeforeValidator(_split_rules)]
ConfirmKey = Annotated[SecretStr, AfterValidator(_confirm_key)]
AuditPlace = Annotated[str, Field(min_length=1), AfterValidator(_audit_place)]
ApiVersion = Annotated[str, AfterValidator(_api_version)]
Origin = Annotated[str, AfterValidator(instance_url)]
LoginHost = Annotated[str, AfterValidator(login_url)]
RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]
SecretFile = Annotated[Path, AfterValidator(_file)]
UploadBytes = Annotated[int, AfterValidator(_upload_bytes)]
Bound = Annotated[int, Field(ge=0)]
SpoolDays = Annotated[int, Field(ge=1, le=365)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
TrustedUrl = Annotated[str, AfterValidator(_trusted_url)]
TokenScope = Annotated[str, AfterValidator(_scope)]
Connections = Annotated[int, Field(ge=1, le=100_000)]
Name = Annotated[str, Field(min_length=1), AfterValidator(_shown)]
Program = Annotated[str, Field(min_length=1), AfterValidator(_program)]
ConsumerKey = Annotated[str, Field(min_length=1), AfterValidator(_consumer_key)]
Username = Annotated[str, Field(min_length=1), AfterValidator(_username)]
OrganizationId = Annotated[str, AfterValidator(checked_organization_id)]
OrgName = Annotated[str, AfterValidator(_org_name)]
