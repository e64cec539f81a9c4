"""The settings of an embedded org, and the ids and credentials of its only user."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

from salesforce_emulator.clock import utc_now

ACCESS_TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"  # noqa: S105 - published on purpose, it opens nothing real
CLIENT_ID = "emulator-client"
CLIENT_SECRET = "emulator-secret"  # noqa: S105 - published on purpose, it opens nothing real
PASSWORD = "emulator-password"  # noqa: S105 - published on purpose, it opens nothing real
REFRESH_TOKEN = "5AepEMULATOR.REFRESH.TOKEN"  # noqa: S105 - published on purpose, it opens nothing real
CALLBACK_URL = "http://localhost:1717/OauthRedirect"  # that of the official CLI
USER_ID = "005000000000001AAA"
USERNAME = "admin@emulator.example"

ORG_FILE = "org.sqlite"
"""Name of the database file in the folder of an org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Choices between behaviours where no source is conclusive, or where real orgs and clients disagree.

    Attributes:
        second_upload: a second PUT is accepted and then keeps the job from closing (seen at v43), or the PUT is refused
            (seen in 2026).
        empty_results: a result without rows is answered with its header (seen), with an empty 200, or with a 204 (both
            reported).
        early_results: results of a job that has not ended are refused, or answered with the rows processed so far.
        bom: a byte order mark before the first column name is part of that name (seen), or is dropped; reports conflict.
        embedded_line_endings: a quoted cell may hold either line ending (documented), or only that of its job (reported).
        compressed_uploads: a gzipped PUT is unpacked, as the REST framework does, or refused.
        differing_header_case: in failedResults, a column whose name differs from its field's in case keeps its values, or
            is blank (a known issue of Salesforce).
        expired_jobs: a job that stays open for more than 24 hours is aborted, or fails.
        unsettled_cells: cells of a form that no source settles, such as a boolean in upper case or a time without a zone,
            fail their rows, or are taken (`processing/values.py` lists the forms).
        wrong_type_text: a cell of another type fails its row as one that can't be deserialized (seen in bulk jobs), or as
            one not of the required type (Salesforce Help 000381727, of Data Loader).
        refresh_token_rotation: a refresh token stays valid, or each refresh returns a new one in its place (a setting of
            each app, documented in OAuth 2.0 Refresh Token Flow; orgs differ).
        failed_ids: failedResults has the column sf__Id in jobs of every API version (seen at 50.0 in jsforce's public live
            test), or only from 53.0 on (documented).
        hard_delete_code: the code of the refusal of hardDelete to a user without the permission, in upper case (seen in
            Bulk API 2.0) or not (seen in Bulk API 1.0).
    """

    second_upload: Literal["at-close", "at-once"] = "at-close"
    empty_results: Literal["header", "blank", "no-content"] = "header"
    early_results: Literal["refused", "partial"] = "refused"
    bom: Literal["in-name", "dropped"] = "in-name"
    embedded_line_endings: Literal["any", "same"] = "any"
    compressed_uploads: Literal["unpacked", "refused"] = "unpacked"
    differing_header_case: Literal["kept", "blanked"] = "kept"
    expired_jobs: Literal["aborted", "failed"] = "aborted"
    unsettled_cells: Literal["refused", "taken"] = "refused"
    wrong_type_text: Literal["deserialize", "required-type"] = "deserialize"
    refresh_token_rotation: Literal["off", "on"] = "off"  # noqa: S105 - a choice, no secret
    failed_ids: Literal["every-version", "from-53"] = "every-version"
    hard_delete_code: Literal["FEATURENOTENABLED", "FeatureNotEnabled"] = "FEATURENOTENABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the org (Salesforce limits quick reference); a test sets one low to reach it.

    Attributes:
        daily_requests: requests per rolling 24 hours; a request beyond the limit is answered 403 REQUEST_LIMIT_EXCEEDED.
        daily_batches: internal batches per rolling 24 hours; the records of a batch beyond the limit appear in no result.
        daily_records: records per rolling 24 hours; a job that exceeds the limit fails.
        batch_records: records in one internal batch.
        upload_bytes: size of one upload in bytes, measured after base64 (Bulk API 2.0 guide, Upload Job Data).
        open_hours: hours that a job may stay open.
        retention_days: days for which a job and its results are kept after its end.
    """

    daily_requests: NonNegativeInt = 100_000
    daily_batches: NonNegativeInt = 15_000
    daily_records: NonNegativeInt = 150_000_000
    batch_records: PositiveInt = 10_000
    upload_bytes: NonNegativeInt = 150_000_000
    open_hours: PositiveFloat = 24
    retention_days: PositiveFloat = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """Settings of one embedded org.

    Attributes:
        data_dir: folder of the org, created with mode 0700; opening the same folder again opens the same org.
        schema_file: YAML file that adds objects, fields and validation rules to the standard ones.
        seed: makes ids and the order of results the same in every run; jobs are then processed one at a time, in the order
            in which they were closed. None lets them differ from run to run.
        has_worker_thread: whether a thread processes closed jobs; without one, they are processed by `Worker.take_turn`.
        rows_per_second: rows that one job processes in a second; None sets no limit.
        access_token: bearer token that is always accepted and never expires.
        token_seconds: seconds for which a token from /services/oauth2/token is valid.
        client_id: id of the connected app that may request tokens.
        client_secret: secret of the connected app.
        callback_urls: URLs to which the app may have an authorization code sent.
        requires_secret: whether the app has to send its secret for an authorization code or a refresh token, too.
        client_public_key: PEM text of the key or certificate that verifies the app's JWT assertions; None refuses them all.
        password: password of the user, for the login page, the password grant and SOAP login().
        refresh_token: token that the refresh_token grant always accepts; it is never revoked or replaced.
        faults_file: plan of faults that is in force from the start, in the form that POST /emulator/faults takes.
        hard_delete: whether the user has the permission "Bulk API Hard Delete", which real users lack by default.
        sandbox: whether a new org is a sandbox; an org stays what it was made as.
        limits: limits of the org.
        assumptions: choices between behaviours where no source is conclusive.
        clock: returns the current time in UTC, for dates, limits and expiry.
    """

    data_dir: Path
    schema_file: Path | None = None
    seed: int | None = None
    has_worker_thread: bool = True
    rows_per_second: int | None = None
    access_token: str = field(default=ACCESS_TOKEN, repr=False)
    token_seconds: int = 7200
    client_id: str = CLIENT_ID
    client_secret: str = field(default=CLIENT_SECRET, repr=False)
    callback_urls: tuple[str, ...] = (CALLBACK_URL,)
    requires_secret: bool = False
    client_public_key: str | None = None
    password: str = field(default=PASSWORD, repr=False)
    refresh_token: str = field(default=REFRESH_TOKEN, repr=False)
    faults_file: Path | None = None
    hard_delete: bool = True
    sandbox: bool = False
    limits: Limits = field(default_factory=Limits)
    assumptions: Assumptions = field(default_factory=Assumptions)
    clock: Callable[[], datetime] = utc_now


def is_callback_url(text: str) -> bool:
    """Return whether an app can have this callback URL: one with a scheme, and without a fragment (RFC 6749, 3.1.2)."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", text) is not None and "#" not in text


class BadChoice(ValueError):
    """A limit or an assumption that does not exist or has a bad value; the message names what is possible, in one line."""


Choices = TypeVar("Choices", Assumptions, Limits)


def parse_choices(kind: type[Choices], texts: Iterable[str]) -> Choices:
    """Return assumptions or limits from texts of the form `second_upload=at-once`, with defaults for the others.

    Raises:
        BadChoice: a text names no field of `kind`, or gives it a bad value.
    """
    pairs = [text.partition("=") for text in texts]
    defaults = {known.name: known.default for known in fields(kind)}
    for name, _, value in pairs:
        if name not in defaults:
            near = get_close_matches(name.lower(), defaults, 1)
            meant = f"did you mean {near[0]!r}? It is" if near else "it is"
            raise BadChoice(f"there is no {name!r}: {meant} one of {', '.join(defaults)}")
        if not value:
            raise BadChoice(f"{name!r} has no value: write it as in {name}={defaults[name]}")
    known = TypeAdapter(kind)
    try:
        return known.validate_python({name: value for name, _, value in pairs})
    except ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        raise BadChoice(f"{name}: expected {_form(known.json_schema()['properties'][name])}") from None


def _form(schema: Mapping[str, Any]) -> str:
    """Return the form of a value in words, by its JSON Schema."""
    if "enum" in schema:
        return " or ".join(schema["enum"])
    if schema["type"] == "number":
        return f"a number above {schema['exclusiveMinimum']}"
    return f"a whole number, {schema.get('minimum', 1)} or more"
