"""The plan in force: which rule acts on a request, a row or a chunk, and how often each has."""

import random
from collections.abc import Iterator
from threading import Lock
from typing import Any, Generic, TypeVar

from salesforce_emulator.errors import JobFailure
from salesforce_emulator.faults.call_names import Operation
from salesforce_emulator.faults.plan import FailedJob, LockedRows, Plan, ProcessingRule, RequestRule, Rule

FAILURES = {
    # seen in Bulk API 1.0
    "too-many-lock-failures": ("TooManyLockFailure", "Too many lock failure 200 Trying again later."),
    # assumed: documented is only that the message tells of more than 20 retries, and Timeout as the name of an error
    "retries-exhausted": ("Timeout", "The batch was retried more than {retries} times."),
}

_Rule = TypeVar("_Rule", bound=Rule)


class GivenUp(JobFailure):
    """The job fails after its batch was tried again so many times."""

    def __init__(self, rule: FailedJob) -> None:
        code, message = FAILURES[rule.fault]
        super().__init__(code, message.format(retries=rule.retries))
        self.retries = rule.retries


class JobHeld(Exception):
    """The job is not to go on before the plan changes."""


class _Armed(Generic[_Rule]):
    """A rule in force, and what became of it so far."""

    def __init__(self, rule: _Rule, dice: random.Random) -> None:
        self.rule = rule
        self.matched = 0
        self.fired = 0
        self._dice = dice

    def acts(self) -> bool:
        """Count a match, and tell whether the fault happens to it."""
        rule = self.rule
        self.matched += 1
        place = self.matched - rule.after
        if place <= 0 or place % rule.every or self.fired == rule.times:
            return False
        if rule.probability < 1 and self._dice.random() >= rule.probability:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, Any]:
        named = {"on": self.rule.on, "fault": self.rule.fault}
        return named | self.rule.model_dump(by_alias=True) | {"matched": self.matched, "fired": self.fired}


class Faults:
    """What goes wrong on purpose. Requests ask from the event loop, jobs from the thread that works on them."""

    def __init__(self, plan: Plan, seed: int | None) -> None:
        self._org_seed = seed
        self._lock = Lock()  # so that no job is held by a plan that has just been replaced
        self._held: set[str] = set()
        self.replace(plan)

    def replace(self, plan: Plan) -> set[str]:
        """Put a plan in force, with all counts at zero, and return the jobs that the one before has held."""
        seed = plan.seed if plan.seed is not None else self._org_seed
        armed = [
            _Armed(rule, random.Random(None if seed is None else f"{seed} {place}"))
            for place, rule in enumerate(plan.rules)
        ]
        with self._lock:
            self._plan = plan
            self._armed: list[_Armed[Any]] = armed
            self._on_requests = _of(armed, RequestRule)
            self._on_rows = _of(armed, LockedRows)
            self._on_chunks = [rule for rule in _of(armed, ProcessingRule) if not isinstance(rule.rule, LockedRows)]
            held, self._held = self._held, set()
        return held

    def shown(self) -> dict[str, Any]:
        """The plan as JSON, each rule with how many matches it counted and how often it fired."""
        return {"seed": self._plan.seed, "rules": [armed.shown() for armed in self._armed]}

    def met_by(self, operation: Operation) -> Iterator[RequestRule]:
        """The faults that a request meets, in order; whoever stops asking keeps later rules from counting it."""
        for armed in self._on_requests:
            if armed.rule.concerns(operation) and armed.acts():
                yield armed.rule

    def before_chunk(self, job_id: str) -> None:
        """Let a job meet its faults before it goes on with a chunk of rows.

        Raises:
            GivenUp: the job fails.
            JobHeld: the job stays as it is until `replace` returns it.
        """
        if not self._on_chunks:
            return
        with self._lock:
            for armed in self._on_chunks:
                if not armed.acts():
                    continue
                if isinstance(armed.rule, FailedJob):
                    raise GivenUp(armed.rule)
                self._held.add(job_id)
                raise JobHeld

    @property
    def lock_rows(self) -> bool:
        """Whether rows have to be asked about at all."""
        return bool(self._on_rows)

    def locks_a_row(self) -> bool:
        """Whether the next row that could be saved otherwise finds its record locked."""
        return any(armed.acts() for armed in self._on_rows)


def _of(armed: list[_Armed[Any]], kind: type[_Rule]) -> list[_Armed[_Rule]]:
    return [each for each in armed if isinstance(each.rule, kind)]
