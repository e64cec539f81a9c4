"""Our own HTTP errors in Salesforce's form."""

import json
from collections.abc import Mapping

from starlette.responses import Response


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An array with one object (REST API guide, Status Codes and Error Responses)."""
    body = json.dumps([{"errorCode": code, "message": message}])
    return Response(body, status, headers, media_type="application/json;charset=UTF-8")
