"""docs/scheduled_load.py, run as cron runs it: what it ends with, and what it leaves beside the file."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.salesforce_emulator.caller import Caller, calling
from tests.support.asgi_server import running
from tests.support.commands import Environ, fresh_environ

DOCS = Path(__file__).parent.parent.parent / "docs"
SCRIPT = DOCS / "scheduled_load.py"
GUIDE = (DOCS / "scheduled.md").read_text(encoding="utf-8")
MOST_LINES = 60

RECIPE = """
object: Account
operation: insert
columns: {Firm: Name, Above: ParentId}
bounds:
  rows: {min: 3}
"""
UPDATE_OF_CHANGES = """
object: Account
operation: update
columns: {Firm: Name, Above: Id}
changedOnly: true
"""
HEADER = "Firm,Above\n"
ROWS = "".join(f"Firm {n},\n" for n in range(1, 6))
NO_PARENT = "Firm 6,001000000000000AAA\n"


@dataclass
class Machine:
    """A machine on which the script runs, the org that it loads into, and the folder of its files."""

    direct: Caller
    environ: Environ
    folder: Path

    def load(self, rows: str, named: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the script for a file with these rows."""
        file = named or self.folder / "firms.csv"
        file.write_text(HEADER + rows)
        options = ("--recipes", str(self.folder), "--upload-root", str(self.folder))
        command = (sys.executable, str(SCRIPT), "firms", str(file), *options)
        return subprocess.run(command, env={**self.environ, **environ}, capture_output=True, text=True, timeout=120)

    def fault(self, **rule: object) -> None:
        """Let something go wrong in the org."""
        assert self.direct.http.post("/emulator/faults", json={"rules": [rule]}).is_success

    def failed(self) -> list[list[dict[str, str]]]:
        """The rows of each file of failed rows."""
        files = sorted(self.folder.glob("firms-failed-*.csv"))
        return [list(csv.DictReader(file.read_text().splitlines(keepends=True))) for file in files]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "firms.yaml").write_text(RECIPE)
    environ = fresh_environ(tmp_path)
    environ["PATH"] = "/usr/bin:/bin"  # that of cron, in which no environment of Python is
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url, calling(url) as direct:
        environ |= {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN}
        yield Machine(direct, environ, tmp_path / "files")


@pytest.mark.slow
def test_it_ends_with_0_once_rows_that_were_locked_are_in_the_org_too(machine: Machine) -> None:
    machine.fault(fault="locked-rows", on="processing", times=2)
    done = machine.load(ROWS)
    assert (done.returncode, done.stderr, machine.failed()) == (0, "", [])
    assert machine.direct.query("SELECT COUNT() FROM Account")["totalSize"] == 5


def test_it_ends_with_2_and_says_how_it_is_called_where_an_argument_is_left_out() -> None:
    done = subprocess.run((sys.executable, str(SCRIPT), "firms"), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "scheduled_load.py RECIPE FILE" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_it_ends_with_0_where_every_record_holds_its_row_already(machine: Machine) -> None:
    machine.load(ROWS)
    records = machine.direct.query("SELECT Id, Name FROM Account")["records"]
    (machine.folder / "firms.yaml").write_text(UPDATE_OF_CHANGES)
    done = machine.load("".join(f"{record['Name']},{record['Id']}\n" for record in records))
    assert (done.returncode, done.stderr) == (0, "")
    assert "There is nothing to send to " in done.stdout


def test_it_ends_with_1_and_leaves_the_failed_rows_with_their_lines(machine: Machine) -> None:
    machine.fault(fault="locked-rows", on="processing", times=1)
    done = machine.load(ROWS + NO_PARENT)
    assert done.returncode == 1, done.stderr
    [[row]] = machine.failed()
    assert (row["sf__Line"], row["Firm"]) == ("7", "Firm 6")
    assert row["sf__Error"]
    assert machine.direct.query("SELECT COUNT() FROM Account")["totalSize"] == 5


@pytest.mark.slow
def test_it_writes_all_pages_of_failed_rows(machine: Machine) -> None:
    done = machine.load("".join(f'"Firm\n{n}",001000000000000AAA\n' for n in range(1_100)))
    assert done.returncode == 1, done.stderr
    [rows] = machine.failed()
    assert sorted({int(row["sf__Line"]) for row in rows}) == list(range(2, 2_202, 2))


@pytest.mark.slow
def test_it_ends_with_1_where_failed_rows_can_not_be_written(machine: Machine) -> None:
    named = machine.folder / f"{'x' * 240}.csv"
    done = machine.load(NO_PARENT * 3, named)
    assert done.returncode == 1
    assert "rows failed, and are not written" in done.stderr


@pytest.mark.slow
def test_it_ends_with_2_for_a_file_that_is_out_of_bounds(machine: Machine) -> None:
    done = machine.load("Firm 1,\n")
    assert done.returncode == 2
    assert "3 is the least (rows)" in done.stderr
    assert machine.direct.query("SELECT COUNT() FROM Account")["totalSize"] == 0


@pytest.mark.slow
def test_it_ends_with_3_without_the_org_and_without_the_server(machine: Machine) -> None:
    assert machine.load(ROWS, SALESFORCE_INSTANCE_URL="http://127.0.0.1:9").returncode == 3
    broken = machine.folder / "broken"
    broken.mkdir()
    (broken / "salesforce_bulk_ingest.py").write_text("raise SystemExit(1)")
    lost = machine.load(ROWS, PYTHONPATH=str(broken))
    assert lost.returncode == 3
    assert "no connection" in lost.stderr


def test_it_is_short_and_the_guide_says_what_it_ends_with() -> None:
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    assert [code for code in "0123" if f"| {code} |" not in GUIDE] == []
