"""The rules for callers that the settings choose: the policy, and which closes a person has to confirm."""

import secrets
from functools import cache, partial
from pathlib import Path

from salesforce_bulk_ingest.app.chosen_files import approvals_file
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.private_files import KEY_BYTES, key_in
from salesforce_bulk_ingest.cache.approvals import Approvals
from salesforce_bulk_ingest.operations.confirmation import Confirmations, ConfirmRule
from salesforce_bulk_ingest.operations.policy import GUARDED_OPERATIONS, Policy
from salesforce_bulk_ingest.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """Return the policy that the settings ask for; in the embedded org, every operation is allowed that is not denied."""
    allowed = GUARDED_OPERATIONS if settings.emulator else settings.allow_operation
    return Policy(
        read_only=settings.read_only,
        allowed_operations=frozenset(allowed),
        denied_operations=frozenset(settings.deny_operations),
        allowed_objects=settings.allow_objects,
        denied_objects=settings.deny_objects,
        denied_fields=settings.deny_fields,
        most_rows=settings.max_job_rows,
        most_bytes=settings.max_job_bytes,
        allows_preflight_off=settings.allow_preflight_off,
        only_recipes=settings.only_recipes,
        allows_undo=settings.allow_undo,
    )


def confirmations_of(settings: Settings, state_dir: Path, clock: Clock = SYSTEM_CLOCK) -> Confirmations:
    """Return the confirmations that the settings ask for.

    Args:
        settings: the settings, as loaded.
        state_dir: folder of the key and of the approvals.
        clock: the clock of this machine.
    """
    return Confirmations(
        [ConfirmRule.parse(rule) for rule in confirm_rules(settings)],
        settings.confirm_without_dialog,
        cache(partial(confirm_key, settings, state_dir)),
        Approvals(approvals_file(state_dir), clock.now),
    )


def confirm_rules(settings: Settings) -> tuple[str, ...]:
    """Return the closes that have to be confirmed; in the embedded org none, unless they are set."""
    return () if settings.emulator and "confirm" not in settings.model_fields_set else settings.confirm


def confirm_key(settings: Settings, state_dir: Path) -> bytes:
    """Return the key of the codes in sentences: that of the settings, else one that is made once on this machine."""
    if settings.confirm_key is not None:
        return settings.confirm_key.get_secret_value().encode()
    try:
        return key_in(state_dir / "confirm.key")
    except OSError:
        # A sentence of this process is then no sentence of another, or of the next.
        return secrets.token_bytes(KEY_BYTES)
