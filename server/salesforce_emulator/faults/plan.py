"""A plan of faults: rules, each of which says on what, when and how often which fault happens."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic.alias_generators import to_camel

from salesforce_emulator.errors import GRANT_EXPIRED, REQUESTS_EXCEEDED, SESSION_INVALID
from salesforce_emulator.faults.call_names import Operation, Results
from salesforce_emulator.user_files import Mistake, Place, plainly, read

Seconds = Annotated[PositiveFloat, Field(le=3600)]
Status = Annotated[int, Field(ge=400, le=599)]
Text = Annotated[str, Field(max_length=1000)]


class BadPlan(ValueError):
    """A plan that can't be put in force; the message says in one line what is wrong, where, and what to do."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Rule(_Closed):
    """When a fault happens. Of the matches that `after` leaves, every `every`-th is hit, until `times` are.

    Attributes:
        after: how many matches pass first.
        every: 1 is each of them, 10 each tenth.
        times: how often the fault happens; without it, until the plan is replaced or deleted.
        probability: of each hit to happen at all; the dice are seeded by the plan.
        on: what it happens to.
        fault: what happens.
        matched, fired: as the org shows them beside the rule; taken, so that what it shows can be sent back, and left.
    """

    on: str
    fault: str
    after: NonNegativeInt = 0
    every: PositiveInt = 1
    times: PositiveInt | None = None
    probability: Annotated[float, Field(ge=0, le=1)] = 1
    matched: Any = Field(None, exclude=True)
    fired: Any = Field(None, exclude=True)


class RequestRule(Rule):
    """A fault that a caller meets; a match is a request.

    Attributes:
        on: the operation, as the journal names it.
    """

    on: Literal[Operation, "any"]

    def concerns(self, operation: Operation) -> bool:
        """Whether requests of this operation match."""
        return self.on in (operation, "any")


class ExpiredSession(RequestRule):
    """401 INVALID_SESSION_ID; `message` for the variants that a new token does not cure."""

    fault: Literal["expired-session"]
    message: Text = SESSION_INVALID


class RequestLimit(RequestRule):
    """403 REQUEST_LIMIT_EXCEEDED; `message` for other limits, as `ConcurrentPerOrgLongTxn Limit exceeded.`"""

    fault: Literal["request-limit"]
    message: Text = REQUESTS_EXCEEDED


class NoRoute(RequestRule):
    """420, an HTML page: Salesforce Edge does not know where the org is."""

    fault: Literal["no-route"]


class TooManyRequests(RequestRule):
    """429.

    Attributes:
        retry_after: seconds, as `Retry-After`; null for none.
    """

    fault: Literal["too-many-requests"]
    retry_after: NonNegativeInt | None = 1


class Unavailable(RequestRule):
    """503 SERVER_UNAVAILABLE.

    Attributes:
        retry_after: seconds, as `Retry-After`; null for none.
    """

    fault: Literal["unavailable"]
    retry_after: NonNegativeInt | None = 1


class ServerError(RequestRule):
    """500 UNKNOWN_EXCEPTION."""

    fault: Literal["server-error"]


class ErrorPage(RequestRule):
    """An HTML page where JSON or CSV is expected."""

    fault: Literal["error-page"]
    status: Status = 502


class RefusedLogin(RequestRule):
    """400 with the object that OAuth resources answer with.

    Attributes:
        error, description: as `inactive_user`; without a description only the error is told.
    """

    on: Literal["token", "introspect", "revoke"] = "token"
    fault: Literal["refused-login"]
    error: Text = "invalid_grant"
    description: Text | None = GRANT_EXPIRED


class Answer(RequestRule):
    """Any other refusal: with an error code in the platform's envelope, without one an empty body."""

    fault: Literal["answer"]
    status: Status
    error_code: Text | None = None
    message: Text = ""


class EmptyResults(RequestRule):
    """A result without even a header: an empty 200, or a 204."""

    on: Literal[Results, "any"]
    fault: Literal["blank-results", "no-content"]

    def concerns(self, operation: Operation) -> bool:
        """Whether the operation gets results, and these."""
        return operation in get_args(Results) and super().concerns(operation)


class Latency(RequestRule):
    """The request waits before it is looked at."""

    fault: Literal["latency"]
    seconds: Seconds


class SlowBody(RequestRule):
    """The answer's body trickles."""

    fault: Literal["slow-body"]
    bytes_per_second: PositiveInt


class Reset(RequestRule):
    """The connection is reset.

    Attributes:
        when: `before` the body of the request is read; `during` it, so that the request has no effect; `after` the
            request took effect, so that only the answer is lost; in the middle of the answer's body (`download`).
        bytes: how many of the body go over first, in `during` and `download`; it never gets over as a whole.
    """

    fault: Literal["reset"]
    when: Literal["before", "during", "after", "download"]
    bytes: NonNegativeInt = 0


class ProcessingRule(Rule):
    """A fault that a job meets while it is worked on."""

    on: Literal["processing"] = "processing"


class LockedRows(ProcessingRule):
    """Rows fail with UNABLE_TO_LOCK_ROW; a match is a row that otherwise would only have to pass validation rules."""

    fault: Literal["locked-rows"]


class FailedJob(ProcessingRule):
    """The job fails before a chunk of 200 rows; a match is a chunk. What it had saved stays, the rest is unprocessed.

    Attributes:
        retries: what the job then shows of them; Salesforce tries a batch again up to 20 times.
    """

    fault: Literal["too-many-lock-failures", "retries-exhausted"]
    retries: NonNegativeInt = 20


class StuckJob(ProcessingRule):
    """The job stays InProgress before a chunk of 200 rows until the plan is replaced or deleted; a match is a chunk."""

    fault: Literal["stuck-job"]


AnyRule = Annotated[
    ExpiredSession
    | RequestLimit
    | NoRoute
    | TooManyRequests
    | Unavailable
    | ServerError
    | ErrorPage
    | RefusedLogin
    | Answer
    | EmptyResults
    | Latency
    | SlowBody
    | Reset
    | LockedRows
    | FailedJob
    | StuckJob,
    Field(discriminator="fault"),
]

KINDS: dict[str, type[Rule]] = {
    name: kind for kind in get_args(get_args(AnyRule)[0]) for name in get_args(kind.model_fields["fault"].annotation)
}
"""The kind of rule for each fault."""


class Plan(_Closed):
    """Rules in the order in which a request asks them. One that answers is the last: later rules don't count it.

    Attributes:
        seed: makes the dice fall the same way each time the plan is put in force; the org's own seed by default.
    """

    seed: int | None = None
    rules: Annotated[tuple[AnyRule, ...], Field(max_length=1000)] = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """The plan that parsed JSON or YAML holds.

        Raises:
            BadPlan: it is none.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            place, problem = _first_problem(error)
            raise BadPlan(f"{'.'.join(map(str, place)) or 'the plan'}: {problem}") from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """The plan in a file, JSON if its name says so, else YAML.

        Raises:
            BadPlan: there is no such file, or no plan in it.
        """
        try:
            written = read(path)
        except Mistake as error:
            raise BadPlan(f"The plan of faults {error}") from None
        try:
            return cls.model_validate(written.content)
        except ValidationError as error:
            place, problem = _first_problem(error)
            raise BadPlan(f"{written.where(place)}: {problem}") from None


def _first_problem(error: ValidationError) -> tuple[Place, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    place = first["loc"]
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return (*place, "fault"), f"use one of {', '.join(KINDS)}"
    kind: type[BaseModel] = Plan
    if len(place) > 2:  # the third is the name of the fault, by which pydantic chose the kind of rule
        kind = KINDS[str(place[2])]
        place = (*place[:2], *place[3:])
    if first["type"] == "extra_forbidden":
        settings = [str(field.alias) for field in kind.model_fields.values() if not field.exclude]
        return place, f"there is no such setting; use {', '.join(settings)}"
    return place, plainly(first)
