"""Setup's addresses."""

import httpx2
import pytest

from tests.salesforce_emulator.behaviours import own, seen
from tests.salesforce_emulator.caller import Caller

PAGE = "/lightning/setup/AsyncApiJobStatus/page"


@seen("the official CLI, which prints it, with two slashes, for each job")
def test_the_page_of_a_job_in_setup_leads_to_the_one_in_the_window(org: Caller) -> None:
    job_id = org.create()
    base = str(org.http.base_url).rstrip("/")
    answer = httpx2.get(f"{base}/{PAGE}", params={"address": f"/{job_id}"}, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, f"/jobs/{job_id}")
    assert job_id in answer.text


@pytest.mark.parametrize("address", ["", "/", "//evil.example", "/001000000000001AAA", "750000000000001AAA"])
@own
def test_setup_leads_nowhere_else(org: Caller, address: str) -> None:
    assert httpx2.get(f"{org.http.base_url}{PAGE}", params={"address": address}).status_code == 404
