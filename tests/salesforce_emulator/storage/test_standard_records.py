"""The records that every org has."""

from uuid import uuid4

from tests.salesforce_emulator.behaviours import doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller

OBJECTS = f"{DATA}/sobjects"
REFERENCE = "Object reference, Standard Objects"


@own
def test_what_every_org_has_can_be_read_and_not_loaded(org: Caller) -> None:
    objects = org.http.get(OBJECTS).json()["sobjects"]
    fixed = {sobject["name"] for sobject in objects if not sobject["createable"]}
    assert fixed == {"Calendar", "Group", "Organization", "Profile", "RecordType"}
    answer = org.http.post(f"{DATA}/jobs/ingest", json={"object": "Profile", "operation": "insert"})
    assert answer.json()[0]["errorCode"] == "INVALIDENTITY"


@seen("traces of the official command line at login")
def test_the_organization_and_its_user_can_be_asked_for(org: Caller) -> None:
    soql = (
        "SELECT Id, Name, InstanceName, IsSandbox, TrialExpirationDate, OrganizationType, NamespacePrefix"
        " FROM Organization"
    )
    [record] = org.query(soql)["records"]
    del record["attributes"]
    assert record == {
        "Id": org.organization_id,
        "Name": "Embedded org",
        "InstanceName": "EMU1",
        "IsSandbox": False,
        "TrialExpirationDate": None,
        "OrganizationType": "Developer Edition",
        "NamespacePrefix": None,
    }
    user = org.record("005000000000001AAA", "User")
    assert (user["Username"], user["IsActive"], user["ProfileId"]) == (
        "admin@emulator.example",
        True,
        org.query("SELECT Id FROM Profile WHERE Name = 'System Administrator'")["records"][0]["Id"],
    )


@doc(REFERENCE)
def test_users_can_be_loaded(org: Caller) -> None:
    profile = org.query("SELECT Id FROM Profile")["records"][0]["Id"]
    name = f"{uuid4().hex}@example.com"
    header = "Username,LastName,Email,Alias,TimeZoneSidKey,LocaleSidKey,EmailEncodingKey,LanguageLocaleKey,ProfileId\n"
    row = f"{name},Ngata,w@example.com,wngata,Pacific/Auckland,en_NZ,UTF-8,en_US,{profile}\n"
    job = org.load(header + row + row, "User")
    assert (len(org.succeeded(job)), len(org.errors(job))) == (1, 1)
    assert org.query(f"SELECT Name, Profile.Name FROM User WHERE Username = '{name}'")["records"][0]["Name"] == "Ngata"
    assert org.load(f"Name,OwnerId\nOwned,{org.succeeded(job)[0]['sf__Id']}\n")["numberRecordsFailed"] == 0
