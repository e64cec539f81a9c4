"""The limits and assumptions that a user chooses."""

from pathlib import Path

import pytest

from salesforce_emulator import (
    CALLBACK_URL,
    Assumptions,
    BadChoice,
    EmulatorConfig,
    Limits,
    is_callback_url,
    parse_choices,
)
from tests.salesforce_emulator.behaviours import own


@own
def test_what_is_not_chosen_keeps_its_default() -> None:
    assert parse_choices(Assumptions, []) == Assumptions()
    assert parse_choices(Limits, ["open_hours=0.5", "daily_batches=0"]) == Limits(open_hours=0.5, daily_batches=0)
    assert parse_choices(Assumptions, ["bom=dropped"]) == Assumptions(bom="dropped")


@own
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "batches=1",
            "there is no 'batches': did you mean 'daily_batches'? It is one of daily_requests, daily_batches,"
            " daily_records, batch_records, upload_bytes, open_hours, retention_days",
        ),
        (
            "Daily-Records=1",
            "there is no 'Daily-Records': did you mean 'daily_records'? It is one of daily_requests, daily_batches,"
            " daily_records, batch_records, upload_bytes, open_hours, retention_days",
        ),
        (
            "x=1",
            "there is no 'x': it is one of daily_requests, daily_batches, daily_records, batch_records, upload_bytes,"
            " open_hours, retention_days",
        ),
        ("daily_batches", "'daily_batches' has no value: write it as in daily_batches=15000"),
        ("daily_batches=", "'daily_batches' has no value: write it as in daily_batches=15000"),
    ],
)
def test_a_limit_that_there_is_not_or_that_has_no_value_is_refused_with_what_can_be_written(
    text: str, message: str
) -> None:
    with pytest.raises(BadChoice) as error:
        parse_choices(Limits, [text])
    assert str(error.value) == message


@own
@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Limits, "daily_batches=-1", "a whole number, 0 or more"),
        (Limits, "upload_bytes=many", "a whole number, 0 or more"),
        (Limits, "daily_requests=1.5", "a whole number, 0 or more"),
        (Limits, "batch_records=0", "a whole number, 1 or more"),
        (Limits, "open_hours=0", "a number above 0"),
        (Limits, "retention_days=nan", "a number above 0"),
        (Assumptions, "bom=kept", "in-name or dropped"),
        (Assumptions, "empty_results=none", "header or blank or no-content"),
    ],
)
def test_a_value_that_a_choice_does_not_take_is_refused_with_what_it_takes(
    kind: type[Limits] | type[Assumptions], text: str, expected: str
) -> None:
    with pytest.raises(BadChoice) as error:
        parse_choices(kind, [text])  # type: ignore[type-var]  # one of the two
    assert str(error.value) == f"{text.partition('=')[0]}: expected {expected}"


@own
def test_secrets_are_not_printed_with_the_settings() -> None:
    printed = repr(EmulatorConfig(data_dir=Path("org"), access_token="T0KEN", client_secret="5ECRET", password="PA55"))
    assert not [secret for secret in ("T0KEN", "5ECRET", "PA55", "REFRESH") if secret in printed]


@own
def test_a_callback_url_has_a_scheme_and_no_fragment() -> None:
    right = (CALLBACK_URL, "http://[::1]:1717/?x=1", "myapp://oauth/back", "myapp:back")
    wrong = (
        "",
        "localhost",
        "//localhost/",
        "http://localhost/#",
        "http://local host/",
        "http:",
        "1http://x",
        "\nhttp:x",
    )
    assert [is_callback_url(url) for url in (*right, *wrong)] == [True] * len(right) + [False] * len(wrong)
