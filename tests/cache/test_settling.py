"""What is kept of an org by its host moves to the key of the org."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.job_files import JobKey
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.cache.settling import settle
from salesforce_bulk_ingest.salesforce.org import Org
from tests.cache.making import JOB, job_files

HOST = "acme.my.salesforce.com"
ACME = Org(HOST, "production", "00D000000000001EAA")
BY_HOST, BY_ORGANIZATION = JobKey.of(HOST, JOB).upload_name, JobKey.of(ACME.key, JOB).upload_name


def keep(folder: Path, name: str, label: bytes) -> None:
    with job_files(folder).files.new_file(name) as file:
        file.finish(label)


async def test_records_and_files_by_the_host_are_found_by_the_organization(tmp_path: Path) -> None:
    sent = UploadRecord("sent", "0" * 64, 17)
    ledger, files = Ledger(tmp_path / "uploads.sqlite3"), job_files(tmp_path)
    await ledger.record(HOST, JOB.id, sent)
    keep(tmp_path, BY_HOST, b"an upload")
    assert await settle(ACME, ledger, files) == ACME
    assert await ledger.find(ACME.key, JOB.id) == sent
    found = files.files.find(BY_ORGANIZATION)
    assert found is not None
    assert found.label == b"an upload"


async def test_files_of_the_organization_stay_where_the_host_has_files_too(tmp_path: Path) -> None:
    keep(tmp_path, BY_HOST, b"by host")
    keep(tmp_path, BY_ORGANIZATION, b"by organization")
    files = job_files(tmp_path)
    await settle(ACME, Ledger(tmp_path / "uploads.sqlite3"), files)
    assert [files.files.find(name) for name in (BY_HOST, BY_ORGANIZATION)] == [
        job_files(tmp_path).files.find(name) for name in (BY_HOST, BY_ORGANIZATION)
    ]
    found = files.files.find(BY_ORGANIZATION)
    assert found is not None
    assert found.label == b"by organization"


async def test_an_org_can_be_told_without_a_cache_and_without_records(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    for files in (None, job_files(tmp_path)):
        assert await settle(ACME, ledger, files) == ACME
        assert await settle(Org(HOST, "production"), ledger, files) == Org(HOST, "production")


async def test_a_cache_that_can_not_be_used_does_not_keep_the_org_from_being_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("a file")
    assert await settle(ACME, Ledger(tmp_path / "uploads.sqlite3"), job_files(tmp_path)) == ACME
    assert "what is kept of acme.my.salesforce.com (production) by its host name can't be moved" in caplog.text
