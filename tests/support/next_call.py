"""The call at the beginning of `next`, as a program reads it."""

import json
import re
from typing import Any

_TOOL = re.compile(r"(?P<tool>[a-z]+-[a-z-]+) (?={)")


def next_call(sentence: str) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments that a sentence begins with."""
    found = _TOOL.match(sentence)
    assert found, f"no call at the beginning of {sentence!r}"
    arguments, _ = json.JSONDecoder().raw_decode(sentence, found.end())
    return found["tool"], arguments


def next_line(text: str) -> str:
    """The sentence about what comes next, in the text half of an answer or in the text of an error."""
    lines = [line.removeprefix("Next: ") for line in text.splitlines() if line.startswith("Next: ")]
    assert len(lines) == 1, text
    return lines[0]
