"""The confirmation of closes: a person says yes before Salesforce loads the rows of a job that the operator's rules name.

A close is told in one sentence, such as `delete 1,204 Contact in Acme PRODUCTION (job 750..., rows 3f9a...) 9c1e...`. Its
last word is a code that only servers with the same key can make, so that nobody can write the sentence without having been
told it. It is valid once, because Salesforce closes a job once.
"""

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.cache.approvals import Approvals
from salesforce_bulk_ingest.cache.ledger import UploadRecord
from salesforce_bulk_ingest.operations.errors import ConfirmationNeeded, NotConfirmed
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

WithoutDialog = Literal["sentence", "operator", "refuse"]
"""How a close is confirmed where no dialog asks the person: see `Confirmations`."""

Confirmation = Literal["not asked", "dialog", "sentence", "operator"]
"""How a close was confirmed."""

RULE = re.compile(r"(production +)?(insert|update|upsert|delete|hardDelete)( *> *([0-9]+(,[0-9]{3})*))?", re.IGNORECASE)
"""A rule as the operator writes it: `delete`, `production update > 1000`."""

DIGEST_CHARACTERS = 16
CODE_CHARACTERS = 12
LONGEST_ORG_NAME = 40
_NO_PART_OF_A_NAME = re.compile(r"[^\w .&'-]")

_UNKNOWN_ROWS = "an unknown number of"
_ROWS_AND_DIGEST = re.compile(rf"\S+ (?P<rows>[0-9,]+) .*, rows (?P<digest>[0-9a-f]{{{DIGEST_CHARACTERS}}})\) \S+")


@dataclass(frozen=True, slots=True)
class ConfirmRule:
    """A rule that names closes to be confirmed.

    Attributes:
        operation: the operation of the job, in lower case.
        in_production: whether the rule is about production alone; an org of an unknown kind counts as production.
        above_rows: the number of rows above which the rule holds; None for any number.
    """

    operation: str
    in_production: bool = False
    above_rows: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule that a text is.

        Raises:
            ValueError: the text is none.
        """
        found = RULE.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                "expected an operation such as delete, or production update > 1000, or none as the only one"
            )
        above = found[4]
        return cls(found[2].lower(), found[1] is not None, None if above is None else int(above.replace(",", "")))

    def holds(self, closing: "Closing") -> bool:
        """Return whether the rule names the close; what is not known of a close counts as the worst that it may be."""
        if closing.operation is not None and closing.operation.lower() != self.operation:
            return False
        if self.in_production and closing.org is not None and not closing.org.may_be_production:
            return False
        return self.above_rows is None or closing.rows is None or closing.rows > self.above_rows


DEFAULT_RULES = ("delete", "hardDelete", "production update > 1000", "production upsert > 1000")


@dataclass(frozen=True, slots=True)
class Closing:
    """What the close of a job does.

    Attributes:
        org: the org of the job; None where it can't be learned.
        job_id: the id of the job; empty before there is one.
        operation: the operation of the job; None where Salesforce does not tell it.
        sobject: the object of the job; None where Salesforce does not tell it.
        rows: the number of rows; None where this server did not see the upload.
        digest: the beginning of the SHA-256 of the rows, in hexadecimal digits; None like `rows`.
        undo: what the job undoes, and whether it can be undone afterwards, as the rest of a sentence; empty where nothing of
            that is known.
        is_undo: whether the job is let through only since it undoes what jobs of this server created.
    """

    org: Org | None
    job_id: str
    operation: str | None
    sobject: str | None
    rows: int | None = None
    digest: str | None = None
    undo: str = ""
    is_undo: bool = False

    @classmethod
    def of(cls, org: Org | None, job: Job, upload: UploadRecord | None) -> Self:
        """Return the close of a job with the rows of an upload, None if this server knows of none."""
        closing = cls(org, job.id, job.operation, job.object)
        if upload is None or upload.rows is None:
            return closing
        return replace(closing, rows=upload.rows, digest=upload.sha256[:DIGEST_CHARACTERS])

    @property
    def change(self) -> str:
        """What is done to how many records of which org, as people say it."""
        rows = _UNKNOWN_ROWS if self.rows is None else f"{self.rows:,}"
        sobject = as_name(self.sobject) if self.sobject is not None else "rows"
        return f"{self.operation or 'load'} {rows} {sobject} in {_in_words(self.org)}"

    @property
    def facts(self) -> str:
        """The change with the job and the rows that it is about."""
        rows = "" if self.digest is None else f", rows {self.digest}"
        return f"{self.change} (job {self.job_id[:15]}{rows})"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a caller brings to a close that may have to be confirmed.

    Attributes:
        sentence: the sentence that the caller repeats, or that the person was shown; empty if there is none.
        dialog: the answer of the person in a dialog of the host; None if there was no dialog.
    """

    sentence: str = ""
    dialog: Literal["accepted", "declined", "no answer"] | None = None


NO_CONSENT = Consent()


class Confirmations:
    """The confirmations that the operator asks for.

    Args:
        rules: the closes that have to be confirmed.
        without_dialog: what counts where no dialog asks the person: `sentence`, that the caller repeats the sentence;
            `operator`, an approval on this machine; `refuse`, nothing.
        key: returns the key of the sentences' codes; servers that share it take each other's sentences.
        approvals: the approvals of the operator.
    """

    def __init__(
        self,
        rules: Sequence[ConfirmRule],
        without_dialog: WithoutDialog,
        key: Callable[[], bytes],
        approvals: Approvals,
    ) -> None:
        self._rules = rules
        self._without_dialog = without_dialog
        self._key = key
        self._approvals = approvals

    @property
    def is_asked(self) -> bool:
        """Whether any close has to be confirmed."""
        return bool(self._rules)

    def names(self, closing: Closing) -> bool:
        """Return whether a close has to be confirmed: a rule names it, or it is let through only to undo."""
        return closing.is_undo or any(rule.holds(closing) for rule in self._rules)

    async def check(self, closing: Closing, consent: Consent) -> Confirmation:
        """Return how a close is confirmed.

        Args:
            closing: the close.
            consent: what the caller brings.

        Raises:
            NotConfirmed: the person did not agree.
            ConfirmationNeeded: nobody was asked, or about something else.
            StorageFailure: it can't be learned whether the operator has approved.
        """
        if not self.names(closing):
            return "not asked"
        if consent.dialog in ("declined", "no answer"):
            raise NotConfirmed(closing.change, answered=consent.dialog == "declined")
        if self._dialog_counts and consent.dialog == "accepted" and self._is_sentence_of(closing, consent.sentence):
            return "dialog"
        if self._without_dialog == "sentence" and self._is_sentence_of(closing, consent.sentence):
            return "sentence"
        if self._without_dialog == "operator" and await self._is_approved(closing):
            return "operator"
        raise ConfirmationNeeded(
            closing.job_id,
            closing.change,
            self._sentence(closing),
            self._without_dialog,
            dialog_counts=self._dialog_counts,
            undo=closing.undo,
        )

    @property
    def _dialog_counts(self) -> bool:
        """Whether the answer of a dialog counts.

        Over HTTP whoever calls can say that a person agreed, so there a dialog is worth no more than a repeated sentence.
        """
        return self._without_dialog == "sentence" or not current_caller().over_http

    async def _is_approved(self, closing: Closing) -> bool:
        org = "" if closing.org is None else closing.org.key
        if await self._approvals.is_approved(org, closing.job_id, closing.facts):
            return True
        await self._approvals.ask(org, closing.job_id, closing.facts)
        return False

    def _sentence(self, closing: Closing) -> str:
        org = "" if closing.org is None else closing.org.key
        code = hmac.digest(self._key(), f"{org}\n{closing.facts}".encode(), "sha256").hex()[:CODE_CHARACTERS]
        return f"{closing.facts} {code}"

    def _is_sentence_of(self, closing: Closing, given: str) -> bool:
        given = " ".join(given.split())
        if closing.rows is None:
            # Another server may have seen the upload: the code says that it told the sentence.
            if found := _ROWS_AND_DIGEST.fullmatch(given):
                rows = int(found["rows"].replace(",", ""))
                closing = replace(closing, rows=rows, digest=found["digest"])
        return hmac.compare_digest(given.encode(), " ".join(self._sentence(closing).split()).encode())


def _in_words(org: Org | None) -> str:
    if org is None:
        return "an unknown org"
    if org.is_embedded:
        return org.kind
    kind = org.kind.upper() if org.may_be_production else org.kind
    # The name is a text of others, and the sentence is repeated in JSON and in headers: it has neither quotes nor brackets.
    name = " ".join(_NO_PART_OF_A_NAME.sub(" ", org.name or "").split())
    return f"{name[:LONGEST_ORG_NAME] or org.host} {kind}"
