"""What is done after a call to Salesforce has failed: one table, by the call's operation and the kind of the failure.

The client repeats what the table lets it repeat; the operations search and look. docs/architecture.md shows the table.
"""

from collections.abc import AsyncIterable, Mapping
from enum import StrEnum
from functools import partial

import anyio
import stamina

from salesforce_bulk_ingest.salesforce.errors import (
    LIMIT_STATUSES,
    LimitReached,
    Rejected,
    SalesforceError,
    SessionExpired,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
)
from salesforce_bulk_ingest.salesforce.transport import JSON_CALL_SECONDS

ATTEMPTS = 3
RETRY_SECONDS = 20
"""How long after its first attempt a call is still repeated; the wait that Salesforce asks for may end later."""


class Operation(StrEnum):
    """A kind of call."""

    READ = "list, status, describe"
    RESULT = "result"
    CREATE = "create"
    UPLOAD = "upload"
    CHANGE = "close, abort"
    DELETE = "delete"


class Failure(StrEnum):
    """A kind of failure. In the first five kinds nothing was done; in the others it is not known."""

    NOT_SENT = "no connection"
    SLOW_DOWN = "420, 429"
    LIMIT = "a limit of the org"
    SESSION = "401"
    REFUSED = "any other refusal"
    BROKEN = "the connection broke"
    TIMED_OUT = "no answer in time"
    NOT_THE_API = "an answer that is not the API's"
    OUT_OF_ORDER = "500 and above"


class Action(StrEnum):
    """What follows a failure."""

    AGAIN = "again"
    LOOK = "look"
    SEARCH = "search"
    RENEW = "new token"
    TELL = "tell"


_AGAIN, _LOOK, _SEARCH, _RENEW, _TELL = Action

# In the order of `Operation`. Where nothing was done, a repeat is safe; rows are sent again only where no byte of them left.
# Where it is not known: reads and deletes may be repeated, a create would make a second job, a close or an abort is looked
# up, and rows go once (synthesis of the Bulk API 2.0 guide and of the retries of jsforce).
_ROWS: Mapping[Failure, tuple[Action, ...]] = {
    Failure.NOT_SENT: (_AGAIN, _AGAIN, _AGAIN, _AGAIN, _AGAIN, _AGAIN),
    Failure.SLOW_DOWN: (_AGAIN, _AGAIN, _AGAIN, _TELL, _AGAIN, _AGAIN),
    Failure.LIMIT: (_TELL, _TELL, _TELL, _TELL, _TELL, _TELL),
    Failure.SESSION: (_RENEW, _RENEW, _RENEW, _RENEW, _RENEW, _RENEW),
    Failure.REFUSED: (_TELL, _TELL, _TELL, _TELL, _TELL, _TELL),
    Failure.BROKEN: (_AGAIN, _AGAIN, _SEARCH, _TELL, _LOOK, _AGAIN),
    Failure.TIMED_OUT: (_TELL, _TELL, _SEARCH, _TELL, _LOOK, _AGAIN),
    Failure.NOT_THE_API: (_TELL, _TELL, _SEARCH, _TELL, _LOOK, _TELL),
    Failure.OUT_OF_ORDER: (_AGAIN, _AGAIN, _SEARCH, _TELL, _LOOK, _AGAIN),
}

RETRIES: Mapping[Failure, Mapping[Operation, Action]] = {
    failure: dict(zip(Operation, actions, strict=True)) for failure, actions in _ROWS.items()
}


def failure_of(error: SalesforceError) -> Failure:
    """Return the kind of a failure. What no kind names, such as a missing login, is a refusal: nothing was asked."""
    match error:
        case TimedOut():
            return Failure.TIMED_OUT
        case Unreachable():
            return Failure.NOT_SENT if error.nothing_sent else Failure.BROKEN
        case UnexpectedAnswer():
            return Failure.NOT_THE_API
        case SessionExpired():
            return Failure.SESSION
        case Rejected(status=status) if status >= 500:
            return Failure.OUT_OF_ORDER
        case LimitReached():
            return Failure.SLOW_DOWN if error.status in LIMIT_STATUSES else Failure.LIMIT
        case _:
            return Failure.REFUSED


def action_after(operation: Operation, error: SalesforceError) -> Action:
    """Return what follows the failure of a call."""
    return RETRIES[failure_of(error)][operation]


def may_have_happened(error: SalesforceError) -> bool:
    """Return whether the call may have had its effect although it failed."""
    return failure_of(error) in (Failure.BROKEN, Failure.TIMED_OUT, Failure.NOT_THE_API, Failure.OUT_OF_ORDER)


def retrying(operation: Operation) -> AsyncIterable[stamina.Attempt]:
    """Return the attempts of a call: one, and others while the table says "again"."""
    return stamina.retry_context(on=partial(_pause, operation), attempts=ATTEMPTS, timeout=RETRY_SECONDS)


def _pause(operation: Operation, error: Exception) -> bool | float:
    """Return whether a call is repeated after an error, or the seconds after which it is repeated.

    A call that has less time than Salesforce asks it to wait is not repeated: its error says how long that is.
    """
    if not isinstance(error, SalesforceError) or action_after(operation, error) is not Action.AGAIN:
        return False
    asked = error.retry_after_seconds if isinstance(error, Rejected) else None
    if asked is None:
        return True
    left = min(anyio.current_effective_deadline() - anyio.current_time(), JSON_CALL_SECONDS)
    return asked if asked < left else False
