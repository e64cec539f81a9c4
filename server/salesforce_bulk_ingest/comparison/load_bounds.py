"""The bounds that a reviewed load is held to before any of its rows is sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.base.errors import OutOfBounds
from salesforce_bulk_ingest.base.text import as_name, quoted_names
from salesforce_bulk_ingest.comparison.changes import Fate
from salesforce_bulk_ingest.comparison.org_comparison import OrgComparison
from salesforce_bulk_ingest.loading.plan import Plan

_MOST = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(%?)")


@dataclass(frozen=True, slots=True)
class Most:
    """The most that there may be of something: a number, or a share of all in percent."""

    number: float
    is_share: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a text such as `200` or `5%` says.

        Raises:
            ValueError: it says neither.
        """
        found = _MOST.fullmatch(text.strip())
        if found is None or (not found[2] and "." in found[1]) or (found[2] and float(found[1]) > 100):
            raise ValueError("expected a whole number, or a share as 5%")
        return cls(float(found[1]), bool(found[2]))

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.is_share else f"{self.number:,.0f}"

    def is_exceeded(self, count: int, of: int) -> bool:
        """Return whether so many of all are more than there may be."""
        return count * 100 > self.number * of if self.is_share else count > self.number


@dataclass(frozen=True, slots=True)
class LoadBounds:
    """The bounds of one load.

    Attributes:
        recipe: the name of the recipe that sets them.
        sobject: the object whose records are written.
        operation: the operation of the job.
        external_id_field: the field that an upsert finds records by; None for another operation.
        least_rows: the fewest rows.
        most_rows: the most rows; None for any number.
        cleared: the most cells of each field that are cleared; None for any number.
        fields: the names of the fields that may be written; none for all.
        new: the most rows that make a new record; None for any number.
        changed: the most rows that change a record; None for any number.
    """

    recipe: str
    sobject: str
    operation: str
    external_id_field: str | None = None
    least_rows: int = 0
    most_rows: int | None = None
    cleared: Most | None = None
    fields: tuple[str, ...] = ()
    new: Most | None = None
    changed: Most | None = None

    @property
    def needs_profile(self) -> bool:
        """Whether the cells have to be counted for them."""
        return self.cleared is not None or self.needs_comparison

    @property
    def needs_comparison(self) -> bool:
        """Whether the rows have to be compared with the org for them."""
        return self.new is not None or self.changed is not None

    def check_job(self, sobject: str | None, operation: str | None, external_id_field: str | None) -> None:
        """Raise OutOfBounds for a job of another kind than that of the recipe."""
        key = external_id_field if operation == "upsert" else None
        found = [str(name or "").lower() for name in (sobject, operation, key)]
        if found != [str(name or "").lower() for name in (self.sobject, self.operation, self.external_id_field)]:
            by = f" by {as_name(self.external_id_field)}" if self.external_id_field else ""
            raise OutOfBounds(
                [f"it is for a job of another kind than {as_name(self.operation)} {as_name(self.sobject)}{by}"],
                self.recipe,
            )

    def check(self, plan: Plan, comparison: OrgComparison | None, *, writes: bool) -> None:
        """Raise OutOfBounds where the rows of a plan are out of the bounds, or may be, as far as their records were seen.

        A source that can't be read is not judged, and rows with errors are not judged by the records.

        Args:
            plan: the plan of the rows.
            comparison: the rows compared with the org; None where they could not be, or need not be.
            writes: whether there is a row that goes.
        """
        out = list(self._out(plan)) if plan.header else []
        if writes and not plan.has_errors:
            out += self._out_in_org(plan, comparison)
        if out:
            raise OutOfBounds(out, self.recipe)

    def _out(self, plan: Plan) -> Iterator[str]:
        if plan.rows < self.least_rows:
            yield f"the number of its rows is {plan.rows:,}, and {self.least_rows:,} is the least (rows)"
        if self.most_rows is not None and plan.rows > self.most_rows:
            yield f"the number of its rows is {plan.rows:,}, and {self.most_rows:,} is the most (rows)"
        if self.fields:
            allowed = {name.lower() for name in (*self.fields, "Id", self.external_id_field or "Id")}
            others = [name for name in plan.header if name.lower() not in allowed]
            if others:
                yield f"it would write {quoted_names(others)} (fields)"
        if self.cleared is not None and plan.profile is not None:
            for name, column in zip(plan.header, plan.profile.columns, strict=True):
                if self.cleared.is_exceeded(column.clears, plan.rows):
                    yield (
                        f"it would clear {as_name(name)} in {column.clears:,} of {plan.rows:,} rows, and {self.cleared} is "
                        "the most (cleared)"
                    )

    def _out_in_org(self, plan: Plan, comparison: OrgComparison | None) -> Iterator[str]:
        unknown = list[str]()
        for name, fate, most, action in (
            ("new", Fate.NEW, self.new, "make a new record"),
            ("changed", Fate.CHANGED, self.changed, "change a record"),
        ):
            fewest, possible = (0, plan.rows) if comparison is None else comparison.rows_of(fate)
            if most is not None and most.is_exceeded(fewest, plan.rows):
                yield f"{fewest:,} of {plan.rows:,} rows would {action}, and {most} is the most ({name})"
            elif most is not None and most.is_exceeded(possible, plan.rows):
                unknown.append(f"{action} ({name}, {most} at most)")
        if unknown:
            yield f"how many rows would {' or '.join(unknown)} is not known: {self._why_not_known(plan, comparison)}"

    def _why_not_known(self, plan: Plan, comparison: OrgComparison | None) -> str:
        """Return why the records of some rows were not seen, as a part of a sentence."""
        if comparison is None:
            if plan.sample is None:
                return "this server compares no rows with the org (--compare-rows)"
            if self.operation != "insert" and not any(column.is_key for column in plan.columns):
                return "no column names their records"
            return "the fields of the object could not be read"
        reasons = list(comparison.unseen)
        if comparison.rows < comparison.total:
            compared = f"{comparison.rows:,} of {comparison.total:,} rows"
            reasons.append(f"Only {compared} were compared with the org (--compare-rows).")
        return " ".join(reasons).removesuffix(".")
