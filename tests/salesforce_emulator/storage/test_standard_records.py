"""The records that every org has."""

from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.salesforce_emulator.behaviours import doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller
from tests.support.asgi_server import running

OBJECTS = f"{DATA}/sobjects"
REFERENCE = "Object reference, Standard Objects"


@own
def test_what_every_org_has_can_be_read_and_not_loaded(org: Caller) -> None:
    objects = org.http.get(OBJECTS).json()["sobjects"]
    fixed = {sobject["name"] for sobject in objects if not sobject["createable"]}
    assert fixed == {"Calendar", "Group", "Organization", "Profile", "RecordType", "UserPermissionAccess"}
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


@doc("Object reference, UserPermissionAccess: one record, about the caller, for callers who may not view the setup too")
@pytest.mark.parametrize("hard_delete", [True, False])
def test_a_caller_can_ask_for_its_own_permissions(hard_delete: bool, tmp_path: Path) -> None:
    for allowed in (not hard_delete, hard_delete):  # the second start is with another choice
        with running(create_app(EmulatorConfig(data_dir=tmp_path, hard_delete=allowed))) as url:
            answer = httpx2.get(
                f"{url}{DATA}/query",
                params={"q": "SELECT PermissionsApiEnabled, PermissionsBulkApiHardDelete FROM UserPermissionAccess"},
                headers={"Authorization": f"Bearer {ACCESS_TOKEN}"},
            )
    [record] = answer.json()["records"]
    del record["attributes"]
    assert record == {"PermissionsApiEnabled": True, "PermissionsBulkApiHardDelete": hard_delete}


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
