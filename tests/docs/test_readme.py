"""The README's conversation, the entry in mcp.json and the changelog, held to the code."""

import csv
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.cli.config import SERVER_KEY
from tests.docs.tables import section_of
from tests.support.orgs import agent, emulator, text_of

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = files("salesforce_bulk_ingest").joinpath("sample", "contacts.csv").read_bytes()
TWO_SCREENS = 120


def test_the_readme_fits_two_screens() -> None:
    assert len(README.splitlines()) <= TWO_SCREENS


async def test_the_conversation_goes_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_bytes(SAMPLE)
    jobs: dict[str, str] = {}
    told = re.split(r"^(?=You|Agent)", section_of(README, "conversation")[0], flags=re.MULTILINE)
    calls = [turn for turn in told if re.match(r"Agent +[a-z-]+-job ", turn)]
    assert len(calls) == 6 and sum(turn.count("→") for turn in calls) >= 12
    with emulator(tmp_path / "org") as org_url:
        async with agent(org_url, upload_roots=(tmp_path,), save_roots=(tmp_path,)) as client:
            for turn in calls:
                line, *answers = turn.splitlines()
                _, tool, arguments = line.split(maxsplit=2)
                done = await client.call_tool(tool, json.loads(real(arguments, jobs, tmp_path)))
                assert not done.is_error, text_of(done)
                structure: dict[str, Any] = done.structured_content or {}
                if tool == "create-ingest-job" and "id" in structure:
                    jobs[f"750{'AB'[len(jobs)]}"] = structure["id"]
                rest = text_of(done)
                for shown in (answer.split("→ ", 1)[1] for answer in answers if "→" in answer):
                    told_before, found, rest = rest.partition(real(shown, jobs, tmp_path))
                    assert found, f"{shown}\nis not in\n{told_before}"
    saved = lines_of_records(tmp_path / "contacts-failed.csv")
    assert len(saved) == 11 and saved == sorted(saved)
    assert {13, 63, 64, 100, 183, 211, 223, 251} <= set(saved)  # of which the dry run told


def lines_of_records(file: Path) -> list[int]:
    """The lines of the source of the rows in a saved file."""
    with file.open(encoding="utf-8", newline="") as opened:
        return [int(row["sf__Line"]) for row in csv.DictReader(opened)]


def real(text: str, jobs: dict[str, str], folder: Path) -> str:
    """The text with the ids and the folder of this run."""
    for shown, job_id in jobs.items():
        text = text.replace(shown, job_id)
    return text.replace("~/Downloads", folder.as_posix())


def test_mcp_json_is_usable_as_it_is() -> None:
    text = (ROOT / "mcp.json").read_text(encoding="utf-8")
    [(key, entry)] = json.loads(text)["mcpServers"].items()
    assert (key, entry["command"], entry["args"]) == (SERVER_KEY, "salesforce-bulk-ingest", ["stdio"])
    assert "${" not in text and "env" not in entry and "/" not in entry["command"]


def test_the_changelog_begins_with_what_is_unreleased_or_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", changelog, re.MULTILINE)
    assert headings[headings[0] == "Unreleased"] == __version__
