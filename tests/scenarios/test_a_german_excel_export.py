"""A file as a German Excel writes it: one dry run, one create and one close bring every cell into the org."""

from pathlib import Path

from tests.support.next_call import next_call
from tests.support.orgs import call, closed
from tests.support.watched_org import WatchedOrg, agent_keeping

HEADER = ("Opportunity Name", "Stage", "Close Date", "Amount", "Private", "Description", "Description")
ROWS = [
    ("Müller GmbH … Größe", "Prospecting", "31.12.2026", "1.234,50", "Ja", "Zeile eins\nZeile zwei", "intern"),
    ("Bäcker & Söhne", "Closed Won", "01.02.2026", "99", "Nein", 'Er sagte "ja"', ""),
    ("Café Übermut €", "Prospecting", "15.03.2026", "-1.000.000,00", "Nein", "", "x;y"),
]
LOADED = [
    ("Bäcker & Söhne", "Closed Won", "2026-02-01", 99.0, False, 'Er sagte "ja"'),
    ("Café Übermut €", "Prospecting", "2026-03-15", -1_000_000.0, False, None),
    ("Müller GmbH … Größe", "Prospecting", "2026-12-31", 1_234.5, True, "Zeile eins\nZeile zwei"),
]
HEADER_LINE, NO_ROWS = 2, 4


def as_excel_writes(rows: list[tuple[str, ...]]) -> bytes:
    """The rows with what is around them: the delimiter's line, blank rows, a footer; CRLF between rows, LF in cells."""
    lines = [";".join(map(quoted_where_needed, row)) for row in rows]
    blank = ";" * (len(HEADER) - 1)
    return "\r\n".join(["sep=;", *lines, blank, blank, "Stand: 29.11.2026" + blank, ""]).encode("windows-1252")


def quoted_where_needed(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set('";\n') else cell


async def test_a_german_excel_export_goes_in_with_one_dry_run_one_create_and_one_close(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (tmp_path / "export.csv").write_bytes(as_excel_writes([HEADER, *ROWS]))
    async with agent_keeping(org, tmp_path) as client:
        body, data = {"object": "Opportunity", "operation": "insert"}, {"file": "export.csv"}
        checked = await call(client, "create-ingest-job", body=body, data=data, dryRun=True)
        assert [found["lines"] for found in checked["findings"] if found.get("column") == "Description"] == [
            [HEADER_LINE]
        ]
        _, arguments = next_call(checked["next"])
        proposed = arguments["data"]
        # Which of the two descriptions goes in is the user's to say.
        assert proposed["columns"]["#7"] == "<its field, or null>" and "columns" not in checked
        proposed["columns"]["#7"] = None
        made = await call(client, "create-ingest-job", body=body, data=proposed)
        assert (made["rows"], made["leftOut"]["notRows"]["count"]) == (len(ROWS), NO_ROWS)
        done = await closed(client, made["id"])
    assert done["numberRecordsFailed"] == 0
    fields = ("Name", "StageName", "CloseDate", "Amount", "IsPrivate", "Description")
    found = org.records(f"SELECT {', '.join(fields)} FROM Opportunity ORDER BY Name")
    assert [tuple(record[field] for field in fields) for record in found] == LOADED
