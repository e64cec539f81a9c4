"""The org of the matrix, and the counts at its end."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from _pytest.terminal import TerminalReporter

from tests.faults.org import FaultyOrg, faulty_org

Count = Callable[..., None]


@pytest.fixture(scope="session")
def _org_of_all_cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyOrg]:
    with faulty_org(tmp_path_factory.mktemp("org")) as org:
        yield org


@pytest.fixture
def org(_org_of_all_cells: FaultyOrg) -> Iterator[FaultyOrg]:
    """The org of all cells, without faults."""
    yield _org_of_all_cells
    _org_of_all_cells.go_right()


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Counts what a cell came to; the sums are printed at the end of the run."""

    def recorded(**counts: int) -> None:
        for name, number in counts.items():
            record_property(name, number)

    return recorded


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the sums of what the cells came to."""
    sums: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                sums["cells"] += 1
                for name, number in report.user_properties:
                    sums[name.replace("_", " ")] += number
    if sums:
        terminalreporter.write_line(", ".join(f"{name}: {number:,}" for name, number in sums.items()))
