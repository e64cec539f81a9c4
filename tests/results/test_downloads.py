"""A downloaded result is there whole or not at all, with its index and its error groups."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.results.downloads import DownloadedResult, ResultNotReady, find_download, new_download
from tests.cache.making import FAILED, JOB, ORG, files_in, job_files

CONTENT = b'"sf__Id","sf__Error","Name"\n"1","A:x:--","a\nb"\n"2","A:x:--","c"\n'


def downloaded(files: JobFiles, key: ResultKey = FAILED, content: bytes = CONTENT) -> DownloadedResult:
    with new_download(files, key, ",") as writer:
        for byte in content:
            writer.add(bytes([byte]))
        return writer.finish()


def test_a_result_is_found_once_it_is_whole_and_not_before(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with new_download(files, FAILED, ",") as writer:
        writer.add(CONTENT)
        assert find_download(files, FAILED) is None
        made = writer.finish()
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


def test_an_answer_without_a_header_is_not_cached(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with pytest.raises(ResultNotReady):
        downloaded(files, content=b"\n")
    assert find_download(files, FAILED) is None


@pytest.mark.parametrize("label", [b"", b"{}", b"[]\n", b"\xff", b'{"size": 1}\n', b"[]\n[]\n", b"[{}]\n{}\n"])
def test_a_result_with_the_label_of_another_version_is_not_there(label: bytes, tmp_path: Path) -> None:
    files = job_files(tmp_path)
    with files.files.new_file(FAILED.name) as file:
        file.finish(label)
    assert find_download(files, FAILED) is None


def test_a_label_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    stored = (
        b'{"sha256": "abc", "causes": [{"code": "A", "fields": [], "pattern": "x", "count": 1, '
        b'"examples": [{"offset": 0, "message": "x", "values": {}}]}]}\n'
        b'{"size":18,"rows":1,"header":10}\nsf__Error\n' + (10).to_bytes(8, "little")
    )
    with files.files.new_file(FAILED.name) as file:
        file.file.write(b"sf__Error\nA:x:--\n\n")
        file.finish(stored)
    found = find_download(files, FAILED)
    assert found is not None
    assert (found.sha256, [group.code for group in found.error_groups]) == ("abc", ["A"])
    assert list(found.records(0)) == [b"A:x:--\n"]
