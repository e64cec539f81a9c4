"""What a user of the embedded org can choose, and who its one user is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ACCESS_TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"  # noqa: S105 - published on purpose, it opens nothing real
ORGANIZATION_ID = "00D000000000001EAA"
USER_ID = "005000000000001AAA"
USERNAME = "admin@emulator.example"


def utc_now() -> datetime:
    """The time of day in UTC; the default of every clock here."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """Settings of one embedded org.

    Attributes:
        data_dir: folder of the org; created for its owner alone (0700). The same folder is the same org next time.
        seed: makes ids and the order of results repeat; without it they differ from run to run.
        access_token: the one bearer token that is let in.
        max_upload_bytes: limit of one upload, measured after base64, as Salesforce does (Bulk API 2.0 guide, Upload
            Job Data).
        clock: the time in UTC that goes into dates.
    """

    data_dir: Path
    seed: int | None = None
    access_token: str = field(default=ACCESS_TOKEN, repr=False)
    max_upload_bytes: int = 150_000_000
    clock: Callable[[], datetime] = utc_now
