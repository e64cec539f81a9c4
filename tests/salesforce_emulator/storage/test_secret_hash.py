"""The hash under which tokens and codes are stored."""

from salesforce_emulator.storage.secret_hash import secret_hash
from tests.salesforce_emulator.behaviours import own


@own
def test_every_text_that_a_caller_can_send_has_a_hash_of_its_own() -> None:
    texts = ["", "token", "Token", "\xe9", "\udce9"]
    assert len({secret_hash(text) for text in texts}) == len(texts)
