"""The results of the checks in an answer: findings, proposed columns and known fields, as many as fit."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Self

from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Finding, FindingKind, NamedRow
from salesforce_bulk_ingest.base.text import as_json, as_name, counted, cut, quoted
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.row_filter import LineRanges
from salesforce_bulk_ingest.mcp_server.answers.answer import PartListedAsObject, fitting, with_others_counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import GivenCall, repeated
from salesforce_bulk_ingest.mcp_server.answers.retry_call import gaps_of
from salesforce_bulk_ingest.results.corrections import Correction

ITS_FIELD = "<its field, or null>"
"""The gap for the field of a column for which nothing is proposed."""

MOST_FINDINGS = 20
ROOM_FOR_FINDINGS = 12_000
ROOM_FOR_ROWS = 4_000
ROOM_FOR_COLUMNS = 9_000
ROOM_FOR_GAPS = 1_000
ROOM_FOR_LINES = 1_400
ROOM_FOR_FORMATS = 1_500
ROOM_FOR_FIELDS = 3_000
"""The maximum numbers of characters of JSON, together less than the 8,000 tokens of an answer at four characters a token."""

AFTER_MISTAKES = "once the user has seen what looks like a mistake, and wants it"
"""What has to come before a call where something looks like a mistake."""

CHECKED_AGAIN = "and dryRun in place of sha256"
"""What makes a call that sends rows check them first, in words."""

OF_DRY_RUN = ("dryRun", "compare")
"""The arguments of a dry run that a call that sends its rows has not."""

OF_ROWS = frozenset[FindingKind | None]({"mask", "long row", "long cell", "row size", "misfit error"})
"""The kinds of errors that single rows have, so that the others may go without them."""

LONGEST_SENTENCE = 700
LONGEST_COLUMN = 80


class FindingAnswer(PartListedAsObject):
    """Something that is, or may be, wrong with the rows."""

    level: str
    what: str
    do: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    rows: tuple[str, ...] | None = None
    cells: tuple[str, ...] | None = None
    count: int

    @classmethod
    def of(cls, finding: Finding, lines: int = LINES_SHOWN, *, has_lines: bool = True) -> Self:
        """Return the finding, with its texts cut to their maximum lengths.

        Args:
            finding: the finding.
            lines: the maximum number of its lines.
            has_lines: whether the caller knows the lines of the source. Those of rows of earlier jobs, in which checks find
                mistakes, are none that `leaveOut` takes.
        """
        rows = tuple(fitting(finding.rows, _row_size, ROOM_FOR_ROWS))
        lines = min(lines, len(rows)) if finding.rows else lines
        return cls(
            level=finding.level,
            what=cut(finding.what, LONGEST_SENTENCE),
            do=cut(finding.do, LONGEST_SENTENCE),
            column=None if finding.column is None else cut(finding.column, LONGEST_COLUMN),
            lines=finding.lines[:lines] if has_lines or finding.kind is None else (),
            rows=_unless_blank("" if row is None else row.name for row in rows[:lines]),
            cells=_unless_blank("" if row is None else row.cell or "" for row in rows[:lines]),
            count=finding.count,
        )

    def __str__(self) -> str:
        column = f", column {as_name(self.column)}" if self.column else ""
        places = list(self._places())
        where = f", {'line' if self.lines else 'row'} {', '.join(places)}" if places else ""
        times = f" ({self.count:,} times)" if self.count > max(len(places), 1) else ""
        return f"- {self.level}{column}{where}{times}: {self.what} {self.do}"

    def _places(self) -> Iterator[str]:
        """Yield the lines, each with the name of its row and the cell at fault; the latter two where there are no lines."""
        for line, row, cell in zip_longest(self.lines, self.rows or (), self.cells or ()):
            named = ": ".join(quoted(text) for text in (row, cell) if text)
            if line is None:
                yield named or "without a name"
            else:
                yield f"{line} ({named})" if named else str(line)


def _unless_blank(texts: Iterable[str]) -> tuple[str, ...] | None:
    shown = tuple(texts)
    return shown if any(shown) else None


def _row_size(row: NamedRow | None) -> int:
    return 12 if row is None else 12 + len(row.name) + len(row.cell or "")


def found_in(plan: Plan, given: GivenCall, next_step: str) -> dict[str, Any]:
    """Return the results of the checks in a plan, under the names of the fields of `LoadAnswer`.

    Args:
        plan: the plan.
        given: the call that is answered, which may ask for more lines of findings.
        next_step: the sentence about the next call, which need not be told again.
    """
    columns, findings = _proposal(plan), _findings(plan, given.arguments.get("linesShown", LINES_SHOWN))
    is_in_next = json.dumps(columns)[1:-1] in next_step
    return {
        "encoding": plan.encoding and plan.encoding.name,
        "columns": None if is_in_next else columns,
        "other_columns": len(plan.proposal) - len(columns) or None,
        "formats": _formats(plan) or None,
        "fields": with_others_counted(tuple(fitting(plan.fields, len, ROOM_FOR_FIELDS)), len(plan.fields)) or None,
        "findings": findings,
        "other_findings": len(plan.findings) - len(findings) or None,
    }


def verdict(plan: Plan) -> str:
    """Return the numbers of errors and warnings in words."""
    errors = sum(finding.level == "error" for finding in plan.findings)
    warnings = len(plan.findings) - errors
    counts = [counted(count, level) for count, level in ((errors, "error"), (warnings, "warning")) if count]
    return " and ".join(counts) or "nothing is wrong"


def known_to_fail(plan: Plan) -> str:
    """Return a sentence, after a space, about the rows that are known to fail; empty if none is, or the whole job would."""
    if every_row_fails(plan):
        return " Every row is known to fail."
    least, most = _known_failures(plan)
    if plan.has_errors or not least:
        return ""
    if any(finding.fails == "other rows" for finding in plan.findings):
        return f" At least {least:,} of these rows {'is' if least == 1 else 'are'} known to fail."
    number = f"{least:,}" if least == most else f"From {least:,} to {most:,}"
    return (
        f" {number} of these rows {'is' if most == 1 else 'are'} known to fail; the others load, as far as was checked."
    )


def every_row_fails(plan: Plan) -> bool:
    """Return whether every row is known to fail, in a job that would not."""
    if plan.has_errors or not plan.rows:
        return False
    return _known_failures(plan)[0] == plan.rows or any(finding.fails == "every row" for finding in plan.findings)


def _known_failures(plan: Plan) -> tuple[int, int]:
    """Return the least and the most rows that are known to fail, each by what is wrong in it."""
    failing = [finding for finding in plan.findings if finding.fails == "these rows"]
    if all(finding.count <= len(finding.lines) for finding in failing):
        lines = len({line for finding in failing for line in finding.lines})
        return lines, lines
    return max(finding.count for finding in failing), min(sum(finding.count for finding in failing), plan.rows)


def next_with_correction(plan: Plan, given: GivenCall, first: GivenCall, how: str) -> str:
    """Return a sentence, after a space, about a call that sends no row known to fail; empty if that is the given one.

    The call takes the columns and formats that are proposed, which correct the cells of their fields. It is told by what is
    other in it than in the call that `next` begins with.

    Args:
        plan: the plan of the rows.
        given: the call that is answered.
        first: the call that `next` begins with, with the rows that were checked.
        how: what else is other in the call, in words.
    """
    if given.is_by_recipe:  # only those who review the recipe change what it does with rows
        return ""
    columns, formats = _proposal(plan), _formats(plan)
    failing = [
        finding
        for finding in plan.findings
        if finding.fails == "these rows" and finding.column not in {*columns, *formats}
    ]
    corrected = _cells_to_correct(failing)
    left_out = _lines_of([finding for finding in failing if finding.cells is None], plan)
    gaps = gaps_of(Correction((), (), values=corrected), "findings")
    if not (columns or gaps or left_out):
        return ""
    changed = given.with_changes({name: each for name, each in (("columns", columns), ("formats", formats)) if each})
    leaving, leaves = _without_lines(left_out, changed)
    does = [
        *(["takes the proposed columns"] if columns else []),
        *(["takes these formats"] if formats else []),
        *(["takes others for the cells that fail, with the gaps filled"] if gaps else []),
        *leaves,
    ]
    other = json.dumps(leaving.with_changes(gaps).rows_unlike(first))
    return f" Or, with {other} {how}, it {' and '.join(does)}: ask the user."


def _cells_to_correct(failing: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """Return the cells that others in their place correct, by column; none of them where not all are known."""
    cells = dict[str, tuple[str, ...]]()
    for finding in failing:
        if finding.column and finding.cells is not None:
            others = cells.get(finding.column, finding.cells)
            cells[finding.column] = tuple(dict.fromkeys((*others, *finding.cells))) if others and finding.cells else ()
    return cells


def next_for_unsent(plan: Plan, given: GivenCall) -> str:
    """Return what to do with rows that can't be sent as they are: they have errors, or are more than a job takes."""
    if not plan.has_errors:
        each = "each part has a job of its own, and fails or succeeds without the others"
        sends = f"{call_that_sends(plan, given)} sends {_what_is_sent(plan, given)}; {each}."
        return f"{sends}{next_with_correction(plan, given, given, 'and dryRun in place of part and sha256')}"
    if given.is_by_recipe:
        by_whom = "once it is mended, or its recipe by those who review it: tell the user"
        return f"{given.checked()} checks the file again, {by_whom}."
    errors = [finding for finding in plan.findings if finding.level == "error"]
    of_job = [finding for finding in errors if finding.job and given.makes_a_job]
    mended, does = _mended(plan, of_job, given)
    if plan.title_lines:
        return _next_without_title(plan.title_lines, plan, mended)
    proposed = proposed_changes(plan)
    if plan.unsettled:
        settled = {**proposed, "columns": {**proposed.get("columns", {}), **_gaps(plan)}}
        return (
            f"{mended.with_changes(settled).again()} leaves columns out or names their fields, once that is settled with "
            "the user; or correct the rows."
        )
    if proposed:
        taking = mended.with_changes(proposed).again()
        return f"{taking} takes the proposed {names_of_proposed(plan)}, once the user agrees; or correct the rows."
    if len(errors) == len(plan.not_rows) + len(of_job):
        return f"{mended.again()} {' and '.join(does)}, if the user agrees."
    of_rows = [finding for finding in errors if finding not in of_job and finding.kind != "not rows"]
    return (
        f"{mended.with_corrected_rows().again()} takes the rows, once they or their mapping (columns, set, values, "
        f"formats, only, leaveOut) are corrected.{_or_without_rows(of_rows, plan, mended)}"
    )


def _next_without_title(title_lines: str, plan: Plan, given: GivenCall) -> str:
    """Return the call that leaves the lines before the likely header out, too, and that header no more."""
    header, lines = LineRanges.parse(title_lines).last[-1] + 1, plan.mapped_source.row_filter.lines
    if header not in lines.ranges:
        return f"{given.leaving_out({'lines': title_lines}).again()} begins with the header, if the user agrees."
    # With the header left out as well, the row below it would be taken for it.
    others = repeated("lines", str(lines.with_header(header)))
    corrected = given.with_changes({"leaveOut": {"lines": others}}).leaving_out({"lines": title_lines})
    return (
        f"{corrected.again()} begins with the header, if that is on line {header}, which is left out now: look at line "
        f"{header} with the user, and ask whether the lines before it are to be left out in its place."
    )


def _or_without_rows(errors: Sequence[Finding], plan: Plan, given: GivenCall) -> str:
    """Return a sentence, after a space, with the call that leaves out rows with errors.

    It is empty where that mends not all, or there is no such call.
    """
    lines = _lines_of(errors, plan)
    if not lines or not all(finding.kind in OF_ROWS for finding in errors):
        return ""
    leaving, leaves = _without_lines(lines, given)
    return f" Or {leaving.again()} {' and '.join(leaves)}: ask the user."


def _lines_of(findings: Sequence[Finding], plan: Plan) -> list[int]:
    """Return the lines of all rows with these findings, for a call that leaves them out.

    There are none where not all of them are known, they are more than fit into a call, or no other row would be left.
    """
    lines = sorted({line for finding in findings for line in finding.lines})
    are_known = all(finding.count == len(finding.lines) for finding in findings)
    are_some = len(lines) < plan.rows and len(_as_lines(lines)) <= ROOM_FOR_LINES
    return lines if are_known and are_some and plan.mapped_source.source.has_lines else []


def _without_lines(lines: Sequence[int], given: GivenCall) -> tuple[GivenCall, list[str]]:
    """Return the call that leaves these lines out, and what it does of that."""
    if not lines:
        return given, []
    return given.leaving_out({"lines": _as_lines(lines)}), [f"leaves {counted(len(lines), 'row')} out"]


def _as_lines(lines: Sequence[int]) -> str:
    """Return lines as `leaveOut` takes them."""
    return ", ".join(map(str, lines))


def next_for_mistakes(plan: Plan, given: GivenCall, *, looks_wrong: bool = True) -> str:
    """Return what to do with rows that look like a mistake, or all fail: who only follows calls is not to send them.

    Args:
        plan: the plan of the rows.
        given: the call that is answered, a dry run.
        looks_wrong: whether the rows look like a mistake beside the records of the org.
    """
    of_job = next((finding.job for finding in plan.findings if finding.kind == "no key" and finding.job), None)
    if of_job and given.makes_a_job and not given.is_by_recipe:
        by_key = given.with_job(of_job).with_changes({"match": "updateOnly"})
        return f"{by_key.checked()} finds the records by {of_job['externalIdFieldName']}, if the user agrees."
    mended = given if given.is_by_recipe else given.with_corrected_rows()
    checks = f"{mended.checked()} checks the rows, once they are corrected"
    sends = _sends_as_they_are(plan, given, "with the same rows", looks_wrong=looks_wrong)
    return f"{checks}; {sends}{next_with_correction(plan, given, given, 'and the same rows')}"


def call_that_sends(plan: Plan, given: GivenCall) -> str:
    """Return the call that sends the rows that were checked, or a part of them, and refuses others."""
    part = {"part": _part_of(given)} if len(plan.parts) > 1 else {}
    return given.again({**part, "sha256": plan.sha256}, without=(*OF_DRY_RUN, "linesShown"))


def next_for_formats(plan: Plan, given: GivenCall, *, looks_wrong: bool) -> str:
    """Return what to do with rows of which cells are likely to be written in foreign formats.

    Args:
        plan: the plan of the rows.
        given: the call that is answered.
        looks_wrong: whether the rows look like a mistake beside the records of the org.
    """
    formatted = given.with_changes({"formats": _formats(plan)})
    takes = f"{formatted.again()} takes the proposed formats, once the user agrees"
    sends = _sends_as_they_are(plan, given, "without these formats", looks_wrong=looks_wrong)
    return f"{takes}; {sends}{next_with_correction(plan, given, formatted, 'too')}"


def _sends_as_they_are(plan: Plan, given: GivenCall, how: str, *, looks_wrong: bool) -> str:
    """Return what makes the call before it send the rows without a change, and when, to the end of the sentence.

    Args:
        plan: the plan of the rows.
        given: the call that is answered, a dry run.
        how: what else has to be other in the call before, in words.
        looks_wrong: whether the rows look like a mistake beside the records of the org.
    """
    part = f" and part {_part_of(given)}" if len(plan.parts) > 1 else ""
    of_dry_run = " and ".join(name for name in OF_DRY_RUN if name in given.arguments)
    sends = f"{how}, and with this sha256{part} in place of {of_dry_run}, it sends {_what_is_sent(plan, given)}"
    as_they_are = "as it is" if len(plan.parts) > 1 else "as they are"
    fails = ", though every row is known to fail" if every_row_fails(plan) else ""
    wanted = f", {AFTER_MISTAKES}" if looks_wrong else ""
    return f"{sends} {as_they_are}{fails}{wanted}."


def _part_of(given: GivenCall) -> int:
    return int(given.arguments.get("part", 1))


def _what_is_sent(plan: Plan, given: GivenCall) -> str:
    return f"part {_part_of(given)} of {len(plan.parts)}" if len(plan.parts) > 1 else "the rows"


def _mended(plan: Plan, of_job: Sequence[Finding], given: GivenCall) -> tuple[GivenCall, list[str]]:
    """Return the call that leaves out what is no row and has the job that the rows need, and what it does of that."""
    does = list[str]()
    if plan.not_rows:
        given = given.leaving_out({"notRows": True})
        does.append("leaves out what is no row")
    if of_job:
        job = {name: value for finding in of_job for name, value in finding.job.items()}
        given = given.with_job(job)
        does.append(f"makes the job with {' and '.join(map(' '.join, job.items()))}")
    return given, does


def _findings(plan: Plan, lines: int) -> tuple[FindingAnswer, ...]:
    has_lines = plan.mapped_source.source.has_lines
    answers = (FindingAnswer.of(finding, lines, has_lines=has_lines) for finding in plan.findings[:MOST_FINDINGS])
    return tuple(fitting(answers, lambda answer: len(answer.model_dump_json()), ROOM_FOR_FINDINGS))


def names_of_proposed(plan: Plan) -> str:
    """Return the names of the arguments that are proposed for the rows, in words."""
    *others, last = proposed_changes(plan)
    return f"{', '.join(others)} and {last}" if others else last


def proposed_changes(plan: Plan) -> dict[str, Any]:
    """Return what is proposed for the rows, under the names of the arguments."""
    encoding = plan.encoding and plan.encoding.name
    changes = {"encoding": encoding, "columns": _proposal(plan), "formats": _formats(plan)}
    return {name: change for name, change in changes.items() if change}


def _proposal(plan: Plan) -> dict[str, str | None]:
    return dict(fitting(plan.proposal.items(), lambda entry: len(as_json(entry)), ROOM_FOR_COLUMNS))


def _gaps(plan: Plan) -> dict[str, str]:
    """Return a gap for the field of each unsettled column."""
    gaps = ((address, ITS_FIELD) for address in plan.unsettled)
    return dict(fitting(gaps, lambda entry: len(as_json(entry)), ROOM_FOR_GAPS))


def _formats(plan: Plan) -> dict[str, str]:
    return dict(fitting(plan.formats.items(), lambda entry: len(as_json(entry)), ROOM_FOR_FORMATS))
