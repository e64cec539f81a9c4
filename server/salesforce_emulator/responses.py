"""Builds the JSON responses of the org, and the response to every error."""

import json

from starlette.requests import Request
from starlette.responses import Response

from salesforce_emulator.errors import ApiError

JSON_TYPE = "application/json;charset=UTF-8"


def json_response(request: Request, body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response, indented if the request has `X-PrettyPrint: 1`, as in the official samples."""
    if request.headers.get("X-PrettyPrint") == "1":
        text = json.dumps(body, ensure_ascii=False, indent=2, separators=(",", " : "))
    else:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, {"Content-Type": JSON_TYPE, **(headers or {})})


def error_response(request: Request, error: ApiError) -> Response:
    """Return the response to a refused request."""
    return json_response(request, error.body, error.status, dict(error.headers or {}))
