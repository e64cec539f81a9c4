"""Answers from their bodies."""

import pytest

from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import Identity
from salesforce_bulk_ingest.salesforce.parsing import parsed


def test_an_answer_of_the_form_is_read_and_more_in_it_is_left() -> None:
    body = b'{"organization_id": "00D000000000001", "name": "Ann", "urls": {}}'
    assert parsed(Identity, body, "the user") == Identity(organization_id="00D000000000001", name="Ann")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "The answer is not one of the Salesforce API"),
        (b"[]", "The answer is not one of the Salesforce API"),
        (
            b'{"organization_id": "005"}',
            'Asked for the user, Salesforce answered about "005", which is not the id of an org',
        ),
    ],
)
def test_another_answer_is_unexpected(body: bytes, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        parsed(Identity, body, "the user")
