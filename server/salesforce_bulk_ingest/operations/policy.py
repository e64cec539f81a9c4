"""What the operator lets callers do. The same rules hold for tools and for `/v1`."""

from collections.abc import Iterable
from dataclasses import dataclass

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.errors import RefusedByPolicy

GUARDED_OPERATIONS = ("delete", "hardDelete")
"""Operations that remove records; each has to be allowed by name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one server.

    Attributes:
        read_only: whether every call that changes something is refused.
        allowed_operations: the names of the guarded operations that are allowed.
    """

    read_only: bool = False
    allowed_operations: frozenset[str] = frozenset()

    @property
    def refused_operations(self) -> tuple[str, ...]:
        """The guarded operations that are not allowed."""
        return tuple(name for name in GUARDED_OPERATIONS if name not in self.allowed_operations)

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

    def check_operation(self, operation: str | None) -> None:
        """Raise RefusedByPolicy for an operation that removes records and is not allowed by name."""
        # Salesforce knows operation names in one case only; the policy must not depend on it.
        for refused in self.refused_operations:
            if operation is not None and operation.lower() == refused.lower():
                raise RefusedByPolicy(
                    f"Jobs with the operation {refused} are refused here: they remove records. The operator can allow "
                    f"them by starting the server with --allow-operation {refused}."
                )

    def check_create(self, operation: str | None) -> None:
        """Raise RefusedByPolicy where no job with this operation may be made."""
        self.check_write()
        self.check_operation(operation)

    def describe(self) -> str:
        """Return the policy in one line, for people."""
        if self.read_only:
            return "read-only: five reading tools, and /v1 answers 403 to every change"
        return f"read and write; refused operations: {_names(self.refused_operations)}"


def _names(operations: Iterable[str]) -> str:
    return ", ".join(operations) or "none"
