"""The errors of tools, reported as text that a model can act on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from salesforce_bulk_ingest.base.errors import IngestError
from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, NAMES_SHOWN, as_name, cut, encodable, listed, quoted
from salesforce_bulk_ingest.mcp_server.answers.error import error_text, filled_job_failed_text
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    GivenCall,
    Place,
    call,
    list_call,
    moved,
    status_call,
    with_gaps,
    with_one_of,
)
from salesforce_bulk_ingest.mcp_server.answers.refused_rows import RefusedRowsAnswer
from salesforce_bulk_ingest.mcp_server.argument_forms import RepeatedName, as_declared
from salesforce_bulk_ingest.mcp_server.arguments import NOT_HERE, SOURCES, UNFILLED_GAP
from salesforce_bulk_ingest.operations.errors import FilledJobFailed, RowsRefused
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.salesforce.errors import SalesforceError

MOST_COMPLAINTS = 10
NO_SUCH_ARGUMENT = "there is no such argument here"

LONGEST_ID = 18
"""The maximum number of characters of a job's id in a call that is repeated."""


@contextmanager
def errors_for_models(given: GivenCall) -> Iterator[None]:
    """Turn the errors of an operation into a ToolError, whose text a model reads.

    Args:
        given: the call that the operation is made for.

    Raises:
        ToolError: in place of any SalesforceError or IngestError.
    """
    try:
        yield
    except RowsRefused as error:
        raise ToolError(RefusedRowsAnswer.of_error(error, given).text()) from error
    except FilledJobFailed as error:
        raise ToolError(filled_job_failed_text(error, given)) from error
    except (SalesforceError, IngestError) as error:
        raise ToolError(error_text(error, given)) from error


class ActionableTool(Tool):
    """A tool whose every failure says what is wrong and what to do next.

    The SDK's own texts quote rejected values, which may be customer data, and do not say what to do after a crash.
    """

    longest_call_seconds: float = Field(CALL_SECONDS, exclude=True)
    declared: dict[str, Any] = Field({}, exclude=True)
    """The input schema in full; `parameters`, which the list of tools has, may be shorter."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        try:
            return await self._run(arguments, context, convert_result)
        except ToolError as error:
            # A path of this machine may be no UTF-8, and a message with it could not be sent.
            raise type(error)(encodable(str(error))) from error.__cause__

    async def _run(self, given: dict[str, Any], context: Context[Any, Any], convert_result: bool) -> Any:
        arguments = self._as_declared(given)
        try:
            with anyio.fail_after(self.longest_call_seconds):
                return await super().run(arguments, context, convert_result)
        except TimeoutError:
            raise ToolError(
                f"{self.name} did not finish within {self.longest_call_seconds:.0f} s and stopped waiting.\n"
                f"Next: {self._look(arguments)}."
            ) from None
        except UnexpectedToolError as error:
            # The SDK has logged the traceback; the model gets no internals of the server.
            raise UnexpectedToolError(
                f"{self.name} failed inside this server; its log has the details. Tell the user.\n"
                f"Next: {self._look(arguments)}."
            ) from error.__cause__
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(self._misfit(error.__cause__, arguments)) from error.__cause__
            # The original text, without the prefix that the SDK puts before it.
            raise ToolError(str(error.__cause__ or error)) from error.__cause__

    def _as_declared(self, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            declared = as_declared(arguments, self.declared)
        except RepeatedName as error:
            twice = (
                f"- {as_name(error.name)}: this is given twice in one object of JSON, with a value that would be lost"
            )
            gaps = {name: f"<{name}, corrected>" for name in self.parameters.get("required", ())}
            raise ToolError(self._rejected([twice], gaps)) from None
        assert isinstance(declared, dict)  # an object stays an object
        return declared

    def _look(self, arguments: dict[str, Any]) -> str:
        """Return the call that shows what became of this call, with a few words, before a change is repeated."""
        if "jobId" in self.parameters["properties"]:
            job_id = cut(str(arguments.get("jobId", "<jobId>")), LONGEST_ID)
            return f"{status_call(job_id)} shows the job: look before you repeat a change"
        return f"{list_call()} shows whether a job was made: look before you repeat a change"

    def _misfit(self, error: ValidationError, arguments: Mapping[str, Any]) -> str:
        """Return the text about arguments that have not their form: what is right of them stands in the next call."""
        details = _without_consequences(error.errors(include_url=False, include_input=False))
        unknown = [_place(detail) for detail in details if detail["type"] == "extra_forbidden"]
        meant = dict.fromkeys(unknown) | {place: self._meant(place) for place in unknown[:MOST_COMPLAINTS]}
        complaints = [
            f"- {as_name('.'.join(place := _place(detail)))}: "
            f"{self._where_it_belongs(place, meant[place]) if place in meant else self._complaint(detail)}"
            for detail in details[:MOST_COMPLAINTS]
        ]
        not_here = [detail for detail in details if detail["type"] == NOT_HERE]
        one_of = {_place(detail): names for detail in not_here if (names := detail["ctx"].get("one_of"))}
        faulty = {place for detail in not_here for place in _places_at_fault(detail)}
        goes = {place: to if to and _can_go(to, faulty, arguments, unknown) else None for place, to in meant.items()}
        goes |= dict.fromkeys(faulty)
        filled = {to[:1] for to in goes.values() if to is not None}
        settled = {_place(detail) for detail in details if detail["type"] in (UNFILLED_GAP, NOT_HERE)}
        wrong = [
            place
            for place in map(_place, details)
            if place not in {*goes, *filled, *settled} and not _is_inside(place, faulty)
        ]
        lost = [place[-1] for place, to in goes.items() if to is None and place[-1] not in one_of.get(place[:-1], ())]
        corrected = with_gaps(moved(arguments, goes), wrong)
        for place, names in one_of.items():
            corrected = with_one_of(corrected, place, names)
        return self._rejected(complaints, corrected, lost)

    def _rejected(self, complaints: Sequence[str], arguments: Mapping[str, Any], lost: Sequence[str] = ()) -> str:
        first = f"Nothing was done: {self.name} can't take these arguments."
        without = f", without {listed([as_name(name) for name in lost], NAMES_SHOWN)}" if lost else ""
        return "\n".join([first, *complaints, f"Next: {call(self.name, **arguments)} is the call, corrected{without}."])

    def _complaint(self, detail: ErrorDetails) -> str:
        """Return the complaint about an argument of a wrong form, with what the argument is described as."""
        what = _COMPLAINTS.get(detail["type"])
        if what is None:
            return detail["msg"].removeprefix("Value error, ")
        name, description = _description(self.declared, _place(detail))
        described = f"; {name} is {quoted(description)}" if description else ""
        if detail["type"] == "missing":
            described = f"{_values(self.declared, _place(detail))}{described}"
        return f"{what.format(**detail.get('ctx', {}))}{described}"

    def _meant(self, place: Place) -> Place | None:
        """Return where an argument belongs that does not exist at its place: where its name does, or beside a like one."""
        known = list(_places(self.declared))
        there = [other for other in known if other[-1] == place[-1]]
        near = get_close_matches(place[-1][:LONGEST_NAME_SHOWN], self._beside(place), 1)
        return there[0] if len(there) == 1 else (*place[:-1], *near) if near else None

    def _beside(self, place: Place) -> list[str]:
        """Return the names of the arguments that exist beside a place."""
        return [other[-1] for other in _places(self.declared) if other[:-1] == place[:-1]]

    def _where_it_belongs(self, place: Place, to: Place | None) -> str:
        """Return the complaint about an argument that does not exist at its place.

        Args:
            place: the place of the argument.
            to: the place that is likely to be meant, or None.
        """
        if place == ("data",):
            return f"{NO_SUCH_ARGUMENT}: put csv, records, file or rowsOf under body"
        if to is None:
            return f"{NO_SUCH_ARGUMENT}, only {listed(self._beside(place), NAMES_SHOWN)}"
        if to[-1] == place[-1]:
            return f"this belongs under {'.'.join(to[:-1])}" if to[1:] else f"this belongs beside {place[0]}"
        return f"{NO_SUCH_ARGUMENT}: did you mean {to[-1]}?"


def _place(detail: ErrorDetails) -> Place:
    return tuple(map(str, detail["loc"])) or ("arguments",)


def _places_at_fault(detail: ErrorDetails) -> list[Place]:
    """Return the places of the arguments that do not go with others."""
    names = detail.get("ctx", {}).get("names")
    return [_place(detail)] if names is None else [(*_place(detail), name) for name in names]


def _can_go(to: Place, faulty: Collection[Place], arguments: Mapping[str, Any], unknown: Collection[Place]) -> bool:
    """Return whether an argument in a wrong place can go where it belongs.

    It can't go into an argument that is left out, nor make `rowsOf` a source without its jobs, or beside another source.

    Args:
        to: the place where it belongs.
        faulty: the places of the arguments that are left out.
        arguments: the arguments of the call.
        unknown: the places of all arguments that are in a wrong place.
    """
    rows = arguments.get(to[0])
    given = [name for name in SOURCES if isinstance(rows, dict) and name in rows]
    is_source = given == ["rowsOf"] or (not given and any(place[-1] == "jobs" for place in unknown))
    return not _is_inside(to, faulty) and ("rowsOf" not in to or is_source)


def _is_inside(place: Place, others: Collection[Place]) -> bool:
    return any(place[: len(other)] == other for other in others)


def _places(schema: Mapping[str, Any], at: Place = ()) -> Iterator[Place]:
    """Yield the place of each argument that a schema declares."""
    for name, inner in schema.get("properties", {}).items():
        yield (*at, name)
        yield from _places(inner, (*at, name))


_COMPLAINTS: Mapping[str, str] = {
    "missing": "this is required",
    **dict.fromkeys(("model_type", "dict_type"), "expected an object"),
    **dict.fromkeys(("list_type", "tuple_type"), "expected a list"),
    "string_type": "expected text",
    "string_too_short": "expected a text of at least {min_length} characters",
    "string_pattern_mismatch": "expected a text of the pattern {pattern}",
    "string_too_long": "expected a text of at most {max_length} characters",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "expected a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "expected true or false"),
    "too_short": "expected at least {min_length} in this list",
    "too_long": "expected at most {max_length} in this list",
    "literal_error": "expected {expected}",
    "greater_than_equal": "expected {ge} or more",
    "less_than_equal": "expected {le} or less",
}
"""What is wrong with an argument, by the type of pydantic's error, whose own words are those of Python."""


def _without_consequences(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Return the mistakes without those that lists are too short, where only wrong items leave them so."""
    holders = {_place(detail)[:-1] for detail in details}
    return [detail for detail in details if detail["type"] != "too_short" or _place(detail) not in holders]


def _values(schema: Mapping[str, Any], place: Place) -> str:
    """Return the values that the argument at a place takes, after a comma; empty where it takes any of its type."""
    for name in place:
        schema = schema.get("properties", {}).get(name, {})
    values = schema.get("enum", ())
    return f", one of {', '.join(map(str, values))}" if values else ""


def _description(schema: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """Return the name of the innermost argument on the way to a place that has a description, and this; empty for none."""
    found = ("", "")
    for name in place:
        schema = schema.get("properties", {}).get(name, {})
        found = (name, str(schema["description"])) if "description" in schema else found
    return found
