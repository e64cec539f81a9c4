"""Files for the eyes of one user alone."""

import os

import pytest

from salesforce_bulk_ingest.base.private_files import is_private


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize(
    ("mode", "private"),
    [(0o100600, True), (0o100400, True), (0o100640, False), (0o100604, False), (0o100620, False), (0o100644, False)],
)
def test_a_file_is_private_if_no_other_user_may_do_anything_with_it(mode: int, private: bool) -> None:
    assert is_private(mode) is private
