"""The records that every org has from its start: itself, its one user, and what that user refers to."""

from collections.abc import Mapping

from salesforce_emulator.config import ORGANIZATION_ID, USER_ID, USERNAME
from salesforce_emulator.ids import to_18
from salesforce_emulator.schema.model import Stored

PROFILE_ID = to_18("00e000000000001")
GROUP_ID = to_18("00G000000000001")
CALENDAR_ID = to_18("023000000000001")

PLACE: dict[str, Stored] = {"TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US"}

STANDING: dict[str, list[Mapping[str, Stored]]] = {
    "Organization": [
        {
            "Id": ORGANIZATION_ID,
            "Name": "Embedded org",
            "OrganizationType": "Developer Edition",
            "InstanceName": "EMU1",
            "IsSandbox": 0,
            "IsReadOnly": 0,
            "FiscalYearStartMonth": 1,
            "DefaultLocaleSidKey": "en_US",
            **PLACE,
        }
    ],
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
            **PLACE,
        }
    ],
    "Group": [
        {"Id": GROUP_ID, "Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization"}
    ],
    "Calendar": [{"Id": CALENDAR_ID, "Name": "Public Calendar", "Type": "Public", "IsActive": 1}],
}
