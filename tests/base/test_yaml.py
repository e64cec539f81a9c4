import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.yaml import YamlError, yaml_text


def test_only_whole_numbers_true_false_and_null_are_no_text() -> None:
    text = "[1, -20, 0, true, false, null, ~, 007, 1.50, 1e5, 2026-01-31, no, Yes, on, True, =, <<, '1', 12_000]"
    assert yaml_text(text).value == snapshot(
        [
            1, -20, 0, True, False, None, None, "007", "1.50", "1e5", "2026-01-31", "no", "Yes", "on", "True", "=", "<<", "1",
            "12_000",
        ]
    )  # fmt: skip


def test_names_are_texts_whatever_they_look_like() -> None:
    assert yaml_text("{1: a, true: b, null: c}").value == {"1": "a", "true": "b", "null": "c"}


def test_values_have_the_line_on_which_they_are_written() -> None:
    text = yaml_text("a:\n  - x\n  - b: 1\n    c: 2\n")
    paths: list[tuple[str | int, ...]] = [("a",), ("a", 1), ("a", 1, "c"), ("a", 1, "missing"), ("other",)]
    assert [text.line_of(path) for path in paths] == [1, 3, 4, 3, 1]


MISTAKES = {
    "a name twice": "a: 1\nb: 2\na: 3\n",
    "an alias": "a: &x 1\nb: *x\n",
    "an alias of what is around it": "a: &x [*x]\n",
    "a list as a name": "? [a]\n: 1\n",
    "a tab": "a:\n\tb: 1\n",
    "a colon": "a: b: c\n",
    "an open quote": "a: 'b\n",
    "an open bracket": "a: [b\n",
    "an object of Python": "a: !!python/object:os.system x\n",
    "a day that no calendar has": "a: !!timestamp 2026-02-31\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a control character": "a: 1\nb: \x07\n",
    "brackets": "[" * 5_000,
    "half of a character": '{"a": 1,\n"b": "\\ud83d"}',
}


def test_a_mistake_is_told_with_its_line() -> None:
    told = {}
    for case, text in MISTAKES.items():
        with pytest.raises(YamlError) as raised:
            yaml_text(text)
        told[case] = (raised.value.line, str(raised.value))
    assert told == snapshot(
        {
            "a name twice": (3, '"a" stands there twice; keep one of them'),
            "an alias": (2, "an alias (*name) stands for another place; write out what it stands for"),
            "an alias of what is around it": (
                1,
                "an alias (*name) stands for another place; write out what it stands for",
            ),
            "a list as a name": (1, "a name is a text; write it as in name: value"),
            "a tab": (2, "nothing can begin with this character; indent with spaces, or put the text in quotes"),
            "a colon": (1, "a colon stands where no name can end; put text that has one in quotes"),
            "an open quote": (2, "a quote is opened and never closed; close it"),
            "an open bracket": (2, "a bracket is opened and never closed; close it"),
            "an object of Python": (
                1,
                "could not determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'; correct it, or put the text in quotes",
            ),
            "a day that no calendar has": (1, "a value can't be read; put it in quotes"),
            "two documents": (2, "a second document begins here; leave it out"),
            "a control character": (2, "a character that can't be seen stands there; take it out"),
            "brackets": (1, "this is nested too deep to be read; take brackets out"),
            "half of a character": (2, "half of a character stands here; take it out"),
        }
    )


def test_an_empty_text_says_nothing() -> None:
    assert (yaml_text("").value, yaml_text("# nothing\n").value, yaml_text("").line_of(("a",))) == (None, None, 1)


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values) | st.lists(values), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_json_is_read_as_it_is(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        assert yaml_text(text).value == value
    except YamlError as error:
        assert "can't be seen" in str(error)  # such as U+0080 without an escape
