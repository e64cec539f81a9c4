"""The example of docs/policy.md, held to the settings."""

import re
from pathlib import Path

import pytest

from salesforce_bulk_ingest.app.chosen_rules import policy_of
from salesforce_bulk_ingest.base.errors import RefusedByPolicy
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.settings import POLICY_SETTINGS
from salesforce_bulk_ingest.settings_sources import load_settings

DOC = (Path(__file__).parent.parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_example_is_a_settings_file_with_the_policies_that_it_says(tmp_path: Path) -> None:
    found = re.search(r"^```toml\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)
    assert found
    (file := tmp_path / "settings.toml").write_text(found[1], encoding="utf-8")
    file.chmod(0o600)
    prod, uat = (policy_of(load_settings({"org_name": name}, {}, file)) for name in ("prod", "uat"))
    assert prod.denied_objects == uat.denied_objects != ()
    assert (prod.most_rows, prod.most_bytes, uat.most_rows, uat.most_bytes) == (10_000, 5_000_000, 0, 0)
    assert (prod.refused_operations, uat.refused_operations) == (("delete", "hardDelete", "upsert"), ("hardDelete",))
    assert (prod.allows_preflight_off, uat.allows_preflight_off) == (False, True)


def test_every_setting_of_the_policy_has_its_rule() -> None:
    table = "".join(line for line in DOC.splitlines() if line.startswith("| `"))
    assert [name for name in POLICY_SETTINGS if f"`{name}`" not in table] == []


def test_the_refusal_of_the_page_is_one_that_is_given() -> None:
    policy = Policy(allowed_objects=("Account", "Contact", "Invoice__c"))
    with pytest.raises(RefusedByPolicy) as refused:
        policy.check_object("Lead")
    assert f"```\n{refused.value}\n```" in DOC
