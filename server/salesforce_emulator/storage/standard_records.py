"""The records that every org has from its start: its organization, its one user, and the records around that user."""

import sqlite3
from collections.abc import Mapping

from salesforce_emulator.config import USER_ID, USERNAME
from salesforce_emulator.ids import to_18
from salesforce_emulator.schema.model import StoredValue

PROFILE_ID = to_18("00e000000000001")
GROUP_ID = to_18("00G000000000001")
CALENDAR_ID = to_18("023000000000001")
PERMISSIONS_ID = to_18("0Pu000000000001")

TIME_ZONE_AND_LANGUAGE: dict[str, StoredValue] = {"TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US"}

_SAME_IN_ALL_ORGS: dict[str, list[Mapping[str, StoredValue]]] = {
    "Profile": [{"Id": PROFILE_ID, "Name": "System Administrator", "UserType": "Standard"}],
    "User": [
        {
            "Id": USER_ID,
            "Username": USERNAME,
            "LastName": "Administrator",
            "Email": USERNAME,
            "Alias": "admin",
            "CommunityNickname": "admin",
            "IsActive": 1,
            "ProfileId": PROFILE_ID,
            "UserType": "Standard",
            "EmailEncodingKey": "UTF-8",
            "LocaleSidKey": "en_US",
            **TIME_ZONE_AND_LANGUAGE,
        }
    ],
    "Group": [
        {"Id": GROUP_ID, "Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization"}
    ],
    # Of the caller (Object reference, UserPermissionAccess); what an org lets its user do is noted at each start.
    "UserPermissionAccess": [{"Id": PERMISSIONS_ID, "PermissionsApiEnabled": 1, "PermissionsBulkApiHardDelete": 0}],
    "Calendar": [{"Id": CALENDAR_ID, "Name": "Public Calendar", "Type": "Public", "IsActive": 1}],
}


def standard_records(organization_id: str, *, sandbox: bool) -> dict[str, list[Mapping[str, StoredValue]]]:
    """Return the records by the name of their object; the organization is the one record that differs between orgs."""
    organization: dict[str, StoredValue] = {
        "Id": organization_id,
        "Name": "Embedded org",
        "OrganizationType": "Developer Edition",
        "InstanceName": "EMU1",
        "IsSandbox": int(sandbox),
        "IsReadOnly": 0,
        "FiscalYearStartMonth": 1,
        "DefaultLocaleSidKey": "en_US",
        **TIME_ZONE_AND_LANGUAGE,
    }
    return {"Organization": [organization], **_SAME_IN_ALL_ORGS}


def note_permissions(connection: sqlite3.Connection, *, hard_delete: bool) -> None:
    """Write down the permissions of the user, which may be others at each start."""
    statement = 'UPDATE "UserPermissionAccess" SET PermissionsBulkApiHardDelete = ?'
    connection.execute(statement, (int(hard_delete),))
