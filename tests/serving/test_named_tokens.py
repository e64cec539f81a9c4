"""Named tokens: made once, kept as hashes, good until they are revoked."""

import os
from datetime import date
from pathlib import Path

import pytest
from mcp.server.auth.provider import AccessToken
from pydantic import TypeAdapter

from salesforce_bulk_ingest.serving.bearer_tokens import Scopes, Undecided
from salesforce_bulk_ingest.serving.named_tokens import BadTokenFile, NamedTokens, NoSuchToken, TokenFile

DAY = date(2026, 11, 29)


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "config" / "callers.json")


def verifier(file: TokenFile) -> NamedTokens:
    return NamedTokens(file, Scopes())


async def scopes_of(tokens: NamedTokens, token: str) -> list[str] | None:
    verified = await tokens.verify_token(token)
    return None if verified is None else verified.scopes


async def test_a_token_allows_what_it_was_made_for_and_is_kept_as_a_hash_in_a_private_file(file: TokenFile) -> None:
    ann, bob = file.add("ann", "write", DAY), file.add("bob@example.com", "read", DAY)
    tokens = verifier(file)
    assert (await scopes_of(tokens, ann), await scopes_of(tokens, bob)) == (["bulk:read", "bulk:write"], ["bulk:read"])
    assert ann.startswith("sbi_") and len(ann) == 47 and ann != bob
    content = file.path.read_text()
    assert ann not in content and ann[4:] not in content and bob[4:] not in content
    assert file.path.stat().st_mode & 0o777 == 0o600 and file.path.parent.stat().st_mode & 0o777 == 0o700


async def test_what_is_verified_has_the_name_and_not_the_token(file: TokenFile) -> None:
    ann = file.add("ann", "write", DAY)
    verified = await verifier(file).verify_token(ann)
    assert isinstance(verified, AccessToken) and verified.client_id == "ann"
    assert ann not in TypeAdapter(AccessToken).dump_json(verified).decode()


@pytest.mark.parametrize("change", [str.upper, lambda token: token[:-1], lambda token: f"{token}A", lambda token: ""])
async def test_any_other_token_is_none_of_the_files(change: type[str], file: TokenFile) -> None:
    ann = file.add("ann", "write", DAY)
    assert await scopes_of(verifier(file), change(ann)) is None


async def test_a_token_that_is_revoked_is_refused_at_the_next_call_and_one_that_is_made_is_good(
    file: TokenFile,
) -> None:
    ann = file.add("ann", "write", DAY)
    tokens = verifier(file)
    assert await scopes_of(tokens, ann) is not None
    file.revoke("ann")
    assert await scopes_of(tokens, ann) is None
    again = file.add("ann", "read", DAY)
    assert await scopes_of(tokens, ann) is None and await scopes_of(tokens, again) == ["bulk:read"]


async def test_two_tokens_of_one_name_are_two_owners_of_sessions(file: TokenFile) -> None:
    token = file.add("ann", "write", DAY)
    first = await verifier(file).verify_token(token)
    file.revoke("ann")
    token = file.add("ann", "write", DAY)
    second = await verifier(file).verify_token(token)
    assert first is not None and second is not None and first.subject != second.subject


def test_a_file_without_tokens_stays_a_file(file: TokenFile) -> None:
    file.add("ann", "write", DAY)
    file.revoke("ann")
    assert file.exists() and file.tokens() == ()


@pytest.mark.parametrize("name", ["", "-ann", "an n", "a" * 65, "ann\n", "änn", "../x", "sbi_/"])
def test_a_name_is_a_plain_word(name: str, file: TokenFile) -> None:
    with pytest.raises(BadTokenFile, match="at most 64 letters"):
        file.add(name, "read", DAY)


def test_a_name_is_taken_once_and_only_what_is_there_is_revoked(file: TokenFile) -> None:
    with pytest.raises(NoSuchToken):
        file.revoke("ann")
    file.add("ann", "write", DAY)
    with pytest.raises(BadTokenFile, match="already"):
        file.add("ann", "read", DAY)


ENTRY = '{"name": "a", "sha256": "HASH", "access": "read", "created": "2026-11-29"}'.replace("HASH", "0" * 64)
CONTENTS = [
    "",
    "{",
    "[]",
    '{"token": []}',
    f'{{"tokens": [{ENTRY.replace("read", "admin")}]}}',
    f'{{"tokens": [{ENTRY.replace("0" * 64, "0" * 63)}]}}',
    f'{{"tokens": [{ENTRY.replace("a", "a b", 1)}]}}',
    f'{{"tokens": [{ENTRY}, {ENTRY}]}}',
    " " * 1_000_001,
]


@pytest.mark.parametrize("content", CONTENTS)
async def test_a_damaged_file_is_refused_at_the_start_and_lets_nobody_in_later(content: str, file: TokenFile) -> None:
    ann = file.add("ann", "write", DAY)
    tokens = verifier(file)
    file.path.write_text(content)
    with pytest.raises(BadTokenFile, match="is damaged"):
        verifier(file)
    for token in (ann, "sbi_other"):
        with pytest.raises(Undecided):
            await tokens.verify_token(token)


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
async def test_a_file_that_is_not_private_is_refused_at_the_start_and_lets_nobody_in_later(
    mode: int, file: TokenFile
) -> None:
    ann = file.add("ann", "write", DAY)
    tokens = verifier(file)
    file.path.chmod(mode)
    with pytest.raises(BadTokenFile, match="chmod 600"):
        verifier(file)
    with pytest.raises(Undecided):
        await tokens.verify_token(ann)
    file.path.chmod(0o600)
    assert await scopes_of(tokens, ann) is not None


def test_nobody_is_advised_to_change_the_mode_of_another_file(file: TokenFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text("root:x:0:0\n")
    file.path.chmod(0o644)
    with pytest.raises(BadTokenFile, match="or is no file of tokens") as refused:
        file.tokens()
    assert "chmod" not in str(refused.value)


async def test_a_file_that_is_gone_lets_nobody_in(file: TokenFile) -> None:
    ann = file.add("ann", "write", DAY)
    tokens = verifier(file)
    file.path.unlink()
    with pytest.raises(Undecided, match="no file of tokens"):
        await tokens.verify_token(ann)


def test_a_folder_in_place_of_the_file_is_told_in_words(file: TokenFile) -> None:
    file.path.mkdir(parents=True)
    for use in (file.tokens, lambda: file.add("ann", "read", DAY)):
        with pytest.raises(BadTokenFile, match="a folder is in the place of a file"):
            use()
