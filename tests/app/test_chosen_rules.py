"""The rules that the settings choose."""

import pytest

from salesforce_bulk_ingest.app.chosen_rules import confirm_rules, policy_of
from salesforce_bulk_ingest.operations.policy import GUARDED_OPERATIONS
from salesforce_bulk_ingest.settings import Settings


def test_in_the_embedded_org_each_operation_is_allowed_that_is_not_denied() -> None:
    assert policy_of(Settings()).allowed_operations == frozenset()
    policy = policy_of(Settings(emulator=True, deny_operations=("delete",)))
    assert policy.allowed_operations == frozenset(GUARDED_OPERATIONS)
    assert policy.denied_operations == frozenset({"delete"})


@pytest.mark.parametrize(
    ("settings", "confirmed"),
    [
        (Settings(), Settings().confirm),
        (Settings(emulator=True), ()),
        (Settings(emulator=True, confirm=("delete",)), ("delete",)),
    ],
)
def test_no_close_of_the_embedded_org_is_confirmed_unless_that_is_set(
    settings: Settings, confirmed: tuple[str, ...]
) -> None:
    assert confirm_rules(settings) == confirmed
