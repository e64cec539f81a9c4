"""Checks of the header of an upload against the describe of its object.

A mistake is an error if Salesforce answers with `InvalidBatch`, which fails the whole job (API reference). A mistake that
fails single rows is a warning.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from salesforce_bulk_ingest.base.findings import SAME_JOB, Fails, FindingKind, Findings, Level
from salesforce_bulk_ingest.base.text import NAMES_SHOWN, as_name, quoted_names
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe
from salesforce_bulk_ingest.validation.columns import OF_WHOLE_NAMES, FieldColumn, UnknownColumn
from salesforce_bulk_ingest.validation.destination import LoadTarget
from salesforce_bulk_ingest.validation.meanings import COMPOUND_TYPES, keys_of, street_of

AN_EXTERNAL_ID = "<an external id>"
OF_LAST_NAMES = "If it holds last names, set LastName for it in columns; null there leaves it out."


class HeaderChecks:
    """The checks of one header.

    Args:
        load: the object and operation of the upload.
        columns: the uploaded columns, in their order.
        findings: collects what is wrong.
        line: the line of the source on which the header is.
        proposed: the names of fields that are proposed for columns: a missing one is told by the finding about its column.
        told: the names of columns that mean a field which another column has: a finding about that field tells of them.
    """

    def __init__(
        self,
        load: LoadTarget,
        columns: Sequence[FieldColumn | UnknownColumn],
        findings: Findings,
        line: int,
        proposed: Set[str] = frozenset(),
        told: Set[str] = frozenset(),
    ) -> None:
        self._load = load
        self._describe = load.describe
        self._all = columns
        self._known = [column for column in columns if isinstance(column, FieldColumn)]
        self._findings = findings
        self._line = line
        self._proposed = proposed
        self._told = told

    def check(self) -> None:
        """Run all checks of the header."""
        self._check_permission()
        self._check_key()
        if self._load.deletes:
            self._check_only_id()
            return
        self._check_names()
        self._check_doubled_lookups()
        self._check_read_only()
        self._check_required()

    def _check_permission(self) -> None:
        describe, load = self._describe, self._load
        may_write = (load.creates and describe.createable) or (load.updates and describe.updateable)
        if not (describe.deletable if load.deletes else may_write):
            what = f"This user may not {load.operation} records of {as_name(describe.name)}: every row fails."
            self._add("permission", "warning", what, "Load as a user who may, or ask the org's administrator.",
                      fails="every row")  # fmt: skip

    def _check_key(self) -> None:
        key, load = self._load.key, self._load
        if key is None:
            return
        field = self._describe.field(key)
        if field is None or not field.finds_records:
            present = {column.field.name for column in self._known if column.parent_field is None}
            usable = [known.name for known in self._describe.fields if known.finds_records]
            usable.sort(key=lambda name: (name not in present, name == ID_FIELD))
            likely = usable[0] if present.intersection(usable) else AN_EXTERNAL_ID
            what = f"{quoted_names([key])} is no external id of {as_name(self._describe.name)}, so the job fails."
            do = f"Make the job with externalIdFieldName {' or '.join(map(as_name, usable[:NAMES_SHOWN]))}."
            self._findings.add("external id", "error", what, do, line=self._line, job={"externalIdFieldName": likely})
        elif not load.deletes and field.name not in self._proposed and not any(map(load.is_key, self._all)):
            what = f"There is no column {as_name(key)}, without which every row fails."
            if not load.needs_keys:
                what = f"There is no column {as_name(key)}, so every row makes a new record."
            do = f"If a column holds it, name {as_name(key)} for that in columns."
            job = self._job_by_key() if load.operation == "update" else SAME_JOB
            if job:
                by = as_name(job["externalIdFieldName"])
                do += f' Or find the records by {by}: make an upsert job by it, with match "updateOnly".'
            fails: Fails | None = "every row" if load.needs_keys else None
            self._findings.add("no key", "warning", what, do, line=self._line, job=job, fails=fails)

    def _job_by_key(self) -> Mapping[str, str]:
        """Return the job that finds the records by the external id that a column has; empty if none or several have one."""
        present = {column.field.name for column in self._known if column.parent_field is None}
        keys = [key.name for key in keys_of(self._describe) if key.name in present]
        return {"operation": "upsert", "externalIdFieldName": keys[0]} if len(keys) == 1 else SAME_JOB

    def _check_only_id(self) -> None:
        others = [column.name for column in self._all]
        key = next(filter(self._load.is_key, self._all), None)
        if key is not None:
            others.remove(key.name)
        if key is None:
            what = f"There is no column {ID_FIELD}, the one that a {self._load.operation} takes."
            do = f"Name {ID_FIELD} in columns for the column that holds it, and set null there for the others."
            self._add("only id", "error", what, do)
        elif others:
            what = f"A {self._load.operation} takes one column, {ID_FIELD}; more fail the whole job: {quoted_names(others)}."
            self._add("only id", "error", what, f'Set only to ["{ID_FIELD}"].')

    def _check_names(self) -> None:
        for column in self._all:
            if isinstance(column, UnknownColumn) and column.name.strip() and column.name not in self._told:
                self._add("unknown column", "error", column.what, column.advise(), column.name)

    def _check_doubled_lookups(self) -> None:
        filling: dict[str, list[FieldColumn]] = defaultdict(list)
        for column in self._known:
            filling[column.field.name].append(column)
        for name, columns in filling.items():
            if len(columns) == 1:
                continue
            headers = quoted_names(column.name for column in columns)
            if len({column.parent_field for column in columns}) > 1:
                what = f"Several columns say which record {as_name(name)} leads to: {headers}."
                what += " Rows that fill more than one fail."
                do = "Keep one: set null in columns for the others."
                self._add("doubled lookup", "warning", what, do, columns[-1].name, fails="other rows")

    def _check_read_only(self) -> None:
        for column in self._known:
            reason = None if self._load.is_key(column) else self._refusal(column.field)
            if reason:
                what, do = f"{reason}; rows that fill it fail.", self._instead_of(column.field)
                self._add("read-only", "warning", what, do, column.name, fails="other rows")

    def _instead_of(self, field: FieldDescribe) -> str:
        """Return what to do about a column of a field that rows can't fill."""
        if field.name == "Name" and self._lacks("LastName"):
            return OF_WHOLE_NAMES if self._lacks("FirstName") else OF_LAST_NAMES
        if field.type == "address" and self._lacks(street := street_of(field)):
            return f"If it holds streets, set {street} for it in columns; null there leaves it out."
        do = "Leave it out: set null for it in columns."
        keys = [key.name for key in keys_of(self._describe) if self._lacks(key.name)] if field.name == ID_FIELD else ()
        if not keys:
            return do
        return f"{do} If it holds ids of another system, set {' or '.join(map(as_name, keys[:NAMES_SHOWN]))} there."

    def _lacks(self, name: str) -> bool:
        """Return whether the object has a field, and no column is for it."""
        return self._describe.field(name) is not None and name not in {column.field.name for column in self._known}

    def _refusal(self, field: FieldDescribe) -> str | None:
        load = self._load
        if field.name == ID_FIELD:
            return f"An {load.operation} takes no {ID_FIELD}" if load.key is None else f"{as_name(load.key)} is the key"
        if load.creates and not field.createable:
            return f"{as_name(field.name)} can't be set {self._why_not(field)}"
        if load.updates and not field.updateable:
            return f"{as_name(field.name)} can't be changed {self._why_not(field)}"
        return None

    def _why_not(self, field: FieldDescribe) -> str:
        if field.auto_number:
            return "since Salesforce numbers it"
        if field.calculated:
            return "since it is a formula or a roll-up summary"
        parts = [part.name for part in self._describe.parts_of(field) if part.createable or part.updateable]
        if parts:
            return f"since Salesforce makes it of {', '.join(map(as_name, parts[:NAMES_SHOWN]))}"
        return "since it is made of other fields" if field.type in COMPOUND_TYPES else "by this user"

    def _check_required(self) -> None:
        load = self._load
        if not load.creates:
            return
        missing = [field.name for field in self._describe.fields if field.is_required and not self._is_filled(field)]
        if missing:
            fail = "rows that make a new record fail" if load.updates else "every row fails"
            names = ", ".join(map(as_name, missing))
            what = f"{as_name(self._describe.name)} requires {names}: without a column for it {fail}."
            do = "Add it; or name it in columns for the column that holds it; or give all rows one value with set."
            self._add("required", "warning", what, do, fails="other rows" if load.updates else "every row")

    def _is_filled(self, required: FieldDescribe) -> bool:
        present = self._proposed | {column.field.name for column in self._known}
        # A person account has a last name instead of a name.
        return required.name in present or (
            self._describe.has_persons and required.name == "Name" and "LastName" in present
        )

    def _add(
        self, kind: FindingKind, level: Level, what: str, do: str, column: str | None = None, fails: Fails | None = None
    ) -> None:
        self._findings.add(kind, level, what, do, column=column, line=self._line, fails=fails)
