"""What the README, CONTRIBUTING.md and the pages of docs/ name: files, targets, headings and links that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ROOT / "server" / "salesforce_bulk_ingest"

PAGES = sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *PAGES, "server/salesforce_emulator/README.md"]
MADE_OR_FOREIGN = {"dist/", ".venv/", ".venv-lowest/"}


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_of_make_that_is_named_exists(document: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"(?:`|^)make\s([a-z-]+)", text_of(document), re.MULTILINE)
    assert set(named) <= set(targets)


def test_the_table_of_targets_has_all_but_those_that_others_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text_of("CONTRIBUTING.md"))) == targets - {"clean", "demo"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", text_of(document))
    assert [link for link in links if not ((ROOT / document).parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_heading_leads_to_one(document: str) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text_of(document))
    for file, heading in links:
        page = ((ROOT / document).parent / file if file else ROOT / document).read_text(encoding="utf-8")
        anchors = [anchor_of(title) for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)]
        assert heading in anchors, f"{document} names {file}#{heading}"


def test_the_readme_leads_to_every_page() -> None:
    assert [page for page in PAGES if f"({page}" not in text_of("README.md")] == []


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_that_is_named_exists(document: str) -> None:
    paths = {path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text_of(document)) if not re.search("[A-Z]{4}", path)}
    missing = [path for path in paths - MADE_OR_FOREIGN if not any((base / path).exists() for base in (ROOT, PRODUCT))]
    assert missing == []


def test_every_module_of_the_validation_that_is_named_exists() -> None:
    section = text_of("CONTRIBUTING.md").partition("a finding of the preflight")[2].partition("###")[0]
    modules = re.findall(r"`(\w+\.py)`", section)
    assert modules
    assert [name for name in modules if not (PRODUCT / "validation" / name).is_file()] == []
