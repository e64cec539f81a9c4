"""The body of this server's own HTTP errors, in the form of Salesforce's errors."""

import json
from collections.abc import Mapping

from pydantic import BaseModel
from starlette.responses import Response

from salesforce_bulk_ingest.base.text import cut, without_hidden

LONGEST_MESSAGE = 8_000


class ErrorObject(BaseModel):
    """One error, in the form that Salesforce gives it."""

    errorCode: str
    message: str


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response for an error, a JSON array with one object (REST API guide, Status Codes and Error Responses).

    Args:
        status: HTTP status.
        code: value of `errorCode`, in Salesforce's spelling.
        message: sentence for the caller.
        headers: further headers of the response.
    """
    error = ErrorObject(errorCode=code, message=cut(without_hidden(message), LONGEST_MESSAGE))
    return Response(json.dumps([error.model_dump()]), status, headers, media_type="application/json;charset=UTF-8")
