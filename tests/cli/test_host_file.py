"""The file of a host: what is written, what is kept, and what is left alone."""

import json
import os
import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cli.host_file import FileChange, change_of
from salesforce_bulk_ingest.serving.ports import CantStart

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links, modes and pipes")

ENTRY = {"command": "/opt/bulk", "args": ["stdio"]}
OLD = b'{\n  // mine\n  "mcpServers": {"other": {}}\n}\n'
NEW = b'{\n  // mine\n  "mcpServers": {"other": {}, "bulk": {"command": "/opt/bulk", "args": ["stdio"]}}\n}\n'


def change(file: Path) -> FileChange:
    planned = change_of(file, ENTRY, "mcpServers", "bulk")
    assert planned is not None
    return planned


def refusal(file: Path) -> str:
    with pytest.raises(CantStart) as raised:
        change(file).write()
    return str(raised.value)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_nothing_is_written_before_it_is_asked_for_and_then_a_copy_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(OLD)
    planned = change(file)
    assert list(planned.difference()) == [
        f"--- {file} (as it is)",
        f"+++ {file} (as it would be)",
        "@@ -1,4 +1,4 @@",
        " {",
        "   // mine",
        '-  "mcpServers": {"other": {}}',
        '+  "mcpServers": {"other": {}, "bulk": {"command": "/opt/bulk", "args": ["stdio"]}}',
        " }",
    ]
    assert (file.read_bytes(), names(tmp_path)) == (OLD, {"mcp.json"})
    assert planned.write() == tmp_path / "mcp.json.bak"
    assert (file.read_bytes(), (tmp_path / "mcp.json.bak").read_bytes()) == (NEW, OLD)
    assert change_of(file, ENTRY, "mcpServers", "bulk") is None


def test_an_earlier_copy_is_kept_too(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    for number, name in enumerate(("mcp.json.bak", "mcp.json.2.bak", "mcp.json.3.bak")):
        file.write_text(f'{{"number": {number}}}')
        assert change(file).write() == tmp_path / name
    assert [(tmp_path / name).read_text() for name in sorted(names(tmp_path))[1:]] == [
        '{"number": 1}',
        '{"number": 2}',
        '{"number": 0}',
    ]


def test_a_file_that_is_not_there_is_made_with_its_folder_and_has_no_copy(tmp_path: Path) -> None:
    file = tmp_path / "no such folder" / "mcp.json"
    planned = change(file)
    assert list(planned.difference())[:2] == [f"--- {file} (not there yet)", f"+++ {file} (as it would be)"]
    assert planned.write() is None
    assert names(file.parent) == {"mcp.json"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_the_host_keeps_in_an_earlier_entry_stays_there(end: str, tmp_path: Path) -> None:
    lines = [
        '{"mcpServers": {"bulk": {',
        '  "type": "stdio", "command": "/old/bulk", // moved',
        '  "env": {"HTTPS_PROXY": "x"}, "disabled": true, "timeout": 60000, "autoApprove": ["a"], // mine',
        "}}}",
    ]
    file = tmp_path / "mcp.json"
    file.write_bytes(end.join(lines).encode())
    change(file).write()
    lines[1] = lines[1].replace("/old", "/opt")
    lines.insert(3, '  "args": [' + end + '    "stdio"' + end + "  ]")
    assert file.read_bytes().decode() == end.join(lines)
    assert change_of(file, ENTRY, "mcpServers", "bulk") is None


@pytest.mark.parametrize("earlier", ['{"url": "https://bulk.example/mcp", "headers": {}}', '{"type": "sse"}', '"off"'])
def test_an_entry_that_starts_no_program_is_replaced_whole(earlier: str, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(f'{{"mcpServers": {{"bulk": {earlier}}}}}')
    change(file).write()
    assert json.loads(file.read_bytes()) == {"mcpServers": {"bulk": ENTRY}}


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b"\xef\xbb\xbf" + OLD)
    change(file).write()
    assert file.read_bytes() == b"\xef\xbb\xbf" + NEW


@posix_only
def test_the_mode_stays_and_a_link_leads_to_the_file_as_before(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "home").mkdir()
    file, link = tmp_path / "dotfiles" / "mcp.json", tmp_path / "home" / "mcp.json"
    file.write_bytes(OLD)
    file.chmod(0o640)
    link.symlink_to("../dotfiles/mcp.json")
    change(link).write()
    assert link.is_symlink() and file.read_bytes() == NEW
    assert names(tmp_path / "dotfiles") == {"mcp.json", "mcp.json.bak"}
    assert {kept.stat().st_mode & 0o777 for kept in (tmp_path / "dotfiles").iterdir()} == {0o640}


def test_a_file_that_was_changed_since_it_was_shown_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(OLD)
    planned = change(file)
    file.write_bytes(b"{}")
    with pytest.raises(CantStart, match="was changed meanwhile"):
        planned.write()
    assert (file.read_bytes(), names(tmp_path)) == (b"{}", {"mcp.json"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"theme = dark", "not the JSON that its host reads, and is left as it is: line 1, column 1: Expecting value."),
        (b'{"mcpServers": []}', "left as it is: what stands in mcpServers is no object."),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8, and is left as it is."),
    ],
)
def test_a_file_that_is_not_as_its_host_reads_it_is_left_alone(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(content)
    assert refusal(file).endswith(reason)
    assert (file.read_bytes(), names(tmp_path)) == (content, {"mcp.json"})


@posix_only
def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("pipe can't be read, and is left as it is: it is no regular file.")
    assert refusal(tmp_path).endswith("can't be read, and is left as it is: a folder is in the place of a file.")
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop").endswith("it is: links lead in a circle there.")


def test_a_file_that_can_t_be_written_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "left as it is: a file or a link is in the place of a folder." in refusal(tmp_path / "file" / "mcp.json")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write what is protected")
def test_a_file_that_its_user_has_protected_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(OLD)
    file.chmod(0o400)
    assert refusal(file).endswith("is protected from being written, and is left as it is.")
