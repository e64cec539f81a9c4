"""The dialog in which a host asks the person about a close: elicitation, in both generations of the protocol.

The older generation asks in the middle of the call; with 2026-07-28 the answer to the call is the question, and the host
repeats the call with the answer.
"""

from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from salesforce_bulk_ingest.operations.confirmation import Consent
from salesforce_bulk_ingest.operations.errors import ConfirmationNeeded
from salesforce_bulk_ingest.operations.jobs import CANT_BE_UNDONE
from salesforce_bulk_ingest.operations.limits import seconds_left

QUESTION = "close"
"""The name of the question in the answer of a call."""

ANSWER_IN_CALL = "2026-07-28"
"""The first version of the protocol in which a call is answered with a question."""

NO_FIELDS: dict[str, Any] = {"type": "object", "properties": {}}
"""The form of the dialog: to accept or to decline is all."""


def can_ask(context: Context[Any, Any]) -> bool:
    """Return whether the client shows dialogs with forms; a client that tells no mode shows them (2025-06-18)."""
    elicitation = context.client_capabilities.elicitation if context.client_capabilities is not None else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def given_answer(context: Context[Any, Any]) -> Consent | None:
    """Return the answer that the repeated call brings, to the sentence that the dialog showed; None if it brings none."""
    answer = (context.input_responses or {}).get(QUESTION)
    if not isinstance(answer, ElicitResult) or context.request_state is None:
        return None
    return Consent(context.request_state, "accepted" if answer.action == "accept" else "declined")


async def ask(context: Context[Any, Any], needed: ConfirmationNeeded) -> Consent | InputRequiredResult:
    """Ask the person, and return the answer, or the question as the answer of the call."""
    undo = needed.undo or CANT_BE_UNDONE
    message = f"Close this job? Salesforce then carries this out, and it {undo}:\n{needed.sentence}"
    version = context.protocol_version
    if version is not None and is_version_at_least(version, ANSWER_IN_CALL):
        form = ElicitRequestFormParams(message=message, requested_schema=NO_FIELDS)
        return InputRequiredResult(input_requests={QUESTION: ElicitRequest(params=form)}, request_state=needed.sentence)
    with anyio.move_on_after(seconds_left()):
        answer = await context.session.elicit_form(message, NO_FIELDS, related_request_id=context.request_id)
        return Consent(needed.sentence, "accepted" if answer.action == "accept" else "declined")
    return Consent(needed.sentence, "no answer")
