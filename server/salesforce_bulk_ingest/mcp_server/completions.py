"""Completions: values for the arguments of prompts and for the variables of resource templates, while a user types them.

A value has to be usable as it is, so the object and the state of a job can't stand beside its id; but they can be typed to
find it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import get_args

from mcp.server.mcpserver import MCPServer
from mcp.shared.uri_template import UriTemplate
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from salesforce_bulk_ingest.base.errors import RecipeMistake
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.mcp_server.answers.answer import RESULT_NAMES
from salesforce_bulk_ingest.mcp_server.answers.error import invalid_params
from salesforce_bulk_ingest.mcp_server.recipes import Recipes
from salesforce_bulk_ingest.operations.suggestions import Suggestions
from salesforce_bulk_ingest.salesforce.models import Job, Operation, ResultKind

MOST_VALUES = 100
"""The most values of a completion (MCP, Completion)."""

LONGEST_TYPED = 4_000
"""The most characters of a list of columns that is completed: each value has all of them again."""

Given = Mapping[str, str]
"""The other arguments, as far as the user has given them."""

Complete = Callable[[str, Given], Awaitable[Sequence[str]]]
"""Returns the values for what is typed."""


def add_completions(server: MCPServer[None], suggestions: Suggestions, recipes: Recipes) -> None:
    """Register the completions of all arguments of prompts, and of all variables of templates."""
    completions = _Completions(suggestions, recipes)

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        given = (context.arguments if context else None) or {}
        if isinstance(ref, PromptReference):
            prompts = {each.name: each for each in await server.list_prompts()}
            if ref.name not in prompts:
                raise invalid_params(f"There is no prompt {quoted(ref.name)}.")
            known = {each.name for each in prompts[ref.name].arguments or []}
            values = completions.of_prompt(ref.name, argument.name)
        else:
            templates = {each.uri_template: each.name for each in await server.list_resource_templates()}
            if ref.uri not in templates:
                raise invalid_params(f"There is no resource template {quoted(ref.uri)}.")
            known = set(UriTemplate.parse(ref.uri).variable_names)
            values = completions.of_template(templates[ref.uri], argument.name)
        if argument.name not in known:
            raise invalid_params(f"There is no argument {quoted(argument.name)} to complete.")
        return _completion(await values(argument.value, given))

    server.completion()(complete)  # type: ignore[no-untyped-call]  # the SDK's decorator has no types


class _Completions:
    """The values of each argument."""

    def __init__(self, suggestions: Suggestions, recipes: Recipes) -> None:
        self._suggestions = suggestions
        self._recipes = recipes
        self._prompts: Mapping[tuple[str, str], Complete] = {
            ("load-file", "object"): self._object,
            ("load-file", "operation"): self._operation,
            ("retry-failed-rows", "jobId"): self._retryable_job,
            ("retry-failed-rows", "statusCode"): self._code,
            ("recent-jobs", "object"): self._object_of_jobs,
        }
        self._variables: Mapping[str, Complete] = {
            "jobId": self._job,
            "statusCode": self._code,
            "field": self._error_field,
            "name": self._recipe,
        }
        self._kinds = {name: kind for kind, name in RESULT_NAMES.items()}

    def of_prompt(self, prompt: str, argument: str) -> Complete:
        return self._prompts.get((prompt, argument), _nothing)

    def of_template(self, template: str, variable: str) -> Complete:
        kind = self._kinds.get(template)
        if variable == "columns" and kind is not None:
            return partial(self._columns, kind)
        return self._variables.get(variable, _nothing)

    async def _object(self, typed: str, given: Given) -> Sequence[str]:
        return _matching(typed, await self._suggestions.objects())

    async def _object_of_jobs(self, typed: str, given: Given) -> Sequence[str]:
        return _matching(typed, await self._suggestions.objects_of_jobs())

    async def _operation(self, typed: str, given: Given) -> Sequence[str]:
        return _matching(typed, self._suggestions.operations(get_args(Operation)))

    async def _job(self, typed: str, given: Given) -> Sequence[str]:
        return _ids_of(typed, await self._suggestions.jobs())

    async def _retryable_job(self, typed: str, given: Given) -> Sequence[str]:
        return _ids_of(typed, await self._suggestions.retryable_jobs())

    async def _code(self, typed: str, given: Given) -> Sequence[str]:
        return _matching(typed, await self._suggestions.error_codes(given.get("jobId", "")))

    async def _error_field(self, typed: str, given: Given) -> Sequence[str]:
        return _matching(typed, await self._suggestions.error_fields(given.get("jobId", "")))

    async def _recipe(self, typed: str, given: Given) -> Sequence[str]:
        try:
            return _matching(typed, await run_in_thread(self._recipes.names))
        except RecipeMistake:
            return ()

    async def _columns(self, kind: ResultKind, typed: str, given: Given) -> Sequence[str]:
        """Return the whole list of columns with each column that may be its last, and is not yet in it."""
        if len(typed) > LONGEST_TYPED:
            return ()  # each value would repeat all of it
        before, comma, last = typed.rpartition(",")
        named = before.split(",")
        columns = await self._suggestions.columns(given.get("jobId", ""), kind)
        found = _matching(last, [name for name in columns if name not in named and "," not in name])
        return [f"{before}{comma}{name}" for name in found]


async def _nothing(typed: str, given: Given) -> Sequence[str]:
    return ()


def _matching(typed: str, values: Iterable[str]) -> Sequence[str]:
    """Return the values that begin with what is typed, then those that have it elsewhere, in any case."""
    sought = typed.lower()
    found = [value for value in values if sought in value.lower()]
    return sorted(found, key=lambda value: not value.lower().startswith(sought))


def _ids_of(typed: str, jobs: Iterable[Job]) -> Sequence[str]:
    """Return the ids of the jobs whose id, object, operation or state begins with what is typed."""
    sought = typed.lower()
    return [
        job.id
        for job in jobs
        if any((name or "").lower().startswith(sought) for name in (job.id, job.object, job.operation, job.state))
    ]


def _completion(values: Sequence[str]) -> Completion:
    return Completion(values=list(values[:MOST_VALUES]), total=len(values), has_more=len(values) > MOST_VALUES)
