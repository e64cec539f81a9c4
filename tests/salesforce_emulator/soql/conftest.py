from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.salesforce_emulator.caller import Caller, an_org

ACCOUNTS = """\
Name,Site,AnnualRevenue,Phone,Industry
Alpha,soql,1000,1,Banking
beta,soql,5,,Banking
Gam%ma,soql,,3,
It's,soql,-7,4,Energy
"a
b",soql,0.5,5,Energy
"""


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with five accounts, three contacts and two tasks; its clock stands on 20 March 2025."""
    with an_org(tmp_path_factory.mktemp("soql"), clock=lambda: datetime(2025, 3, 20, 12, tzinfo=UTC)) as org:
        accounts = {row["Name"]: row["sf__Id"] for row in org.succeeded(org.load(ACCOUNTS))}
        org.load(
            "LastName,FirstName,AccountId,Birthdate,DoNotCall\n"
            f"Ngata,Whetu,{accounts['Alpha']},2025-03-19,true\nLi,,{accounts['beta']},2025-01-01,false\nSolo,,,,false\n",
            "Contact",
        )
        contact = org.query("SELECT Id FROM Contact WHERE LastName = 'Ngata'")["records"][0]["Id"]
        org.load(f"Subject,WhoId,WhatId\nCall,{contact},{accounts['beta']}\nMail,,\n", "Task")
        yield org
