"""The call at the beginning of `next`, as a program reads it."""

import json
import re
from collections.abc import Mapping
from typing import Any

_TOOL = re.compile(r"(?P<tool>[a-z]+-[a-z-]+) (?={)")


def next_call(sentence: str) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments that a sentence begins with."""
    found = _TOOL.match(sentence)
    assert found, f"no call at the beginning of {sentence!r}"
    arguments, _ = json.JSONDecoder().raw_decode(sentence, found.end())
    return found["tool"], arguments


def corrected_call(sentence: str) -> tuple[str, dict[str, Any]]:
    """The call that a sentence tells after "Or, with": the one that it begins with, with what is other in it."""
    tool, arguments = next_call(sentence)
    _, told, other = sentence.partition(" Or, with ")
    assert told, f"no other call in {sentence!r}"
    changes, end = json.JSONDecoder().raw_decode(other)
    if other[end:].startswith(" and dryRun in place of sha256"):
        del arguments["sha256"]
        arguments["dryRun"] = True
    for name, rows in changes.items():
        arguments[name] = arguments[name] | rows
    return tool, arguments


def proposed_columns(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The columns of the rows in the call at the beginning of `next`, without the gaps; None where it has none."""
    _, arguments = next_call(answer["next"])
    columns = arguments.get("data", arguments.get("body", {})).get("columns", {})
    return {name: field for name, field in columns.items() if not str(field).startswith("<")} or None


def next_line(text: str) -> str:
    """The sentence about what comes next, in the text half of an answer or in the text of an error."""
    lines = [line.removeprefix("Next: ") for line in text.splitlines() if line.startswith("Next: ")]
    assert len(lines) == 1, text
    return lines[0]
