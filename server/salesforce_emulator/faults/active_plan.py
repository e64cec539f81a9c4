"""The plan of faults in force: decides which rule acts on a request, a row or a chunk, and counts the matches."""

import random
from collections.abc import Iterator
from threading import Lock
from typing import Any, Generic, TypeVar

from salesforce_emulator.errors import JobFailure
from salesforce_emulator.faults.plan import FailedJob, LockedRows, Plan, ProcessingRule, RequestRule, Rule
from salesforce_emulator.faults.request_operations import RequestOperation

FAILURES = {
    # seen in Bulk API 1.0
    "too-many-lock-failures": ("TooManyLockFailure", "Too many lock failure 200 Trying again later."),
    # documented: a message about more than 20 retries, and Timeout as the name of an error; assumed: the text
    "retries-exhausted": ("Timeout", "The batch was retried more than {retries} times."),
}

_Rule = TypeVar("_Rule", bound=Rule)


class JobFailedByPlan(JobFailure):
    """The failure of a job by a rule of the plan.

    Attributes:
        retries: number of retries that the job then shows.
    """

    def __init__(self, rule: FailedJob) -> None:
        code, message = FAILURES[rule.fault]
        super().__init__(code, message.format(retries=rule.retries))
        self.retries = rule.retries


class JobHeld(Exception):
    """Raised when a rule stops a job until the plan is replaced."""


class _Armed(Generic[_Rule]):
    """A rule in force, with the number of its matches and of the times that it has fired."""

    def __init__(self, rule: _Rule, generator: random.Random) -> None:
        self.rule = rule
        self.matched = 0
        self.fired = 0
        self._generator = generator

    def fires(self) -> bool:
        """Count a match, and return whether the fault happens this time."""
        rule = self.rule
        self.matched += 1
        counted = self.matched - rule.after
        if counted <= 0 or counted % rule.every or self.fired == rule.times:
            return False
        if rule.probability < 1 and self._generator.random() >= rule.probability:
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, Any]:
        named = {"on": self.rule.on, "fault": self.rule.fault}
        return named | self.rule.model_dump(by_alias=True) | {"matched": self.matched, "fired": self.fired}


class ActivePlan:
    """The plan of faults in force, used for requests on the event loop, and for jobs on the worker's thread.

    Args:
        plan: the first plan.
        seed: seed of the org, for plans without a seed; None makes their random choices differ from run to run.
    """

    def __init__(self, plan: Plan, seed: int | None) -> None:
        self._org_seed = seed
        self._lock = Lock()  # so that a plan that has just been replaced can't stop a job
        self._held: set[str] = set()
        self.replace(plan)

    def replace(self, plan: Plan) -> set[str]:
        """Put a plan in force, with all counts at zero, and return the ids of the jobs that the previous plan stopped."""
        seed = plan.seed if plan.seed is not None else self._org_seed
        armed = [
            _Armed(rule, random.Random(None if seed is None else f"{seed} {index}"))
            for index, rule in enumerate(plan.rules)
        ]
        with self._lock:
            self._plan = plan
            self._armed: list[_Armed[Any]] = armed
            self._on_requests = _of(armed, RequestRule)
            self._on_rows = _of(armed, LockedRows)
            self._on_chunks = [rule for rule in _of(armed, ProcessingRule) if not isinstance(rule.rule, LockedRows)]
            held, self._held = self._held, set()
        return held

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON, each rule with its numbers of matches and firings."""
        return {"seed": self._plan.seed, "rules": [armed.as_json() for armed in self._armed]}

    def request_faults(self, operation: RequestOperation) -> Iterator[RequestRule]:
        """Yield the faults of a request in order. Rules after the last fault that the caller takes don't count it."""
        for armed in self._on_requests:
            if armed.rule.concerns(operation) and armed.fires():
                yield armed.rule

    def raise_chunk_fault(self, job_id: str) -> None:
        """Raise the fault, if any, that happens to a job before its next chunk of rows.

        Raises:
            JobFailedByPlan: a rule lets the job fail.
            JobHeld: a rule stops the job; `replace` returns its id when the job may go on.
        """
        if not self._on_chunks:
            return
        with self._lock:
            for armed in self._on_chunks:
                if not armed.fires():
                    continue
                if isinstance(armed.rule, FailedJob):
                    raise JobFailedByPlan(armed.rule)
                self._held.add(job_id)
                raise JobHeld

    @property
    def has_row_locks(self) -> bool:
        """Whether the plan has a rule about rows, so that `locks_next_row` has to be called."""
        return bool(self._on_rows)

    def locks_next_row(self) -> bool:
        """Return whether the next row, which could otherwise be saved, fails because its record is locked."""
        return any(armed.fires() for armed in self._on_rows)


def _of(armed: list[_Armed[Any]], kind: type[_Rule]) -> list[_Armed[_Rule]]:
    return [each for each in armed if isinstance(each.rule, kind)]
