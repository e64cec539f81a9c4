"""The plan of faults: its rules say which fault happens to which requests or jobs, when and how often."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic.alias_generators import to_camel

from salesforce_emulator.errors import GRANT_EXPIRED, REQUESTS_EXCEEDED, SESSION_INVALID
from salesforce_emulator.faults.request_operations import RequestOperation, ResultOperation
from salesforce_emulator.user_files import FileError, KeyPath, plain_message, read

Seconds = Annotated[PositiveFloat, Field(le=3600)]
Status = Annotated[int, Field(ge=400, le=599)]
Text = Annotated[str, Field(max_length=1000)]


class BadPlan(ValueError):
    """A plan that is not valid; the message says in one line what is wrong, where, and what to do."""


class _Model(BaseModel):
    # Keys are in camel case, and unknown ones are refused.
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Rule(_Model):
    """A fault and when it happens: to every `every`-th match after the first `after`, at most `times` times.

    Attributes:
        on: operation of the requests that match, or `processing`.
        fault: name of the fault.
        after: number of matches that the rule spares first.
        every: distance between two matches that the rule hits: 1 for each match, 10 for every tenth.
        times: number of times that the fault happens; None sets no limit.
        probability: probability that a hit match has the fault; the seed of the plan determines these random choices.
        matched: ignored; accepted so that a plan can be sent back as the org shows it, with its count here.
        fired: ignored, as `matched`.
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
    """A fault of a request; a match is a request.

    Attributes:
        on: operation of the request, as the journal names it.
    """

    on: Literal[RequestOperation, "any"]

    def concerns(self, operation: RequestOperation) -> bool:
        """Return whether requests of this operation match."""
        return self.on in (operation, "any")


class ExpiredSession(RequestRule):
    """401 INVALID_SESSION_ID; some clients don't log in again if `message` is another text."""

    fault: Literal["expired-session"]
    message: Text = SESSION_INVALID


class RequestLimit(RequestRule):
    """403 REQUEST_LIMIT_EXCEEDED; `message` can name another limit, such as `ConcurrentPerOrgLongTxn Limit exceeded.`"""

    fault: Literal["request-limit"]
    message: Text = REQUESTS_EXCEEDED


class NoRoute(RequestRule):
    """420 with an HTML page: Salesforce Edge has no route to the org."""

    fault: Literal["no-route"]


class TooManyRequests(RequestRule):
    """429, the status of a rate limit.

    Attributes:
        retry_after: seconds in the header Retry-After; None leaves the header out.
    """

    fault: Literal["too-many-requests"]
    retry_after: NonNegativeInt | None = 1


class Unavailable(RequestRule):
    """503 SERVER_UNAVAILABLE, the error of an org that can't serve requests at present.

    Attributes:
        retry_after: seconds in the header Retry-After; None leaves the header out.
    """

    fault: Literal["unavailable"]
    retry_after: NonNegativeInt | None = 1


class ServerError(RequestRule):
    """500 UNKNOWN_EXCEPTION, an error without an explanation."""

    fault: Literal["server-error"]


class ErrorPage(RequestRule):
    """An HTML page where JSON or CSV is expected."""

    fault: Literal["error-page"]
    status: Status = 502


class RefusedLogin(RequestRule):
    """400 with the error object of the OAuth resources.

    Attributes:
        error: error code, such as `inactive_user`.
        description: text of `error_description`; None leaves it out.
    """

    on: Literal["token", "introspect", "revoke"] = "token"
    fault: Literal["refused-login"]
    error: Text = "invalid_grant"
    description: Text | None = GRANT_EXPIRED


class Answer(RequestRule):
    """Any other refusal: in the platform's envelope if it has an error code, or else with an empty body."""

    fault: Literal["answer"]
    status: Status
    error_code: Text | None = None
    message: Text = ""


class EmptyResults(RequestRule):
    """A result without even a header: an empty 200, or a 204."""

    on: Literal[ResultOperation, "any"]
    fault: Literal["blank-results", "no-content"]

    def concerns(self, operation: RequestOperation) -> bool:
        """Return whether the operation downloads one of the results, and the rule is about it."""
        return operation in get_args(ResultOperation) and super().concerns(operation)


class Latency(RequestRule):
    """The request waits before it is processed."""

    fault: Literal["latency"]
    seconds: Seconds


class SlowBody(RequestRule):
    """The response body comes slowly."""

    fault: Literal["slow-body"]
    bytes_per_second: PositiveInt


class Reset(RequestRule):
    """The connection is reset.

    Attributes:
        when: `before` the request body is read; `during` the request body, so that the request has no effect; `after` the
            request took effect, so that only the response is lost; `download`, in the middle of the response body.
        bytes: number of bytes of the body that pass first, for `during` and `download`; never the whole body.
    """

    fault: Literal["reset"]
    when: Literal["before", "during", "after", "download"]
    bytes: NonNegativeInt = 0


class ProcessingRule(Rule):
    """A fault of a job while it is processed."""

    on: Literal["processing"] = "processing"


class LockedRows(ProcessingRule):
    """Rows fail with UNABLE_TO_LOCK_ROW; a match is a row that has passed all checks but the validation rules."""

    fault: Literal["locked-rows"]


class FailedJob(ProcessingRule):
    """The job fails before a chunk of 200 rows; a match is a chunk. Saved rows stay, the others are unprocessed.

    Attributes:
        retries: number of retries that the job then shows; Salesforce retries a batch up to 20 times.
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

RULE_CLASSES: dict[str, type[Rule]] = {
    name: kind for kind in get_args(get_args(AnyRule)[0]) for name in get_args(kind.model_fields["fault"].annotation)
}
"""The class of the rule of each fault."""


class Plan(_Model):
    """A plan of faults.

    Attributes:
        seed: makes the random choices the same each time the plan is put in force; None takes the seed of the org.
        rules: rules in the order in which they are applied to a request. The first rule that answers the request is
            the last: later rules don't count the request.
    """

    seed: int | None = None
    rules: Annotated[tuple[AnyRule, ...], Field(max_length=1000)] = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """Return the plan in a parsed JSON or YAML value.

        Raises:
            BadPlan: the value is not a valid plan.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            key_path, problem = _first_problem(error)
            raise BadPlan(f"{'.'.join(map(str, key_path)) or 'the plan'}: {problem}") from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the plan in a file, which is JSON if its name ends in .json, or else YAML.

        Raises:
            BadPlan: the file can't be read, or is not a valid plan.
        """
        try:
            parsed = read(path)
        except FileError as error:
            raise BadPlan(f"The plan of faults {error}") from None
        try:
            return cls.model_validate(parsed.content)
        except ValidationError as error:
            key_path, problem = _first_problem(error)
            raise BadPlan(f"{parsed.location(key_path)}: {problem}") from None


def _first_problem(error: ValidationError) -> tuple[KeyPath, str]:
    first = error.errors(include_url=False, include_input=False)[0]
    key_path = first["loc"]
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return (*key_path, "fault"), f"use one of {', '.join(RULE_CLASSES)}"
    model: type[BaseModel] = Plan
    if len(key_path) > 2:  # pydantic puts the fault, which is no key, after the rule's index
        model = RULE_CLASSES[str(key_path[2])]
        key_path = (*key_path[:2], *key_path[3:])
    if first["type"] == "extra_forbidden":
        settings = [str(field.alias) for field in model.model_fields.values() if not field.exclude]
        return key_path, f"there is no such setting; use {', '.join(settings)}"
    return key_path, plain_message(first)
