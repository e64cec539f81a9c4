"""What the operator lets callers do. The same rules hold for tools and for `/v1`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.errors import RefusedByPolicy
from salesforce_bulk_ingest.base.name_patterns import denied_fields, is_allowed_by, is_denied_by, written_field
from salesforce_bulk_ingest.base.text import as_name, listed
from salesforce_bulk_ingest.results.retry_request import UNDONE_BY
from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, Job

GUARDED_OPERATIONS = ("delete", "hardDelete")
"""Operations that remove records; each has to be allowed by name."""

UNDOING = UNDONE_BY["insert"]["created"]
"""The operation that is let through to undo what jobs created; a hardDelete is not: the Recycle Bin would not have them."""

NAMES_IN_REFUSALS = 12
NAMES_IN_INSTRUCTIONS = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one server; names of objects and fields may be patterns, see `name_patterns`.

    Attributes:
        read_only: whether every call that changes something is refused.
        allowed_operations: the names of the guarded operations that are allowed.
        denied_operations: the names of operations that are refused, also where they are allowed.
        allowed_objects: the only objects that jobs may be of; none stands for all.
        denied_objects: objects that no job may be of, also where they are allowed.
        denied_fields: fields that no row may write.
        most_rows: the most rows of a job; 0 for any number.
        most_bytes: the most bytes of a job's rows, decompressed; 0 for any number.
        allows_preflight_off: whether rows may be sent without the preflight.
        only_recipes: whether rows are loaded by recipes alone.
        allows_undo: whether a delete job that is not allowed is let through for ids of records which jobs of this server
            created, and nothing else; its close has to be confirmed.
    """

    read_only: bool = False
    allowed_operations: frozenset[str] = frozenset()
    denied_operations: frozenset[str] = frozenset()
    allowed_objects: tuple[str, ...] = ()
    denied_objects: tuple[str, ...] = ()
    denied_fields: tuple[str, ...] = ()
    most_rows: int = 0
    most_bytes: int = 0
    allows_preflight_off: bool = False
    only_recipes: bool = False
    allows_undo: bool = False

    @property
    def refused_operations(self) -> tuple[str, ...]:
        """The operations that are refused: the guarded ones that are not allowed, and the denied ones."""
        guarded = [name for name in GUARDED_OPERATIONS if name not in self.allowed_operations]
        return tuple(dict.fromkeys((*guarded, *sorted(self.denied_operations))))

    @property
    def judges_objects(self) -> bool:
        """Whether there are objects that jobs may not be of."""
        return bool(self.allowed_objects or self.denied_objects)

    @property
    def judges_jobs(self) -> bool:
        """Whether there are jobs that may not be made or closed, whatever their rows."""
        return bool(self.refused_operations or self.judges_objects)

    @property
    def judges_rows(self) -> bool:
        """Whether there are rows that may not be loaded."""
        return bool(self.most_rows or self.most_bytes or self.denied_fields)

    @property
    def has_rules(self) -> bool:
        """Whether a job has to be looked at before it is filled or closed."""
        return self.judges_jobs or self.judges_rows or self.only_recipes

    def check_write(self) -> None:
        """Raise RefusedByPolicy on a read-only server, and for a caller who may only read."""
        if self.read_only:
            raise RefusedByPolicy(
                "This server is read-only (--read-only), so it makes, fills, closes and deletes no jobs."
            )
        if not current_caller().may_write:
            raise RefusedByPolicy(
                "This caller may only read, so no job is made, filled, closed or deleted for them. That takes a token that "
                "may write."
            )

    def lets_undo_through(self, operation: str | None) -> bool:
        """Return whether jobs with this operation are refused but for undos; a denial by name refuses these, too."""
        denied = {name.lower() for name in self.denied_operations}
        return self.allows_undo and operation == UNDOING and UNDOING not in self.allowed_operations | denied

    def check_operation(self, operation: str | None, *, is_undo: bool = False) -> None:
        """Raise RefusedByPolicy for an operation that is denied, or that removes records and is not allowed by name.

        Args:
            operation: the operation.
            is_undo: whether the rows are ids of records that jobs of this server created, and nothing else.
        """
        if is_undo and self.lets_undo_through(operation):
            return
        # Salesforce knows operation names in one case only; the policy must not depend on it.
        asked = (operation or "").lower()
        for denied in self.denied_operations:
            if asked == denied.lower():
                raise RefusedByPolicy(f"Jobs with the operation {denied} are refused here (--deny-operation {denied}).")
        for refused in self.refused_operations:
            if asked == refused.lower():
                raise RefusedByPolicy(
                    f"Jobs with the operation {refused} are refused here: they remove records. The operator can allow "
                    f"them by starting the server with --allow-operation {refused}.{self._but(refused)}"
                )

    def check_object(self, sobject: str | None) -> None:
        """Raise RefusedByPolicy for an object that no job may be of."""
        if sobject is None:
            return
        if is_denied_by(self.denied_objects, sobject):
            denied = listed(self.denied_objects, NAMES_IN_REFUSALS)
            raise RefusedByPolicy(f"Jobs of {as_name(sobject)} are refused here (--deny-object: {denied}).")
        if self.allowed_objects and not is_allowed_by(self.allowed_objects, sobject):
            allowed = listed(self.allowed_objects, NAMES_IN_REFUSALS)
            raise RefusedByPolicy(
                f"Jobs of {as_name(sobject)} are refused here: jobs may be of {allowed} alone (--allow-object)."
            )

    def check_create(self, sobject: str | None, operation: str | None, *, is_undo: bool = False) -> None:
        """Raise RefusedByPolicy where no job of this object with this operation may be made; see `check_operation`."""
        self.check_write()
        self.check_operation(operation, is_undo=is_undo)
        self.check_object(sobject)

    def check_job(self, job: Job, *, is_undo: bool = False) -> None:
        """Check a job that was made earlier, perhaps elsewhere or under another policy.

        Args:
            job: the job, as it was just read from Salesforce, which is believed.
            is_undo: see `check_operation`.

        Raises:
            RefusedByPolicy: the job may not be filled or closed.
            UnexpectedAnswer: Salesforce did not tell the operation or the object, by which the job is judged.
        """
        for name, told, counts in (
            ("operation", job.operation, self.refused_operations),
            ("object", job.object, self.judges_objects),
        ):
            if counts and not told:
                raise UnexpectedAnswer(f"Salesforce did not say which {name} this job has, so it is left as it is.")
        self.check_operation(job.operation, is_undo=is_undo)
        self.check_object(job.object)

    def check_preflight(self, *, preflight: bool) -> None:
        """Raise RefusedByPolicy for rows that are to be sent unchecked, where that is not allowed."""
        if not preflight and not self.allows_preflight_off:
            raise RefusedByPolicy(
                'preflight "off" is refused here: rows are checked before they are sent. The operator can allow it with '
                "--allow-preflight-off."
            )

    def check_recipe(self, *, is_by_recipe: bool) -> None:
        """Raise RefusedByPolicy for a job, or its rows, without a recipe, where rows are loaded by recipes alone."""
        if self.only_recipes and not is_by_recipe:
            raise RefusedByPolicy(
                "Rows are loaded by recipes alone here (--only-recipes), through the tools, with data "
                '{"recipe": name, "file": path}.'
            )

    def bounds_of(
        self, sobject: str | None, operation: str | None, external_id_field: str | None
    ) -> "UploadBounds | None":
        """Return the bounds of an upload to such a job, or None if there are none.

        Args:
            sobject: the object of the job; None if it is not known.
            operation: the operation of the job.
            external_id_field: the field that an upsert finds records by; it says nothing for other operations.
        """
        if not self.judges_rows:
            return None
        return UploadBounds(self, sobject, external_id_field if operation == "upsert" else None)

    def describe(self) -> list[tuple[str, str]]:
        """Return the policy as facts for people: names and values."""
        if self.read_only:
            return [("policy", "read-only: five reading tools, and /v1 answers 403 to every change")]
        rules = (
            ("allowed objects", ", ".join(self.allowed_objects)),
            ("refused objects", ", ".join(self.denied_objects)),
            ("refused fields", ", ".join(self.denied_fields)),
            ("most of a job", " and ".join(self._most)),
            ("loads", "by recipes alone" if self.only_recipes else ""),
            ("preflight off", "allowed" if self.allows_preflight_off else ""),
        )
        names = (f"{name} but to undo" if self.lets_undo_through(name) else name for name in self.refused_operations)
        refused = ", ".join(names) or "none"
        return [("policy", f"read and write; refused operations: {refused}"), *(rule for rule in rules if rule[1])]

    def in_words(self) -> str:
        """Return the rules for models, in few words that go on after a sentence; empty if everything is allowed."""
        rules = (
            ("loads without ", ("a recipe",) if self.only_recipes else ()),
            ("operations ", self.refused_operations),
            ("objects ", self.denied_objects),
            ("objects other than ", self.allowed_objects),
            ("fields ", self.denied_fields),
            ("a job of more than ", self._most),
        )
        refused = [f"{what}{listed(names, NAMES_IN_INSTRUCTIONS)}" for what, names in rules if names]
        return f" Refused here: {'; '.join(refused)}." if refused else ""

    def _but(self, operation: str) -> str:
        """Return the sentence about undos that are let through, after a space; empty for an operation without."""
        if not self.lets_undo_through(operation):
            return ""
        return (
            " Records that jobs of this server created can be deleted all the same, through the tools: make the job with "
            'data {"rowsOf": {"jobs": [ids], "which": ["created"]}}, and nothing that changes these rows.'
        )

    @property
    def _most(self) -> tuple[str, ...]:
        """The most that a job may have, in words."""
        bounds = ((self.most_rows, "rows"), (self.most_bytes, "bytes"))
        return tuple(f"{count:,} {unit}" for count, unit in bounds if count)


@dataclass(frozen=True, slots=True)
class UploadBounds:
    """The bounds of an upload to one job, which its rows are held to before they are sent, as they pass, and at the close.

    Attributes:
        policy: the policy that sets the bounds.
        sobject: the object of the job; None if it is not known.
        external_id_field: the field that an upsert finds records by, which it does not count as writing.
    """

    policy: Policy
    sobject: str | None
    external_id_field: str | None

    def check(self, rows: int | None, size: int, columns: Sequence[str] | None, uncounted: str) -> None:
        """Check a whole upload.

        Args:
            rows: the number of its rows; None where they were not counted.
            size: the number of its bytes.
            columns: the names of its columns; None or none where its header was not read.
            uncounted: the reason why it may not be counted, as a sentence.

        Raises:
            RefusedByPolicy: it has more than a job may have, writes a field that no row may, or was not counted.
        """
        if rows is None or not columns:
            raise self.uncounted(uncounted)
        self.check_size(rows, size)
        self.check_columns(columns)

    def check_size(self, rows: int, size: int) -> None:
        """Raise RefusedByPolicy for more rows or bytes than a job may have."""
        bounds = ((rows, self.policy.most_rows, "rows"), (size, self.policy.most_bytes, "bytes"))
        for count, most, unit in bounds:
            if most and count > most:
                raise RefusedByPolicy(
                    f"These are more {unit} than a job may have here: {most:,} at most (--max-job-{unit})."
                )

    def check_columns(self, columns: Iterable[str]) -> None:
        """Raise RefusedByPolicy for a column that writes a field which no row may write."""
        # The key of a row finds its record, and is not written to it.
        keys = {ID_FIELD.lower(), (self.external_id_field or ID_FIELD).lower()}
        written = [written_field(column) for column in columns if column.strip().lower() not in keys]
        denied = denied_fields(self.policy.denied_fields, self.sobject, written)
        if denied:
            fields = listed([as_name(field) for field in dict.fromkeys(denied)], NAMES_IN_REFUSALS)
            raise RefusedByPolicy(f"No row may write {fields} here (--deny-field): leave the column out.")

    def uncounted(self, reason: str) -> RefusedByPolicy:
        """Return the refusal of an upload whose rows were not counted, for the given reason."""
        flags = (
            ("--max-job-rows", self.policy.most_rows),
            ("--max-job-bytes", self.policy.most_bytes),
            ("--deny-field", self.policy.denied_fields),
        )
        named = " and ".join(flag for flag, is_set in flags if is_set)
        return RefusedByPolicy(f"{reason} Rows that were not counted are loaded into no job here ({named}).")
