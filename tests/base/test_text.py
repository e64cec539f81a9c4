"""Small changes to texts for a sentence."""

import pytest

from salesforce_bulk_ingest.base.text import as_sentence


@pytest.mark.parametrize(
    ("message", "expected"), [("no", "no."), ("no.", "no."), ("no!", "no!"), ("no?", "no?"), ("", ".")]
)
def test_a_sentence_has_one_mark_at_its_end(message: str, expected: str) -> None:
    assert as_sentence(message) == expected
