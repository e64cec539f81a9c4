"""An org that blanks columns of failed rows, as some orgs do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salesforce_emulator import Assumptions
from tests.salesforce_emulator.caller import Caller, an_org_with

SCHEMA = """
objects:
  Account:
    fields:
      Code__c: {type: string, length: 40, unique: true}
      Key__c: {type: string, length: 40, externalId: true, unique: true}
      Tier__c: {type: picklist, picklist: [Gold, Silver, Bronze], restricted: true}
"""


@contextmanager
def blanking_org(folder: Path) -> Iterator[Caller]:
    """An org in a folder that gives failed rows back with blanks where the header is not in the field's own case."""
    with an_org_with(SCHEMA, folder, assumptions=Assumptions(differing_header_case="blanked")) as caller:
        yield caller


def url_of(org: Caller) -> str:
    """The base URL of the org."""
    return str(org.http.base_url)
