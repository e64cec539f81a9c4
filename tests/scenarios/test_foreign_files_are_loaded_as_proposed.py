"""Files as spreadsheets of many countries write them: what a dry run proposes is called as it stands, and the rows arrive."""

import gzip
import re
from pathlib import Path
from typing import Any

from inline_snapshot import snapshot
from mcp import Client

from tests.support.next_call import corrected_call, next_call, next_line
from tests.support.orgs import call, closed, refusal, steady
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}

WESTERN = "Name,BillingCity\nMüller GmbH,Köln\nSociété Générale,Paris\nAcme,Oslo\n"
GREEK = "Name,BillingCity\nΠαπαδόπουλος,Αθήνα\nΓεώργιος,Πάτρα\n"
FILES = [
    (WESTERN, "windows-1252"),
    (WESTERN, "utf-16"),
    (WESTERN, "utf-16-be"),
    (WESTERN.replace(",", "\t").replace("\n", "\r\n"), "utf-16"),
    (WESTERN.replace("BillingCity", "Billing City"), "windows-1252"),
    (WESTERN, "mac-roman"),
    (GREEK, "windows-1253"),
    ("Name,BillingCity\n株式会社田中,東京都\n", "cp932"),
]


async def followed(client: Client, answer: dict[str, Any], csv: str | None = None) -> dict[str, Any]:
    """The answer to the call that `next` of an answer begins with; its gap for rows is filled with the text of CSV."""
    tool, arguments = next_call(answer["next"])
    if csv is not None:
        arguments["data"]["csv"] = csv
    return await call(client, tool, **arguments)


def as_lines(answer: dict[str, Any]) -> list[str]:
    """The findings of an answer, one on a line."""
    return [
        f"{found['level']} {found.get('column', '')} at {found['lines']}: {found['what']} {found['do']}"
        for found in answer["findings"]
    ]


async def test_a_file_in_another_encoding_is_loaded_as_proposed(org: WatchedOrg, tmp_path: Path) -> None:
    expected, loaded = {}, {}
    async with agent_keeping(org, tmp_path) as client:
        for number, (text, encoding) in enumerate(FILES):
            file, phone = f"{number}.csv", f"{encoding} {number}"
            content = text.encode(encoding)
            (tmp_path / file).write_bytes(gzip.compress(content) if number % 2 else content)
            data = {"file": file, "set": {"Phone": phone}}
            checked = await call(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
            assert (checked["encoding"], checked["rows"]) == (encoding, text.count("\n") - 1)
            checked = await followed(client, checked)
            assert not checked["findings"] and "encoding" not in checked
            await closed(client, (await followed(client, checked))["id"])
            expected[phone] = sorted(re.split("[,\t]", line) for line in text.splitlines()[1:])
            rows = org.records(f"SELECT Name, BillingCity FROM Account WHERE Phone = '{phone}'")
            loaded[phone] = sorted([row["Name"], row["BillingCity"]] for row in rows)
    assert loaded == expected


async def test_what_is_said_of_a_file_in_another_encoding(org: WatchedOrg, tmp_path: Path) -> None:
    content = "Name,Billing City\nDvořák,Plzeň\nNovák,Praha\nČerný,Škoda\n".encode("windows-1250")
    (tmp_path / "rows.csv").write_bytes(content)
    async with agent_keeping(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"}, dryRun=True)
        refused = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        assert steady({name: checked[name] for name in ("encoding", "findings", "next")}) == snapshot(
            {
                "encoding": "windows-1252",
                "findings": [
                    {
                        "level": "error",
                        "what": "Bytes are not UTF-8: their characters would be lost, and no row would fail for it.",
                        "do": 'Give encoding "windows-1252", which reads "Dvoøák", "Plzeò", "Novák", "Èerný", "Škoda", or "windows-1250", which reads "Dvořák", "Plzeň", "Novák", "Černý", "Škoda", or "windows-1254", which reads "Dvoøák", "Plzeò", "Novák", "Èernı", "Škoda". Look whether that is right, or save the file in UTF-8.',
                        "lines": [2, 3, 4],
                        "count": 3,
                    },
                    {
                        "level": "error",
                        "what": 'Account has no field "Billing City" that this user can see, which fails the whole job.',
                        "do": "Did you mean BillingCity? Set the field in columns, or null there to leave the column out.",
                        "column": "Billing City",
                        "lines": [1],
                        "count": 1,
                    },
                ],
                "next": 'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "rows.csv", "encoding": "windows-1252", "columns": {"Billing City": "BillingCity"}}, "dryRun": true} takes the proposed encoding and columns, once the user agrees; or correct the rows.',
            }
        )
        assert steady(refused) == snapshot("""\
INVALID_ARGUMENT: These rows have errors by which a job fails or values are lost, so no job was made and nothing was sent.
Proposed encoding: windows-1252
- error, line 2, 3, 4: Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Give encoding "windows-1252", which reads "Dvoøák", "Plzeò", "Novák", "Èerný", "Škoda", or "windows-1250", which reads "Dvořák", "Plzeň", "Novák", "Černý", "Škoda", or "windows-1254", which reads "Dvoøák", "Plzeò", "Novák", "Èernı", "Škoda". Look whether that is right, or save the file in UTF-8.
- error, column "Billing City", line 1: Account has no field "Billing City" that this user can see, which fails the whole job. Did you mean BillingCity? Set the field in columns, or null there to leave the column out.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "rows.csv", "encoding": "windows-1252", "columns": {"Billing City": "BillingCity"}}} takes the proposed encoding and columns, once the user agrees; or correct the rows.\
""")
    assert not org.changes


async def test_an_encoding_that_is_none_or_not_of_a_file_is_refused(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("Name\nAcme\n")
    async with agent_keeping(org, tmp_path) as client:
        unknown = {"file": "rows.csv", "encoding": "windows1252"}
        assert await refusal(client, "create-ingest-job", body=INSERT, data=unknown) == snapshot("""\
INVALID_ARGUMENT: encoding "windows1252" is not known. Did you mean "windows-1252"?
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "rows.csv", "encoding": "windows-1252"}} is the same call, corrected.\
""")
        text = {"csv": "Name\nAcme\n", "encoding": "utf-16"}
        assert await refusal(client, "create-ingest-job", body=INSERT, data=text) == snapshot("""\
Nothing was done: create-ingest-job can't take these arguments.
- data.encoding: encoding is that of a file: leave it out, since other rows are text already
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>"}} is the call, corrected, without encoding.\
""")


GERMAN = """\
Name;Annual Revenue;NumberOfEmployees;Description
Müller GmbH;1.234.567,80;12;31.01.2026
Bäcker AG;(12,50);7;01.02.2026
Schön & Söhne;;#N/A;
"""


async def test_a_german_spreadsheet_is_loaded_with_one_dry_run(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "konten.csv").write_bytes(GERMAN.encode("windows-1252"))
    async with agent_keeping(org, tmp_path) as client:
        data = {"file": "konten.csv", "set": {"Phone": "german"}}
        checked = await call(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
        assert checked["formats"] == {"AnnualRevenue": "1.234,5"}
        assert as_lines(checked) == snapshot(
            [
                'error  at [2, 3, 4]: Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Give encoding "windows-1252", which reads "Müller", "Bäcker", "Schön", "Söhne". Look whether that is right, or save the file in UTF-8.',
                'error Annual Revenue at [1]: Account has no field "Annual Revenue" that this user can see, which fails the whole job. Did you mean AnnualRevenue? Set the field in columns, or null there to leave the column out.',
                'warning Annual Revenue at [2, 3]: AnnualRevenue takes numbers, and rows with others fail: "1.234.567,80", "(12,50)". Write 1234.5. Or give formats: {"AnnualRevenue": "1.234,5"} reads "(12,50)" as -12.50.',
                'warning NumberOfEmployees at [4]: Cells are #N/A, so new records have no value there, perhaps not even the field\'s default. If they should get the default, empty them with values: {"NumberOfEmployees": {"#N/A": ""}}.',
            ]
        )
        assert checked["next"] == snapshot(
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "konten.csv", "set": {"Phone": "german"}, "encoding": "windows-1252", "columns": {"Annual Revenue": "AnnualRevenue"}, "formats": {"AnnualRevenue": "1.234,5"}}, "sha256": "bb795170b120e9b3e2862d29da943fea586f2c13513ee209c0be0e8c1e09428c"} sends the rows, if they are still the same. The user has to agree to the proposed encoding, columns and formats.'
        )
        tool, arguments = next_call(checked["next"])
        job = await call(client, tool, **{**arguments, "dryRun": False})
        assert as_lines(job) == snapshot(
            [
                'warning NumberOfEmployees at [4]: Cells are #N/A, so new records have no value there, perhaps not even the field\'s default. If they should get the default, empty them with values: {"NumberOfEmployees": {"#N/A": ""}}.'
            ]
        )
        await closed(client, job["id"])
    fields = "Name, AnnualRevenue, NumberOfEmployees, Description"
    rows = org.records(f"SELECT {fields} FROM Account WHERE Phone = 'german' ORDER BY Name")
    assert [[row[name] for name in fields.split(", ")] for row in rows] == snapshot(
        [
            ["Bäcker AG", -12.5, 7, "01.02.2026"],
            ["Müller GmbH", 1234567.8, 12, "31.01.2026"],
            ["Schön & Söhne", None, None, None],
        ]
    )


async def test_a_proposal_of_formats_alone_is_loaded_as_it_stands(org: WatchedOrg, tmp_path: Path) -> None:
    csv = "LastName,Birthdate,HasOptedOutOfEmail\nFormat 1,31.01.1990,Ja\nFormat 2,1.2.1985,nein\n"
    contacts = {"object": "Contact", "operation": "insert"}
    async with agent_keeping(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=contacts, data={"csv": csv}, dryRun=True)
        assert checked["formats"] == {"Birthdate": "DD.MM.YYYY", "HasOptedOutOfEmail": "ja/nein"}
        assert as_lines(checked) == snapshot(
            [
                'warning Birthdate at [2, 3]: Birthdate takes dates, and rows with others fail: "31.01.1990", "1.2.1985". Write dates as 2026-01-31. Or give formats: {"Birthdate": "DD.MM.YYYY"} reads "1.2.1985" as 1985-02-01.',
                'warning HasOptedOutOfEmail at [2, 3]: HasOptedOutOfEmail takes true and false, and rows with others fail: "Ja", "nein". Map the values to true and false with values. Or give formats: {"HasOptedOutOfEmail": "ja/nein"} reads "Ja" as true.',
            ]
        )
        assert checked["next"] == snapshot(
            'create-ingest-job {"body": {"object": "Contact", "operation": "insert"}, "data": {"csv": "<the same rows>", "formats": {"Birthdate": "DD.MM.YYYY", "HasOptedOutOfEmail": "ja/nein"}}, "dryRun": true} takes the proposed formats, once the user agrees; without these formats, and with this sha256 in place of dryRun, it sends the rows as they are, though every row is known to fail.'
        )
        checked = await followed(client, checked, csv)
        assert checked["findings"] == [] and "formats" not in checked
        await closed(client, (await followed(client, checked, csv))["id"])
    rows = org.records(
        "SELECT LastName, Birthdate, HasOptedOutOfEmail FROM Contact WHERE LastName LIKE 'Format%' ORDER BY LastName"
    )
    assert [(row["LastName"], row["Birthdate"], row["HasOptedOutOfEmail"]) for row in rows] == snapshot(
        [("Format 1", "1990-01-31", True), ("Format 2", "1985-02-01", False)]
    )


async def test_beside_proposed_formats_a_call_with_both_corrects_the_rows_that_fail_all_the_same(
    org: WatchedOrg, tmp_path: Path
) -> None:
    csv = "LastName,Birthdate\nFormat 3,31.01.1990\n,1.2.1985\n"
    contacts = {"object": "Contact", "operation": "insert"}
    async with agent_keeping(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=contacts, data={"csv": csv}, dryRun=True)
        whole = corrected_call(checked["next"])[1]["data"]
        assert (whole["formats"], whole["values"]) == (
            {"Birthdate": "DD.MM.YYYY"},
            {"LastName": {"": '<LastName for "">'}},
        )
        checked = await call(
            client,
            "create-ingest-job",
            body=contacts,
            data={**whole, "csv": csv, "values": {"LastName": {"": "?"}}},
            dryRun=True,
        )
    assert (checked["rows"], checked["findings"]) == (2, [])


async def test_a_cell_that_does_not_fit_a_format_is_found_and_never_another_value(
    org: WatchedOrg, tmp_path: Path
) -> None:
    csv = "LastName,Birthdate\nAnn,31.02.1990\nBob,1.2.1985\nCid,\n"
    async with agent_keeping(org, tmp_path) as client:
        data = {"csv": csv, "formats": {"Birthdate": "DD.MM.YYYY"}}
        contacts = {"object": "Contact", "operation": "insert"}
        checked = await call(client, "create-ingest-job", body=contacts, data=data, dryRun=True)
        assert as_lines(checked) == snapshot(
            [
                'warning Birthdate at [2]: Birthdate takes dates, and rows with others fail: "31.02.1990". Write dates as 2026-01-31. Correct them with values, which come before formats, or leave these rows out by their cells in leaveOut.',
            ]
        )
        account = {"csv": 'Name,AnnualRevenue\nA,1.5\nB,"1,5"\n', "formats": {"AnnualRevenue": "1.234,5"}}
        assert steady(await refusal(client, "create-ingest-job", body=INSERT, data=account)) == snapshot("""\
INVALID_ARGUMENT: These rows have errors by which a job fails or values are lost, so no job was made and nothing was sent.
- error, column AnnualRevenue, line 2 ("A": "1.5"): Cells do not fit the format "1.234,5", and would be taken as other numbers than it means: "1.5". Correct them with values, which come before formats, or leave these rows out by their cells in leaveOut.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the corrected rows>", "formats": {"AnnualRevenue": "1.234,5"}}} takes the rows, once they or their mapping (columns, set, values, formats, only, leaveOut) are corrected. Or create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "formats": {"AnnualRevenue": "1.234,5"}, "leaveOut": {"lines": "2"}}} leaves 1 row out: ask the user.\
""")
        wrong = [{"Birthdate": "DD.MM"}, {"Nothing": "Ja/Nein"}]
        refusals = [
            await refusal(client, "create-ingest-job", body=contacts, data={"csv": csv, "formats": formats})
            for formats in wrong
        ]
        assert [text.splitlines()[0] for text in refusals] == snapshot(
            [
                'INVALID_ARGUMENT: The format "DD.MM" is one of dates and has no year: write it as DD.MM.YYYY or MM/DD/YYYY hh:mm:ss.',
                'INVALID_ARGUMENT: formats names "Nothing", which is not a column here. There are: "LastName", "Birthdate".',
            ]
        )


async def test_fields_may_be_named_before_their_columns_are(org: WatchedOrg, tmp_path: Path) -> None:
    """Whoever knows the object begins with its fields: the answer has the columns, and all that was said of the cells."""
    cells: dict[str, Any] = {"leaveOut": {"cells": {"LastName": ""}}, "values": {"LeadSource": {"Messe": "Other"}}}
    leads = {"object": "Lead", "operation": "insert"}
    csv = "Nachname;Firma;Quelle;LeadSource\nM;A;x;Messe\n;B;y;Messe\n"
    async with agent_keeping(org, tmp_path) as client:
        first = await refusal(client, "create-ingest-job", body=leads, data={"csv": csv, **cells}, dryRun=True)
        assert first == snapshot("""\
INVALID_ARGUMENT: leaveOut names "LastName", and no column is called so yet. "Nachname" is likely to be it, so name it in columns: {"Nachname": "LastName"}.
Next: create-ingest-job {"body": {"object": "Lead", "operation": "insert"}, "data": {"csv": "<the same rows>", "values": {"LeadSource": {"Messe": "Other"}}, "leaveOut": {"cells": {"LastName": [""]}}, "columns": {"Nachname": "LastName", "Firma": "Company"}}, "dryRun": true} is the same call, corrected.\
""")
        others: list[dict[str, Any]] = [
            {"only": ["LastName"]},
            {"formats": {"LastName": "Ja/Nein"}},
            {"values": {"LastName": {"M": "N"}}},
        ]
        for cells in others:
            text = await refusal(client, "create-ingest-job", body=leads, data={"csv": csv, **cells})
            assert '"columns": {"Nachname": "LastName"' in text
        tool, arguments = next_call(next_line(first))
        arguments["data"] |= {"csv": csv, "columns": arguments["data"]["columns"] | {"Quelle": None}}
        checked = await call(client, tool, **arguments)
        assert (checked["rows"], checked["findings"]) == (1, [])
