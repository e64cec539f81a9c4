"""The page for people at `/v1/docs`: the OpenAPI document as HTML, with the line of curl for each operation."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.responses import Response

from salesforce_bulk_ingest.serving.web_page import page_with, templates_of

REMEMBERED = "grep -o '750[0-9A-Za-z]*' | head -n 1"
"""Takes the id of a job out of an answer."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of curl, and the example that it sends."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the page shows it."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Mapping[str, Any], ...]
    lines: tuple[Line, ...]
    status: str
    answer: str
    example: str | None
    errors: tuple[tuple[str, str], ...]


def docs_page(document: Mapping[str, Any], base_url: str, *, signs_in: bool) -> Response:
    """Return the page.

    Args:
        document: the OpenAPI document.
        base_url: URL of `/v1` as the reader knows it, for the lines of curl.
        signs_in: whether callers sign in, so that the lines need a token.
    """
    operations = _operations(document, base_url, signs_in=signs_in)
    responses = document["components"]["responses"]
    codes = sorted({error for operation in operations for error in operation.errors})
    values = {
        "document": document,
        "signs_in": signs_in,
        "operations": operations,
        "errors": [(code, name, responses[name]) for code, name in codes],
        "schemas": document["components"]["schemas"],
        "shown": _shown,
        "type_name": type_name,
    }
    text = templates_of(__package__).get_template("docs.html").render(values, style=_style())
    return page_with(_style(), text)


@cache
def _style() -> str:
    return (files(__package__) / "templates" / "docs.css").read_text("utf-8")


def _operations(document: Mapping[str, Any], base_url: str, *, signs_in: bool) -> list[Operation]:
    """Return the operations in the order of a load: what makes a job, then what it links to, then the rest."""
    found = [
        (method, path, described)
        for path, item in document["paths"].items()
        for method, described in item.items()
        if method != "parameters"
    ]
    (maker,) = [described for _, _, described in found if "links" in _success(described)]
    order = [maker["operationId"], *_success(maker)["links"]]
    found.sort(key=lambda each: order.index(each[2]["operationId"]) if each[2]["operationId"] in order else len(order))
    return [_operation(document, path, method, each, base_url, signs_in=signs_in) for method, path, each in found]


def _success(described: Mapping[str, Any]) -> Mapping[str, Any]:
    success: Mapping[str, Any] = next(iter(described["responses"].values()))
    return success


def _operation(
    document: Mapping[str, Any], path: str, method: str, described: Mapping[str, Any], base_url: str, *, signs_in: bool
) -> Operation:
    of_path = document["paths"][path].get("parameters", [])
    parameters = tuple(resolved(document, each) for each in [*of_path, *described.get("parameters", [])])
    (status, success), *errors = described["responses"].items()
    contents = list(success.get("content", {}).values())
    examples = [example["value"] for content in contents for example in content["examples"].values()]
    return Operation(
        described["operationId"],
        described["tags"][0],
        method,
        path,
        described["summary"],
        described["description"],
        parameters,
        tuple(_lines(described, method, f"{base_url}{path}", parameters, signs_in=signs_in)),
        status,
        success["description"],
        _shown(examples[0]) if examples else None,
        tuple((code, reference["$ref"].rpartition("/")[2]) for code, reference in errors),
    )


def _lines(
    described: Mapping[str, Any], method: str, url: str, parameters: tuple[Mapping[str, Any], ...], *, signs_in: bool
) -> Iterator[Line]:
    """Yield the lines of curl of an operation: one for each example of its body."""
    url = url.replace("{jobid}", "$job")
    query = "&".join(
        f"{each['name']}={each['example']}" for each in parameters if each["in"] == "query" and "example" in each
    )
    words = ["curl -s", f'"{url}?{query}"' if query else f'"{url}"']
    if method not in ("get", "post"):
        words.append(f"-X {method.upper()}")
    if signs_in:
        words.append('-H "Authorization: Bearer $TOKEN"')
    success = _success(described)
    # What has no body to show has at least a status.
    words += [] if "content" in success else ["-w '%{http_code}\\n'"]
    contents = described.get("requestBody", {}).get("content", {})
    bodies = [
        (kind, name, each["value"]) for kind, each_of in contents.items() for name, each in each_of["examples"].items()
    ]
    for number, (kind, name, value) in enumerate(bodies or [("", described["summary"], None)]):
        before, more = _body(kind, value, contents.get(kind, {}).get("encoding", {}))
        text = f"{before}{' '.join([*words, *more])}"
        keeps_id = "links" in success and number == 0
        yield Line(name, f"job=$({text} | tee /dev/stderr | {REMEMBERED})" if keeps_id else text)


def _body(kind: str, value: Any, encoding: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return what feeds curl, and the options by which it sends an example of this media type."""
    if not kind:
        return "", []
    if kind == "application/json":
        return "", [f"-H 'Content-Type: {kind}'", f"-d {shlex.quote(json.dumps(value))}"]
    if kind == "text/csv":
        return _printed(value), [f"-H 'Content-Type: {kind}'", "--data-binary @-"]
    job = shlex.quote(f"job={json.dumps(value['job'])};type={encoding['job']['contentType']}")
    content = shlex.quote(f"content=@-;filename=content;type={encoding['content']['contentType']}")
    return _printed(value["content"]), [f"-F {job}", f"-F {content}"]


def _printed(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n")
    return f"printf {shlex.quote(escaped)} | "


def _shown(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)


def resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a node of the document stands for: itself, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Mapping[str, Any] = document
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def type_name(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value is not None)
    kind = schema.get("type", "any")
    kinds = [kind] if isinstance(kind, str) else [each for each in kind if each != "null"]
    name = " | ".join(kinds)
    return f"{name} of {type_name(schema['items'])}" if "items" in schema else name
