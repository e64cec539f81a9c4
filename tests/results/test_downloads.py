"""A downloaded result is there whole or not at all, with its index and its error groups."""

import os
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.results.completeness import Completeness
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, kept_download, new_download
from tests.cache.making import FAILED, JOB, ORG, files_in, job_files

CONTENT = b'"sf__Id","sf__Error","Name"\n"1","A:x:--","a\nb"\n"2","A:x:--","c"\n'


def downloaded(
    files: JobFiles, key: ResultKey = FAILED, content: bytes = CONTENT, counted: int | None = None
) -> DownloadedResult:
    with new_download(files, key, ",") as writer:
        for byte in content:
            writer.add(bytes([byte]))
        return writer.finish(counted)


def test_a_result_is_found_once_it_is_whole_and_not_before(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with new_download(files, FAILED, ",") as writer:
        writer.add(CONTENT)
        assert find_download(files, FAILED) is None
        made = writer.finish(None)
    found = find_download(files, FAILED)
    assert found == made
    assert found is not None
    assert found.path.read_bytes() == CONTENT
    assert list(found.records(1)) == [b'"2","A:x:--","c"\n']


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with pytest.raises(RuntimeError), new_download(files, FAILED, ",") as writer:
        writer.add(CONTENT)
        raise RuntimeError
    assert find_download(files, FAILED) is None
    assert files_in(tmp_path) == []


def test_failed_rows_have_error_groups_and_other_results_have_none(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    failed = downloaded(files)
    assert [(group.code, group.count) for group in failed.error_groups] == [("A", 2)]
    assert downloaded(files, ResultKey.of(ORG, JOB, "successfulResults")).error_groups == ()


def test_an_answer_without_a_header_is_kept_only_where_it_comes_twice_and_no_row_is_counted(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    for counted, is_kept in ((1, False), (1, False), (None, True)):
        result = downloaded(files, content=b"\n", counted=counted)
        assert result.completeness.is_whole == is_kept
        assert (find_download(files, FAILED) is not None) == is_kept


def test_a_short_result_is_kept_when_the_same_bytes_come_a_second_time(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    other = CONTENT.replace(b'"c"', b'"d"')
    for content, is_kept in ((CONTENT, False), (other, False), (CONTENT, False), (CONTENT, True)):
        assert downloaded(files, content=content, counted=3).completeness.is_whole == is_kept
        assert (find_download(files, FAILED) is not None) == is_kept
    found = find_download(files, FAILED)
    assert found is not None
    assert found.completeness == Completeness(2, 3, is_confirmed=True)


def test_a_look_at_what_is_kept_does_not_count_as_reading_it(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    path = downloaded(files).path
    os.utime(path, (1, 1))
    kept = kept_download(files, FAILED)
    assert kept is not None and path.stat().st_mtime == 1
    assert kept.columns(",")[:2] == ("sf__Id", "sf__Error")
    assert find_download(files, FAILED) == kept and path.stat().st_mtime > 1


@pytest.mark.parametrize("label", [b"", b"{}", b"[]\n", b"\xff", b'{"size": 1}\n', b"[]\n[]\n", b"[{}]\n{}\n"])
def test_a_result_with_the_label_of_another_version_is_not_there(label: bytes, tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with files.files.new_file(FAILED.name) as file:
        file.finish(label)
    assert find_download(files, FAILED) is None


def test_a_result_that_an_earlier_version_kept_is_fetched_again_since_it_may_be_short(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    stored = b'{"sha256": "abc", "causes": []}\n{"size":18,"rows":1,"header":10}\nsf__Error\n' + (10).to_bytes(
        8, "little"
    )
    with files.files.new_file(FAILED.name) as file:
        file.file.write(b"sf__Error\nA:x:--\n\n")
        file.finish(stored)
    assert find_download(files, FAILED) is None


def test_the_groups_of_a_download_have_no_hidden_cell_and_those_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    files, content = job_files(tmp_path), b'"sf__Id","sf__Error","Name"\n"1","A:Ada:--","Ada"\n"2","A:Bob:--","Bob"\n'
    with new_download(files, FAILED, ",", HiddenFields(("Name",))) as writer:
        writer.add(content)
        made = writer.finish(None)
    found = find_download(files, FAILED)
    assert found == made and made.hidden_names == ("Name",)
    [group] = made.error_groups
    assert (group.pattern, group.count) == ("{value}", 2) and "Ada" not in repr(group)
    [label] = tmp_path.rglob("*.label")
    assert b"Ada" not in label.read_bytes() and made.path.read_bytes() == content
    label.write_bytes(label.read_bytes().partition(b"\n")[2].replace(b', "hidden": ["Name"]', b"", 1))
    label.write_bytes(b"%d\n" % len(content) + label.read_bytes())
    found = find_download(files, FAILED)
    assert found is not None and found.hidden_names == ()
