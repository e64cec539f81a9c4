"""What the embedded org does with cells, and what preflight says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_emulator.config import Assumptions, parse_choices
from tests.agreement.cells import (
    ID_15,
    ID_18,
    LOWER_18,
    OBJECTS,
    REFUSED,
    TAKEN,
    UNSETTLED,
    UPPER_18,
    Case,
    Stored,
    Verdict,
)
from tests.salesforce_emulator.caller import DATA, Caller, an_org_with, csv_text
from tests.validation.checking import found

LABELS = {"Account": "Name", "Task": "Description"}
"""The field that says which row a record comes from, by object; Name for the others."""


class Refusal(str):
    """The error of a row."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Org:
    """An org with the objects of the table.

    Attributes:
        takes_unsettled: whether the org takes cells that no source settles.
        parent: the id of an account.
        describes: the describes of objects that were asked for.
    """

    caller: Caller
    takes_unsettled: bool
    parent: str
    describes: dict[str, SObjectDescribe] = field(default_factory=dict)

    def sent(self, text: str) -> str:
        """The text with this account's id in place of what stands for it."""
        forms = {
            ID_15: self.parent[:15],
            ID_18: self.parent,
            LOWER_18: self.parent.lower(),
            UPPER_18: self.parent.upper(),
        }
        for sign, form in forms.items():
            text = text.replace(sign, form)
        return text

    def findings(self, field: str, cells: Sequence[str]) -> list[Finding]:
        """What preflight says of the cells of a column in an insert."""
        sobject, _, name = field.partition(".")
        rows = [[self.sent(cell)] for cell in cells]
        return [each for each in found(self.describe(sobject), "insert", [name], rows) if each.column == name]

    def describe(self, sobject: str) -> SObjectDescribe:
        """The describe of an object."""
        if sobject not in self.describes:
            answer = self.caller.http.get(f"{DATA}/sobjects/{sobject}/describe")
            self.describes[sobject] = SObjectDescribe.model_validate(answer.json())
        return self.describes[sobject]

    def outcomes(self, cases: list[Case]) -> dict[Case, Stored | Refusal]:
        """What the org stores of each cell, or why it refuses the cell's row; each cell has a row of its own."""
        outcomes: dict[Case, Stored | Refusal] = {}
        for sobject, of_object in groupby(sorted(cases, key=object_of), object_of):
            outcomes |= self._load(sobject, list(of_object))
        return outcomes

    def _load(self, sobject: str, cases: list[Case]) -> Mapping[Case, Stored | Refusal]:
        label, fields = LABELS.get(sobject, "Name"), sorted({field_of(case) for case in cases})
        rows = [
            [str(number), *(self.sent(case.cell) if field == field_of(case) else "" for field in fields)]
            for number, case in enumerate(cases)
        ]
        job = self.caller.load(csv_text([[label, *fields], *rows]), sobject)
        assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", len(rows)), job
        refused = {row[label]: Refusal(row["sf__Error"]) for row in self.caller.rows(job, "failedResults")}
        taken = [row["sf__Id"] for row in self.caller.succeeded(job)]
        records = self.caller.query(f"SELECT Id, {label}, {', '.join(fields)} FROM {sobject}")["records"]
        stored = {record[label]: record for record in records if record["Id"] in taken}
        return {
            case: refused[str(number)] if str(number) in refused else stored[str(number)][field_of(case)]
            for number, case in enumerate(cases)
        }


def object_of(case: Case) -> str:
    return case.field.partition(".")[0]


def field_of(case: Case) -> str:
    return case.field.partition(".")[2]


def opened(unsettled_cells: str, folder: Path) -> Iterator[Org]:
    """An org that refuses what no source settles, or takes it."""
    assumptions = parse_choices(Assumptions, [f"unsettled_cells={unsettled_cells}"])
    with an_org_with(OBJECTS, folder, assumptions=assumptions) as caller:
        [account] = caller.succeeded(caller.load("Name\nAcme\n"))
        yield Org(caller, unsettled_cells == "taken", account["sf__Id"])


def verdict_in(findings: list[Finding]) -> Verdict:
    """The verdict in what preflight says of the only cell of a column."""
    if not findings:
        return TAKEN
    return UNSETTLED if all(" may fail" in finding.what for finding in findings) else REFUSED
