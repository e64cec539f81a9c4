"""TOML as people save it."""

import pytest

from salesforce_bulk_ingest.base.toml import toml_values
from tests.support.canary import TOKEN

TEXT = f'access_token = "{TOKEN}"\r\ninstance = "acme.my"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_of_utf_8_is_no_part_of_the_text(encoding: str) -> None:
    assert toml_values(TEXT.encode(encoding)) == {"access_token": TOKEN, "instance": "acme.my"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_another_encoding_of_unicode_is_named(encoding: str) -> None:
    with pytest.raises(ValueError) as raised:
        toml_values(TEXT.encode(encoding))
    assert str(raised.value) == "it is saved as UTF-16 and has to be saved as UTF-8"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"access_token = {TOKEN}",
         "Expected newline or end of document after a statement (at line 1, column 17); texts stand in straight quotes, as in "
         'instance = "acme.my"'),
        (f"access_token = “{TOKEN}”",
         'Invalid value (at line 1, column 16); texts stand in straight quotes, as in instance = "acme.my"'),
        (f"access_token = '{TOKEN}", "Expected \"'\" (at end of document)"),
        (f'access_token = "{TOKEN}', "Unterminated string (at end of document)"),
        (f'access_token "{TOKEN}"', "Expected '=' after a key in a key/value pair (at line 1, column 14)"),
        (f'export access_token="{TOKEN}"', "Expected '=' after a key in a key/value pair (at line 1, column 8)"),
        (f'access_token = "{TOKEN}"\naccess_token = "{TOKEN}"', "Cannot overwrite a value (at end of document)"),
        (f'["{TOKEN}"]\n["{TOKEN}"]', "Cannot declare twice (at line 2, column 36)"),
        (f'x = {{"{TOKEN}" = 1, "{TOKEN}" = 2}}', "Duplicate inline table key (at line 1, column 84)"),
        (f'["a"]\nx = {{"{TOKEN}" = 1}}\n["a".x."{TOKEN}"]', "Cannot declare twice (at line 3, column 42)"),
        (f'x = {{"{TOKEN}" = {{}}}}\nx."{TOKEN}".y = 1', "Cannot mutate immutable namespace (at end of document)"),
        ('upload_roots = ["C:\\data"]',
         "Unescaped '\\' in a string (at line 1, column 22); paths with \\ stand in single quotes, as in upload_roots = "
         "['C:\\data']"),
        ('upload_roots = ["C:\\Users"]',
         "Invalid hex value (at line 1, column 22); paths with \\ stand in single quotes, as in upload_roots = ['C:\\data']"),
        ("mcp_port = " + "9" * 5_000, "a value is too long"),
        ("mcp_port = " + "[" * 5_000, "a value is too long"),
    ],
)  # fmt: skip
def test_what_is_no_toml_is_told_with_its_place_and_without_what_stands_there(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:
        toml_values(text.encode())
    assert str(raised.value) == complaint
    assert raised.value.__suppress_context__
