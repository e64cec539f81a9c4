"""How answers are written: JSON, and every refusal as what its API prints."""

import json

from starlette.requests import Request
from starlette.responses import Response

from salesforce_emulator.errors import ApiError

JSON_TYPE = "application/json;charset=UTF-8"


def json_answer(request: Request, body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON, indented when the request says X-PrettyPrint: 1 (as all official samples do)."""
    if request.headers.get("X-PrettyPrint") == "1":
        text = json.dumps(body, ensure_ascii=False, indent=2, separators=(",", " : "))
    else:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, {"Content-Type": JSON_TYPE, **(headers or {})})


def error_answer(request: Request, error: ApiError) -> Response:
    """The one place where a refusal becomes an answer."""
    return json_answer(request, error.body, error.status, dict(error.headers or {}))
