"""What a user of the embedded org can choose, and who its one user is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

from salesforce_emulator.clock import utc_now

ACCESS_TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"  # noqa: S105 - published on purpose, it opens nothing real
CLIENT_ID = "emulator-client"
CLIENT_SECRET = "emulator-secret"  # noqa: S105 - published on purpose, it opens nothing real
PASSWORD = "emulator-password"  # noqa: S105 - published on purpose, it opens nothing real
REFRESH_TOKEN = "5AepEMULATOR.REFRESH.TOKEN"  # noqa: S105 - published on purpose, it opens nothing real
ORGANIZATION_ID = "00D000000000001EAA"
USER_ID = "005000000000001AAA"
USERNAME = "admin@emulator.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Behaviours that no source settles, or on which real orgs and clients disagree; each can be switched.

    Attributes:
        second_upload: a second PUT is taken and keeps the job from closing (seen at v43), or is refused (seen in 2026).
        empty_results: a result file without rows is its header (seen), an empty 200, or a 204 (both reported).
        early_results: results of a job that has not ended are refused, or are what there is so far.
        bom: a byte order mark before the first name is part of that name (seen), or is dropped; reports conflict.
        embedded_line_endings: a quoted cell may hold either line ending (documented), or only the job's (reported).
        compressed_uploads: a gzipped PUT is unpacked, as the REST framework does, or refused.
        differing_header_case: a column in another case than the field's comes back with its values, or blank in
            failedResults (a known issue of Salesforce).
        expired_jobs: a job that stays open for more than 24 hours is aborted, or fails.
    """

    second_upload: Literal["at-close", "at-once"] = "at-close"
    empty_results: Literal["header", "blank", "no-content"] = "header"
    early_results: Literal["refused", "partial"] = "refused"
    bom: Literal["in-name", "dropped"] = "in-name"
    embedded_line_endings: Literal["any", "same"] = "any"
    compressed_uploads: Literal["unpacked", "refused"] = "unpacked"
    differing_header_case: Literal["kept", "blanked"] = "kept"
    expired_jobs: Literal["aborted", "failed"] = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The org's limits, which can be set low to be hit (Salesforce limits quick reference; see each).

    Attributes:
        daily_requests: calls per rolling 24 hours; beyond them 403 REQUEST_LIMIT_EXCEEDED.
        daily_batches: internal batches per rolling 24 hours; records of batches beyond them appear in no result.
        daily_records: records per rolling 24 hours; a job that goes beyond them fails.
        batch_records: records of one internal batch.
        upload_bytes: of one upload, measured after base64 (Bulk API 2.0 guide, Upload Job Data).
        open_hours: how long a job may stay open.
        retention_days: how long a job and its results are kept after its end.
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
        data_dir: folder of the org; created for its owner alone (0700). The same folder is the same org next time.
        schema_file: YAML that adds objects, fields and validation rules to the standard ones.
        seed: makes ids and the order of results repeat, for which jobs are worked on one by one, as they were closed;
            without it they differ from run to run.
        rows_per_second: the pace of processing, of each job for itself; None is as fast as it goes.
        access_token: a bearer token that is let in and never expires.
        token_seconds: how long a token from /services/oauth2/token is valid.
        client_id, client_secret: the connected app that may ask for tokens.
        client_public_key: PEM text of the key or certificate that checks the app's JWT assertions; None refuses them.
        password: the user's, for the password grant.
        refresh_token: what the refresh_token grant takes, as often as it comes.
        faults_file: a plan of faults that is in force from the start, as POST /emulator/faults takes it.
        hard_delete: whether the user has the permission "Bulk API Hard Delete", which real users lack by default.
        limits: what can be used up.
        assumptions: how to behave where no source says.
        clock: the time in UTC that goes into dates and that limits and expiry are measured with.
    """

    data_dir: Path
    schema_file: Path | None = None
    seed: int | None = None
    rows_per_second: int | None = None
    access_token: str = field(default=ACCESS_TOKEN, repr=False)
    token_seconds: int = 7200
    client_id: str = CLIENT_ID
    client_secret: str = field(default=CLIENT_SECRET, repr=False)
    client_public_key: str | None = None
    password: str = field(default=PASSWORD, repr=False)
    refresh_token: str = field(default=REFRESH_TOKEN, repr=False)
    faults_file: Path | None = None
    hard_delete: bool = True
    limits: Limits = field(default_factory=Limits)
    assumptions: Assumptions = field(default_factory=Assumptions)
    clock: Callable[[], datetime] = utc_now


class BadChoice(ValueError):
    """A limit or an assumption that can't be had; the message is one line that names what can."""


Choices = TypeVar("Choices", Assumptions, Limits)


def chosen(kind: type[Choices], texts: Iterable[str]) -> Choices:
    """Assumptions or limits from texts such as `second_upload=at-once`; what they leave out keeps its default.

    Raises:
        BadChoice: a name or a value that is not one of them.
    """
    pairs = [text.partition("=") for text in texts]
    defaults = {known.name: known.default for known in fields(kind)}
    for name, _, value in pairs:
        if name not in defaults:
            raise BadChoice(f"{name!r} is not one of {', '.join(defaults)}")
        if not value:
            raise BadChoice(f"{name!r} has no value: write it as in {name}={defaults[name]}")
    try:
        return TypeAdapter(kind).validate_python({name: value for name, _, value in pairs})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadChoice(f"{first['loc'][0]}: {first['msg']}") from None
