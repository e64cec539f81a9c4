"""The base of every answer of a tool: a structure and a text, each of which stands alone.

A host gives a model only one of the two halves, so ids, state, counts, rows and the next call are in both.

The output schemas have every field of an answer, and its description. They stand in the list of tools, where each word costs
tokens, so they have no docstrings, and say only of whole answers, not of their parts, what is always there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from salesforce_bulk_ingest.base.text import encodable, without_hidden
from salesforce_bulk_ingest.mcp_server.portable_schema import LISTED_AS
from salesforce_bulk_ingest.salesforce.models import ResultKind

T = TypeVar("T")

RESULT_NAMES: dict[ResultKind, str] = {
    "failedResults": "failed-results",
    "successfulResults": "successful-results",
    "unprocessedrecords": "unprocessed-records",
}
"""The name of each result in addresses; with spaces for hyphens, also in sentences."""


def job_uri(job_id: str) -> str:
    """Return the address of a job."""
    return f"salesforce-bulk://jobs/{job_id}"


def recipe_uri(name: str) -> str:
    """Return the address of a recipe."""
    return f"salesforce-bulk://recipes/{name}"


def job_recipe_uri(job_id: str) -> str:
    """Return the address of the load of a job as a recipe."""
    return f"{job_uri(job_id)}/recipe"


def result_uri(job_id: str, kind: ResultKind) -> str:
    """Return the address of a result of a job."""
    return f"{job_uri(job_id)}/{RESULT_NAMES[kind]}"


LONGEST_NAME = 100
"""The maximum number of characters, in an answer, of a name, a state or another short text of the org."""


def fitting(items: Iterable[T], size_of: Callable[[T], int], room: int) -> Iterator[T]:
    """Yield the first items, as many as fit into the room."""
    for item in items:
        room -= size_of(item)
        if room < 0:
            return
        yield item


def with_others_counted(shown: Sequence[str], of: int) -> tuple[str, ...]:
    """Return the texts that are shown of so many, and then the number of the others, where there are any."""
    return (*shown, f"…[+{of - len(shown)}]") if len(shown) < of else tuple(shown)


def _fields_alone(schema: dict[str, Any]) -> None:
    for name in ("description", "required"):
        schema.pop(name, None)


def _without_docstring(schema: dict[str, Any]) -> None:
    del schema["description"]


class AnswerPart(BaseModel):
    """A part of an answer, in Salesforce's spelling outside (`statusCode`). Its texts have no hidden characters.

    Attributes:
        exact: the names of the fields with rows, whose texts stay as they are.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, json_schema_extra=_fields_alone
    )

    exact: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_hidden(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: (encodable if name in cls.exact else without_hidden)(value) for name, value in values.items()}


class PartListedAsObject(AnswerPart):
    """A part of which the list of tools says only that it is an object, since several tools would name its fields."""

    model_config = ConfigDict(json_schema_extra={LISTED_AS: {"type": "object", "additionalProperties": {}}})


class Answer(AnswerPart):
    """Both halves of what a tool answers. A field without a value is left out unless the schema requires it."""

    model_config = ConfigDict(json_schema_extra=_without_docstring)

    summary: str
    next: str = Field(description="A call, `tool {JSON}`, gaps in <>; then words")

    def structure(self) -> dict[str, Any]:
        """Return the structured half of the answer."""
        required = {field.alias or name: None for name, field in type(self).model_fields.items() if field.is_required()}
        return {**required, **self.model_dump(mode="json", by_alias=True, exclude_none=True)}

    def text(self) -> str:
        """Return the text half of the answer."""
        return f"{self.summary}\nNext: {self.next}"
