"""Lines of the audit log are whole, and nobody else reads them."""

import json
from pathlib import Path

import anyio
import pytest

from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.cache.audit_log import AuditLog


async def test_each_line_is_an_object_without_what_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "state" / "audit.jsonl"
    log = AuditLog(file)
    await log.add({"time": "9:00", "caller": "Zoë\nloader", "rows": None})
    await log.add({"time": "9:01", "rows": 0})
    assert file.read_bytes().isascii()
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"time": "9:00", "caller": "Zoë\nloader"},
        {"time": "9:01", "rows": 0},
    ]
    assert file.stat().st_mode & 0o777 == 0o600


async def test_lines_of_many_writers_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(AuditLog(file).add, {"time": "9:00", "number": number, "text": "x" * 2_000})
    assert sorted(json.loads(line)["number"] for line in file.read_text().splitlines()) == list(range(50))


async def test_a_line_that_goes_to_standard_error_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    await AuditLog(None).add({"action": "close"})
    assert capsys.readouterr().err == '{"action": "close"}\n'


async def test_a_log_that_others_could_read_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.touch()
    file.chmod(0o644)
    with pytest.raises(StorageFailure, match="Other users of this machine could read"):
        await AuditLog(file).add({"action": "close"})
    assert file.read_bytes() == b""


async def test_another_file_is_no_audit_log_whoever_may_read_it(tmp_path: Path) -> None:
    for mode in (0o600, 0o644):
        file = tmp_path / f"key {mode}"
        file.write_text("-----BEGIN\n")
        file.chmod(mode)
        with pytest.raises(StorageFailure, match="is no audit log, so nothing is changed"):
            await AuditLog(file).add({"time": "9:00"})
        with pytest.raises(StorageFailure, match="Name another file as --audit"):
            AuditLog(file).check_writable()
        assert file.read_text() == "-----BEGIN\n"


async def test_a_log_that_can_not_be_written_says_where_it_should_be(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.mkdir()
    with pytest.raises(StorageFailure, match=r"audit\.jsonl.*a folder is in the place of a file"):
        await AuditLog(file).add({"action": "close"})


def test_a_look_finds_what_would_keep_a_line_from_being_added_and_makes_nothing(tmp_path: Path) -> None:
    AuditLog(None).check_writable()
    AuditLog(tmp_path / "state" / "audit.jsonl").check_writable()
    assert list(tmp_path.iterdir()) == []
    readable = tmp_path / "readable.jsonl"
    readable.touch()
    readable.chmod(0o644)
    for file, complaint in (
        (tmp_path, "a folder is in the place of a file"),
        (readable, "Other users of this machine could read"),
        (readable / "audit.jsonl", "a file or a link is in the place of a folder"),
    ):
        with pytest.raises(StorageFailure, match=complaint):
            AuditLog(file).check_writable()
    readable.chmod(0o600)
    AuditLog(readable).check_writable()
    assert readable.read_bytes() == b""
