"""JSON with comments and trailing commas: what is edited, and what stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.jsonc import NotJson, value_at, with_value

ENTRY = {"command": "C:\\Program Files\\bulk.exe", "args": ["stdio"]}


def with_entry(text: str) -> str:
    return with_value(text, ENTRY, "mcpServers", "bulk")


def test_comments_a_trailing_comma_and_another_server_stay_as_they_are() -> None:
    text = """\
// My servers: see "https://example.com" /* not the end
{
    /* the "theme", is dark */ "theme": "dark // no comment",
    "mcpServers": {
        "other": {
            "command": "C:\\\\Program Files\\\\other.exe", // quoted: "
            "args": ["a,]", "b",],
        }, // the last one
        // "off": {},
    },
}
// the end
"""
    last = '        // "off": {},\n'
    added = """\
        "bulk": {
            "command": "C:\\\\Program Files\\\\bulk.exe",
            "args": [
                "stdio"
            ]
        }
"""
    assert with_entry(text) == text.replace(last, last + added)


def test_a_comma_is_added_after_the_last_member_and_before_its_comment() -> None:
    assert with_entry('{\n\t"mcpServers": {\n\t\t"a": {} // why\n\t}\n}') == snapshot("""\
{
	"mcpServers": {
		"a": {}, // why
		"bulk": {
			"command": "C:\\\\Program Files\\\\bulk.exe",
			"args": [
				"stdio"
			]
		}
	}
}\
""")


def test_an_entry_of_the_same_name_is_replaced_in_its_place() -> None:
    text = '{\n  "mcpServers": {\n    "bulk": {"command": "old"}, // ours\n    "b": {}\n  }\n}\n'
    assert with_entry(text) == snapshot("""\
{
  "mcpServers": {
    "bulk": {
      "command": "C:\\\\Program Files\\\\bulk.exe",
      "args": [
        "stdio"
      ]
    }, // ours
    "b": {}
  }
}
""")


@pytest.mark.parametrize(
    "text", ["", " \n", "{}", "{ }\n", '{"mcpServers": {}}', '{"mcpServers":\nnull}', "{ // none\n}"]
)
def test_what_is_missing_is_made(text: str) -> None:
    edited = with_entry(text)
    assert value_at(edited, "mcpServers") == {"bulk": ENTRY}
    assert edited.count("\n") >= 5


def test_an_object_on_one_line_stays_on_one_line() -> None:
    assert with_entry('{"mcpServers": {"a": {"command": "x"}}, "b": 1}') == snapshot(
        '{"mcpServers": {"a": {"command": "x"}, "bulk": {"command": "C:\\\\Program Files\\\\bulk.exe", "args": ["stdio"]}}, "b": 1}'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_the_others_do(end: str) -> None:
    lines = ["{", '  "mcpServers": {', '    "a": {} // the last one', "  }", "}", ""]
    edited = with_entry(end.join(lines))
    assert edited.split(end) == with_entry("\n".join(lines)).split("\n")
    assert value_at(edited, "mcpServers") == {"a": {}, "bulk": ENTRY}


def test_a_comment_keeps_all_that_is_in_it_even_a_blank_that_is_none_of_json() -> None:
    edited = with_entry('{\n  "mcpServers": {\n    "a": {} // why\u00a0\n  }\n}')
    assert value_at(edited, "mcpServers") == {"a": {}, "bulk": ENTRY}


def test_a_value_of_any_kind_is_replaced_and_its_neighbours_stay() -> None:
    text = '{"bulk": {"args": [], /* mine */ "timeout": 60000}}'
    assert with_value(text, ["stdio"], "bulk", "args") == '{"bulk": {"args": ["stdio"], /* mine */ "timeout": 60000}}'


def test_of_two_keys_with_one_name_the_last_is_edited_as_readers_take_it() -> None:
    edited = with_entry('{"mcpServers": {"a": {}}, "mcpServers": {"bulk": {}, "bulk": {"command": "x"}}}')
    assert json.loads(edited) == {"mcpServers": {"bulk": ENTRY}}
    assert edited.startswith('{"mcpServers": {"a": {}}, "mcpServers": {"bulk": {}, "bulk": {"command": "C:')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1', "line 1, column 8: Expecting ',' delimiter"),
        ('{\n  "command": "C:\\Program Files"\n}', "line 2, column 17: Invalid \\\\escape"),
        ("[]", "what stands in it is no object"),
        ('{"mcpServers": []}', "what stands in mcpServers is no object"),
        ("{,}", "line 1, column 2"),
        ('{"a": [1,,]}', "line 1, column 10"),
        ('{"a": 1,,}', "line 1, column 9"),
        ('{"a": NaN}', "NaN is no value of JSON"),
        ("{} {}", "line 1, column 4: Extra data"),
        ("{} /* open", "line 1, column 4: Extra data"),
        ("{'a': 1}", "line 1, column 2"),
        ("[" * 100_000, "it is nested too deeply"),
        ("theme = dark", "line 1, column 1: Expecting value"),
    ],
)
def test_a_text_that_is_no_json_with_comments_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(NotJson, match=reason):
        with_entry(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("mcpServers"), inner),
    max_leaves=12,
)
blanks = st.sampled_from(["", " ", "\n", "\r\n\t", "\r", '/* ,}" */', "// {[,\n", "// {\u00a0\r"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[Any, str]:
    """An object, and a text of it with comments, blanks and trailing commas here and there."""
    servers = draw(st.dictionaries(st.text() | st.just("bulk"), json_values))
    value = draw(st.dictionaries(st.text().filter(lambda key: key != "mcpServers"), json_values))
    if draw(st.booleans()):
        value["mcpServers"] = servers

    def written(value: object) -> str:
        if not isinstance(value, dict | list):
            return draw(blanks) + json.dumps(value, ensure_ascii=draw(st.booleans())) + draw(blanks)
        items = [
            written(item) if isinstance(value, list) else written(item) + ":" + written(value[item]) for item in value
        ]
        comma = "," + draw(blanks) if draw(st.booleans()) and items else ""
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return draw(blanks) + opening + draw(blanks) + ",".join(items) + comma + closing + draw(blanks)

    return value, written(value)


@given(texts())
def test_whatever_the_text_the_entry_is_the_only_difference(drawn: tuple[Any, str]) -> None:
    value, text = drawn
    edited = with_entry(text)
    servers = value.get("mcpServers") or {}
    assert value_at(edited) == value | {"mcpServers": servers | {"bulk": ENTRY}}
    assert value_at(with_entry(edited)) == value_at(edited)
