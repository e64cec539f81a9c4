from collections.abc import Iterator

import pytest

from tests.salesforce_emulator.caller import Caller, an_org_with

FAMILY = """
objects:
  Mother__c:
    fields:
      External_ID__c: {type: string, externalId: true, unique: true}
      Number__c: {type: double, externalId: true}
  Child__c:
    fields:
      Mother_Of_Child__c: {type: reference, referenceTo: Mother__c, relationshipName: Mother_Of_Child__r}
      Guardian__c: {type: reference, referenceTo: [Contact, Mother__c]}
"""


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with custom objects that refer to each other."""
    with an_org_with(FAMILY, tmp_path_factory.mktemp("family")) as caller:
        yield caller
