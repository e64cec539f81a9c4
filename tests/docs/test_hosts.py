"""The table of docs/hosts.md, held to the hosts that `config` knows."""

from pathlib import PurePosixPath, PureWindowsPath

from salesforce_bulk_ingest.cli.hosts import Machine, hosts_of
from tests.docs.tables import DOCS, section_of

MACHINES = (
    Machine(PurePosixPath("~"), {}, "linux"),
    Machine(PurePosixPath("~"), {}, "darwin"),
    Machine(PureWindowsPath("~"), {}, "win32"),
)


def test_the_table_of_files_has_each_host_on_each_system() -> None:
    rows = [
        f"| `{hosts[0].name}` | {' | '.join(f'`{host.file}`' for host in hosts)} |"
        for hosts in zip(*map(hosts_of, MACHINES), strict=True)
    ]
    assert section_of((DOCS / "hosts.md").read_text(encoding="utf-8"), "files")[0].splitlines()[2:] == rows
