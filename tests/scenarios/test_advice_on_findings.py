"""Each kind of finding has advice that is followed here: as the finding words it, and as the next call says it.

A case has rows with a finding. Its advice is followed by the arguments that it names in JSON, or only in words: then the case
has their values, and the advice has to name the arguments. After that the finding is gone, and every row arrives but those that
were left out by name.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
from mcp import Client

from salesforce_bulk_ingest.base.findings import FindingKind
from salesforce_bulk_ingest.validation.file import MAX_COLUMNS
from tests.salesforce_emulator.caller import Caller, an_org_with
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed

Arguments = dict[str, Any]

INSERT = {"object": "Account", "operation": "insert"}
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
DELETE = {"object": "Account", "operation": "delete"}
CONTACT = {"object": "Contact", "operation": "insert"}
TASK = {"object": "Task", "operation": "insert"}
SCHEMA = """
objects:
  Account:
    fields:
      Tier__c: {type: picklist, picklist: [Gold, Silver], restricted: true}
      Moment__c: {type: datetime}
      Opens__c: {type: time}
      Badge__c: {type: string, length: 40, unique: true}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Rows with a finding, and what follows its advice.

    Attributes:
        kind: the kind of the finding.
        csv: the rows, which go in a file if they are bytes; `{account}` stands for the id of a new account.
        says: words of the advice.
        body: the job.
        given: arguments of the rows in the call that has the finding.
        chosen: arguments whose values only the user knows, and the advice only names.
        beside: arguments that follow the advice on another finding, which comes with this one.
        fills: what fills gaps for a field.
        arrive: the number of rows that arrive.
    """

    kind: FindingKind
    csv: str | bytes
    says: str
    body: Mapping[str, str] = field(default_factory=lambda: INSERT)
    given: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)
    fills: str | None = None
    arrive: int = 2


CASES = (
    Case(kind="encoding", csv=b"Name,Phone\nM\xfcller,1\nK\xf6ln,2\n", says="Give encoding"),
    Case(kind="unreadable", csv="Name,Phone\nWide 1,1\nWide 2,2\n".encode("utf-16"), says="Give encoding"),
    Case(
        kind="misread",
        csv="Name,Phone\nM\u00c3\u00bcller,1\nMisread,2\n",
        says="name the right cells in values",
        chosen={"values": {"Name": {"M\u00c3\u00bcller": "M\u00fcller"}}},
    ),
    Case(kind="breaks in cells", csv='Name,Description\r\nBreaks,"1\n2"\r\nBreaks,"3\n4"\r\n', says="lineEnding LF"),
    Case(kind="line ends", csv="Name,Phone\nEnds 1,1\r\nEnds 2,2\n", says="lineEnding CRLF"),
    Case(
        kind="doubtful delimiter",
        csv="Name;Phone, Fax\nDelimiter 1;1\nDelimiter 2;2\n",
        says="columnDelimiter SEMICOLON",
        beside={"columns": {"Phone, Fax": "Phone"}},
    ),
    Case(kind="title", csv="Accounts\nName,Phone\nTitle 1,1\nTitle 2,2\n", says='leaveOut {"lines": "1"}'),
    Case(kind="not rows", csv="Name,Phone\nNot 1,1\nNot 2,2\n\nTotal: 2,\n", says="leaves out all that is no row"),
    Case(
        kind="no rows",
        csv="Name,Phone\nNone 1,1\nNone 2,2\n",
        says="Leave fewer out in leaveOut",
        given={"leaveOut": {"lines": "2-3"}},
        chosen={"leaveOut": {"lines": "3"}},
        arrive=1,
    ),
    Case(
        kind="long row",
        csv=f"Name,A,B,C,D\nLong,{','.join(['x' * 110_000] * 4)}\nShort,,,,\n",
        says="leave columns out",
        chosen={"columns": dict.fromkeys("ABCD")},
    ),
    Case(
        kind="long cell",
        csv=f"Name,Description\nLong cell,{'x' * 131_073}\nShort cell,\n",
        says="set null in columns",
        chosen={"columns": {"Description": None}},
    ),
    Case(
        kind="long header",
        csv=f"Name,{'x' * 32_000}\nHeader 1,1\nHeader 2,2\n",
        says="name those to keep in only",
        chosen={"only": ["Name"]},
    ),
    Case(
        kind="many columns",
        csv=f"Name,{','.join(f'c{number}' for number in range(MAX_COLUMNS))}\nMany 1\nMany 2\n",
        says="name those to keep in only",
        chosen={"only": ["Name"]},
    ),
    Case(
        kind="unknown column",
        csv="Nmae,Phone\nUnknown 1,1\nUnknown 2,2\n",
        says="Set the field in columns",
        chosen={"columns": {"Nmae": "Name"}},
        fills="Name",
    ),
    Case(
        kind="unknown column",
        csv="Surname,Email\nMeant 1,\nMeant 2,\n",
        says="Did you mean LastName?",
        body=CONTACT,
    ),
    Case(
        kind="unknown column",
        csv="LastName,Acount.External_Id__c\nNear 1,P-1\nNear 2,P-1\n",
        says="Did you mean Account.External_Id__c?",
        body=CONTACT,
        fills="Account.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="LastName,Account:Account.External_Id__c\nOne 1,P-1\nOne 2,P-1\n",
        says="Name it Account.External_Id__c in columns",
        body=CONTACT,
        fills="Account.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="Subject,What.External_Id__c\nSeveral 1,P-1\nSeveral 2,P-1\n",
        says="Name it Account:What.External_Id__c in columns",
        body=TASK,
        fills="Account:What.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="Subject,What:Account.External_Id__c\nMixed 1,P-1\nMixed 2,P-1\n",
        says="Name it What.External_Id__c in columns",
        body=TASK,
        chosen={"columns": {"What:Account.External_Id__c": "Account:What.External_Id__c"}},
        fills="Account:What.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="LastName,Account.Parent.External_Id__c\nFar 1,P-1\nFar 2,P-1\n",
        says="Name a field of Account itself in columns",
        body=CONTACT,
        chosen={"columns": {"Account.Parent.External_Id__c": "Account.External_Id__c"}},
        fills="Account.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="LastName,Account.Name\nKeys 1,P-1\nKeys 2,P-1\n",
        says="External_Id__c of Account in columns",
        body=CONTACT,
        chosen={"columns": {"Account.Name": "Account.External_Id__c"}},
        fills="Account.External_Id__c",
    ),
    Case(
        kind="unknown column",
        csv="LastName,Account Number\nAbout 1,P-1\nAbout 2,P-1\n",
        says="by its id or external id: AccountId or Account.External_Id__c",
        body=CONTACT,
        chosen={"columns": {"Account Number": "Account.External_Id__c"}},
        fills="Account.External_Id__c",
    ),
    Case(
        kind="doubled",
        csv="Name,Phone,Phone\nDoubled 1,1,2\nDoubled 2,3,4\n",
        says="another field",
        fills="Fax",
    ),
    Case(kind="doubled", csv="Name,Phone,Phone\nTwice 1,1,1\nTwice 2,2,2\n", says='{"#3": null} in columns'),
    Case(kind="unnamed", csv="Name,,Site\nUnnamed 1,1,a\nUnnamed 2,2,b\n", says='{"#2": "<its field>"}', fills="Phone"),
    Case(kind="unnamed and blank", csv="Name,,Site\nSpare 1,,a\nSpare 2,,b\n", says='{"#2": null} in columns'),
    Case(
        kind="doubled lookup",
        csv="LastName,AccountId,Account.External_Id__c\nLookups 1,{account},A-1\nLookups 2,{account},A-1\n",
        says="set null in columns for the others",
        body=CONTACT,
        chosen={"columns": {"Account.External_Id__c": None}},
    ),
    Case(
        kind="read-only",
        csv="Name,Email\nFull 1,\nFull 2,\n",
        says="set LastName for it in columns",
        body=CONTACT,
        chosen={"columns": {"Name": "LastName"}},
    ),
    Case(
        kind="read-only",
        csv="Name,BillingAddress\nWhole 1,Main St 1\nWhole 2,Main St 2\n",
        says="set BillingStreet for it in columns",
        chosen={"columns": {"BillingAddress": "BillingStreet"}},
    ),
    Case(
        kind="read-only",
        csv="Subject,CaseNumber\nNumber 1,1\nNumber 2,2\n",
        says="set null for it in columns",
        body={"object": "Case", "operation": "insert"},
        chosen={"columns": {"CaseNumber": None}},
    ),
    Case(
        kind="read-only",
        csv="ID,Name\nF-1,Foreign 1\nF-2,Foreign 2\n",
        says="ids of another system, set External_Id__c there",
        chosen={"columns": {"ID": "External_Id__c"}},
    ),
    Case(
        kind="required",
        csv="Phone\n1\n2\n",
        says="give all rows one value with set",
        chosen={"set": {"Name": "Required"}},
    ),
    Case(
        kind="external id",
        csv="External_Id__c,Name\nE-1,External 1\nE-2,External 2\n",
        says="Make the job with externalIdFieldName",
        body=UPSERT | {"externalIdFieldName": "Phone"},
    ),
    Case(
        kind="no key",
        csv="ERP,Name\nK-1,Key 1\nK-2,Key 2\n",
        says="name External_Id__c for that in columns",
        body=UPSERT,
        chosen={"columns": {"ERP": "External_Id__c"}},
        fills="External_Id__c",
    ),
    Case(
        kind="only id",
        csv="Name,Key\nGone 1,{account}\nGone 2,{account}\n",
        says="Name Id in columns",
        body=DELETE,
        chosen={"columns": {"Key": "Id", "Name": None}},
        fills="Id",
    ),
    Case(
        kind="only id",
        csv="Id,Name\n{account},Gone 3\n{account},Gone 4\n",
        says='Set only to ["Id"]',
        body=DELETE,
    ),
    Case(
        kind="blank key",
        csv="External_Id__c,Name\n,Blank 1\n#N/A,Blank 2\nB-3,Blank 3\n",
        says="leave these rows out",
        body=UPSERT,
        arrive=1,
    ),
    Case(
        kind="repeated key",
        csv="External_Id__c,Name\nR-1,Repeated 1\nR-1,Repeated 2\nR-2,Repeated 3\n",
        says="Keep one row for each",
        body=UPSERT,
        chosen={"leaveOut": {"lines": "3"}},
    ),
    Case(
        kind="repeated value",
        csv="Name,Badge__c\nUnique 1,B-1\nUnique 2,b-1 \nUnique 3,B-2\n",
        says="keep one row for each",
        chosen={"leaveOut": {"lines": "3"}},
    ),
    Case(kind="placeholders", csv="Name,Phone\nWord 1,NULL\nWord 2,#REF!\n", says="Empty them with values"),
    Case(kind="clearing cells", csv="Name,Phone\nClear 1,#N/A\nClear 2,2\n", says="empty them with values"),
    Case(
        kind="misfit error",
        csv='Name,AnnualRevenue\nMisfit 1,"1,5"\nMisfit 2,2.5\n',
        says="Correct them with values",
        given={"formats": {"AnnualRevenue": "1.234,5"}},
        chosen={"values": {"AnnualRevenue": {"2.5": "2,5"}}},
    ),
    Case(
        kind="misfit warning",
        csv="Name,Site\nMisfit 3,1.2.2026\nMisfit 4,bald\n",
        says="leave these rows out by their cells in leaveOut",
        given={"formats": {"Site": "DD.MM.YYYY"}},
        chosen={"leaveOut": {"cells": {"Site": ["bald"]}}},
        arrive=1,
    ),
    Case(kind="blank", csv="Name,Phone\n,1\nBlank,2\n", says="leave these rows out", arrive=1),
    Case(
        kind="picklist",
        csv="Name,Tier__c\nTier 1,gold\nTier 2,Au\n",
        says="Map them with values",
        chosen={"values": {"Tier__c": {"Au": "Gold"}}},
    ),
    Case(
        kind="too long",
        csv=f"Name,Site\nLong 1,{'x' * 81}\nLong 2,\n",
        says="longer field",
        chosen={"columns": {"Site": "Description"}},
    ),
    Case(
        kind="out of range",
        csv="Name,NumberOfEmployees\nRange 1,1\nRange 2,2147483648\n",
        says="Correct them",
        chosen={"values": {"NumberOfEmployees": {"2147483648": "2"}}},
    ),
    Case(
        kind="may fail",
        csv="LastName,DoNotCall\nCapitals 1,TRUE\nCapitals 2,FALSE\n",
        says="with formats",
        body=CONTACT,
        chosen={"formats": {"DoNotCall": "true/false"}},
    ),
    Case(
        kind="no ids",
        csv="LastName,Account ID\nOther 1,P-1\nOther 2,P-1\n",
        says="set an external id of the parent in columns",
        body=CONTACT,
        chosen={"columns": {"Account ID": "Account.External_Id__c"}},
        fills="Account.External_Id__c",
    ),
    Case(kind="points", csv="Name;AnnualRevenue\nPoints 1;1.234\nPoints 2;2.345\n", says="which is meant"),
    Case(kind="not a number", csv='Name,AnnualRevenue\nNumber 1,"1,234.5"\nNumber 2,2\n', says="give formats"),
    Case(kind="not a date", csv="LastName,Birthdate\nDate 1,1.2.1990\nDate 2,\n", says="give formats", body=CONTACT),
    Case(
        kind="not a time",
        csv="Name,Moment__c\nTime 1,31.1.2026 09:30\nTime 2,\n",
        says="Add the time zone",
        chosen={"formats": {"Moment__c": "DD.MM.YYYY hh:mm Europe/Berlin"}},
    ),
    Case(
        kind="not a time of day",
        csv="Name,Opens__c\nOpens 1,9:30\nOpens 2,\n",
        says="09:30:00.000Z",
        chosen={"values": {"Opens__c": {"9:30": "09:30:00.000Z"}}},
    ),
    Case(kind="not a boolean", csv="LastName,DoNotCall\nYes 1,ja\nYes 2,nein\n", says="give formats", body=CONTACT),
    Case(
        kind="not an email",
        csv="LastName,Email\nMail 1,none\nMail 2,\n",
        says="Correct them",
        body=CONTACT,
        chosen={"values": {"Email": {"none": ""}}},
    ),
)

OTHERS: Mapping[FindingKind, str] = {
    "bom": "nothing is to be done",
    "nul": "the file is to be corrected",
    "no header": "the file is to be corrected",
    "mask": "the cells are in the rows' first source alone",
    "quotes": "the file is to be corrected",
    "wide": "the file is to be corrected",
    "narrow": "the file is to be corrected",
    "row size": "the file is to be corrected",
    "permission": "the org's administrator has to act",
    "object": "nothing tells which object is meant",
    "describe": "the org did not answer",
    "unchecked keys": "the machine has no room",
    "not an id": "ids are to be looked up in the org",
    "unknown keys": "the file is to be corrected",
    "several records": "records of the org are to be given keys of their own",
    "shifted column": "the file is to be corrected",
    "misplaced column": "the user has to say which field is meant",
    "cleared field": "the user has to say whether it is meant",
    "changed field": "the user has to say whether it is meant",
    "no parent": "the parents are to be loaded first",
    "there already": "the user has to say which rows are meant",
}
"""Why no arguments follow the advice on these kinds."""

_JSON_BEHIND = re.compile(r"\b(values|formats|leaveOut|set|columns)\b[^{.]{0,60}(?=\{)")
_COLUMNS_BEFORE = re.compile(r"\{[^}]*\}(?= in columns)")
_NAMED_IN_COLUMNS = re.compile(r"(?:Name it|Did you mean) ([\w:.]+)\b")
_ONLY = re.compile(r"\bonly to (?=\[)")
_OF_BODY = re.compile(r"\b(lineEnding|columnDelimiter|externalIdFieldName) (\w+)")
_ENCODING = re.compile(r'\bencoding "([\w-]+)"')
MOST_STEPS = 4


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with an_org_with(SCHEMA, tmp_path_factory.mktemp("org")) as caller:
        caller.load("External_Id__c,Name\nP-1,Parent\n", operation="upsert", externalIdFieldName="External_Id__c")
        yield caller


@pytest.fixture
async def client(org: Caller, tmp_path: Path) -> AsyncIterator[Client]:
    async with agent(str(org.http.base_url), upload_roots=[tmp_path]) as connected:
        yield connected


def advised(finding: Arguments) -> tuple[Arguments, Arguments]:
    """The arguments of the rows and of the job that the advice of a finding has word for word, the first of each name."""
    do, decoder = finding["do"], json.JSONDecoder()
    rows: Arguments = {}
    if encoding := _ENCODING.search(do):
        rows["encoding"] = encoding[1]
    if only := _ONLY.search(do):
        rows["only"] = decoder.raw_decode(do, only.end())[0]
    if columns := _COLUMNS_BEFORE.search(do):
        rows["columns"] = json.loads(columns[0])
    if name := _NAMED_IN_COLUMNS.search(do):
        rows["columns"] = {finding["column"]: name[1]}
    for found in _JSON_BEHIND.finditer(do):
        rows.setdefault(found[1], decoder.raw_decode(do, found.end())[0])
    return rows, dict(reversed(_OF_BODY.findall(do)))


def merged(one: Any, other: Any) -> Any:
    """Two arguments as one, in which the second overrides the first."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return other
    return {**one, **{name: merged(one[name], value) if name in one else value for name, value in other.items()}}


def filled(value: Any, case: Case, source: Arguments) -> Any:
    """An argument with its gaps filled."""
    if isinstance(value, dict):
        inner = {name: filled(each, case, source) for name, each in value.items()}
        return {name: each for name, each in inner.items() if name != "csv"} | (source if "csv" in inner else {})
    return case.fills if isinstance(value, str) and value.startswith("<") and "field" in value else value


def source_of(case: Case, org: Caller, folder: Path) -> Arguments:
    """The rows of a case, with the ids of new accounts."""
    if isinstance(case.csv, bytes):
        path = folder / "rows.csv"
        path.write_bytes(case.csv)
        return {"file": str(path)}
    return {"csv": re.sub("{account}", lambda _: str(org.succeeded(org.load("Name\nParent\n"))[0]["sf__Id"]), case.csv)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.says}")
async def test_rows_arrive_once_the_advice_on_a_finding_is_followed(
    client: Client, org: Caller, tmp_path: Path, case: Case
) -> None:
    source = source_of(case, org, tmp_path)
    first = {"body": dict(case.body), "data": {**source, **case.given}}
    dry = await call(client, "create-ingest-job", **first, dryRun=True)
    [finding] = [each for each in dry["findings"] if case.says in each["do"]]
    assert all(name in finding["do"] for name in case.chosen), finding["do"]
    if finding["level"] == "error":
        await hold_next(client, dry, case, source)

    rows, of_body = advised(finding)
    followed = merged(
        merged(first, {"data": filled(rows, case, source), "body": of_body}), {"data": {**case.chosen, **case.beside}}
    )
    answer = await call(client, "create-ingest-job", **followed)
    assert [each for each in answer["findings"] if each["what"] == finding["what"]] == []
    job = await closed(client, answer["id"])
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", case.arrive, 0)
    assert answer["rows"] == case.arrive


async def hold_next(client: Client, dry: Arguments, case: Case, source: Arguments) -> None:
    """Follow the next calls until nothing keeps the rows from being sent."""
    for _ in range(MOST_STEPS):
        tool, arguments = next_call(dry["next"])
        if "dryRun" not in arguments:
            return
        if not isinstance(arguments["data"], dict):
            arguments["data"] = {**source, **case.given}
        arguments = merged(filled(arguments, case, source), {"data": {**case.chosen, **case.beside}})
        dry = await call(client, tool, **arguments)
    pytest.fail(f"{dry['next']} after {MOST_STEPS} calls")


def test_each_kind_of_finding_has_a_case_or_a_reason_why_no_arguments_follow_its_advice() -> None:
    cases = {case.kind for case in CASES}
    assert cases | OTHERS.keys() == set(get_args(FindingKind)) and not cases & OTHERS.keys()
