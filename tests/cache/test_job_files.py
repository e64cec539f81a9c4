"""The files of a job go by its keys, and are forgotten with it."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.cache.file_cache import is_plain_name
from salesforce_bulk_ingest.cache.job_files import JobKey, ResultKey, retry_name
from salesforce_bulk_ingest.salesforce.models import RESULT_KINDS, Job
from tests.cache.making import FAILED, JOB, JOB_KEY, ORG, archived, content_of, files_in, job_files

SOURCE = b"Name\nAcme\n"


@pytest.mark.parametrize(
    "other",
    [
        ResultKey.of("other.my.salesforce.com", JOB, "failedResults"),
        ResultKey.of(ORG, JOB, "successfulResults"),
        ResultKey.of(ORG, JOB.model_copy(update={"system_modstamp": "later"}), "failedResults"),
        ResultKey.of(ORG, JOB.model_copy(update={"created_date": "later"}), "failedResults"),
        ResultKey.of(ORG, JOB.model_copy(update={"created_by_id": "005"}), "failedResults"),
    ],
)
def test_another_org_or_result_or_time_has_another_name(other: ResultKey) -> None:
    assert other.name != FAILED.name


def test_ids_of_15_and_18_characters_name_the_same_files() -> None:
    short = JOB.model_copy(update={"id": JOB.id[:15]})
    assert ResultKey.of(ORG, short, "failedResults") == FAILED
    assert FAILED.name.startswith(JOB_KEY.folder)


def test_names_are_those_that_earlier_versions_gave() -> None:
    assert JOB_KEY.upload_name == "7b9279819cf51e43/750000000000001-4a15c7815fb53de7/upload.csv.gz"
    assert FAILED.name == "7b9279819cf51e43/750000000000001-4a15c7815fb53de7/d98b92ac697abbea/failedResults.csv"


MADE = JOB.model_copy(update={"object": "Erp__Invoice__c", "created_date": "2026-11-30T23:59:59.000+0000"})


def test_rows_in_source_order_are_found_by_the_object_the_day_and_the_id_of_their_job() -> None:
    org = JOB_KEY.folder.partition("/")[0]
    names = [ResultKey.of(ORG, MADE, kind).source_order_name.removeprefix(f"{org}/") for kind in RESULT_KINDS]
    folder = "Erp__Invoice__c-2026-11-30-750000000000001AAA"
    assert sorted(names) == [
        f"{folder}/750000000000001AAA-failed-rows.csv",
        f"{folder}/750000000000001AAA-successful-rows.csv",
        f"{folder}/750000000000001AAA-unprocessed-rows.csv",
    ]


@given(sobject=st.none() | st.text(), created=st.none() | st.text())
@example(sobject="../../Account", created="2026-11-30/../..")
@example(sobject="again", created="\u0662026-11-30")
def test_no_text_of_the_org_leads_out_of_the_folder_of_the_rows(sobject: str | None, created: str | None) -> None:
    job = JOB.model_copy(update={"object": sobject, "created_date": created})
    name = ResultKey.of(ORG, job, "failedResults").source_order_name
    assert is_plain_name(name) and name.count("/") == 2


@pytest.mark.parametrize("job", [JOB, MADE, MADE.model_copy(update={"object": "again"})])
def test_rows_in_source_order_are_kept_and_forgotten_with_their_job(job: Job, tmp_path: Path) -> None:
    files = job_files(tmp_path)
    of_another = ResultKey.of(ORG, job.model_copy(update={"id": "750000000000002AAA"}), "failedResults")
    names = [ResultKey.of(ORG, job, kind).source_order_name for kind in RESULT_KINDS]
    for name in (*names, of_another.source_order_name):
        with files.files.new_file(name) as file:
            file.finish(b"")
    assert [(kept.job_id, len(kept.sizes)) for kept in files.kept(JOB.id)] == [("750000000000001", 6)]
    files.forget(ORG, JOB.id)
    assert files.kept(JOB.id) == [] and files.files.find(of_another.source_order_name)


def test_an_archived_upload_is_found_until_it_is_removed(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE))
    files = job_files(tmp_path)
    assert files.find_upload(JOB_KEY) == upload
    files.remove_upload(JOB_KEY)
    assert files.find_upload(JOB_KEY) is None


def test_an_upload_with_the_label_of_another_version_is_not_there(tmp_path: Path) -> None:
    archived(tmp_path, content_of(SOURCE))
    files = job_files(tmp_path)
    for label in (b"", b"{}", b"[]", b"\xff"):
        with files.files.new_file(JOB_KEY.upload_name) as file:
            file.finish(label)
        assert files.find_upload(JOB_KEY) is None


def test_no_upload_is_archived_where_the_operator_wants_none(tmp_path: Path) -> None:
    content = content_of(SOURCE)
    assert job_files(tmp_path, keeps_uploads=False).archived(JOB_KEY, content) is content
    assert files_in(tmp_path) == []


def test_a_job_is_forgotten_with_the_retry_files_that_have_its_rows(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    other = JobKey.of(ORG, JOB.model_copy(update={"id": "750000000000002AAA"}))
    of_both, of_other = retry_name(ORG, "both"), retry_name(ORG, "other")
    labels = {
        FAILED.name: b"",
        JOB_KEY.upload_name: b"",
        of_both: b"750000000000001AAA 750000000000002AAA",
        other.upload_name: b"",
        of_other: b"750000000000002AAA",
    }
    for name, label in labels.items():
        with files.files.new_file(name) as file:
            file.finish(label)
    files.forget(ORG, JOB.id)
    assert [name for name in labels if files.files.find(name)] == [other.upload_name, of_other]


def test_retry_files_of_other_requests_have_other_names() -> None:
    names = {retry_name(*request) for request in ((ORG, 1), (ORG, 2), (ORG, 1, 2), ("other", 1))}
    assert len(names) == 4
    assert retry_name(ORG, 1) == retry_name(ORG, 1)


def test_what_is_kept_is_found_by_job_and_by_org(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    other = JobKey.of("other.my.salesforce.com", JOB.model_copy(update={"id": "750000000000002AAA"}))
    labels = {
        FAILED.name: b"",
        JOB_KEY.upload_name: b"",
        retry_name(ORG, "both"): b"750000000000001AAA 750000000000002AAA",
        other.upload_name: b"",
        retry_name(other.org, "other"): b"750000000000002AAA",
    }
    for name, label in labels.items():
        with files.files.new_file(name) as file:
            file.file.write(b"rows")
            file.finish(label)

    def found(job_id: str | None = None, orgs: frozenset[str] | None = None) -> list[tuple[str | None, int]]:
        return sorted(((kept.job_id, len(kept.sizes)) for kept in files.kept(job_id, orgs)), key=str)

    one, two, retry = ("750000000000001", 4), ("750000000000002", 2), (None, 2)
    assert found() == [one, two, retry, retry]
    assert found(JOB.id) == found("750000000000001") == [one, retry]
    assert found("750000000000002AAA") == [two, retry, retry]
    assert found(orgs=frozenset({ORG})) == [one, retry]
    assert found("750000000000002AAA", frozenset({ORG})) == [retry]
    assert found("750000000000003AAA") == []
    with pytest.raises(InvalidJobId):
        files.kept("../750000000000001")


def test_a_retry_file_that_is_not_whole_counts_as_one_of_each_job(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    left_over = tmp_path / "spool" / f"{retry_name(ORG, 1)}.abc.part"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"rows")
    assert [(kept.job_id, kept.sizes) for kept in files.kept("750000000000003AAA")] == [(None, (4,))]
