"""Encodings: their names, and which one is proposed for real words of many languages."""

import re

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.csvio.encodings import CANDIDATES, codec_name, is_utf_8, likely_readings, utf_16_or_32
from salesforce_bulk_ingest.csvio.encodings import WORDS as WORDS_OF_MENUS

WORDS = {
    "windows-1252": [
        "Müller Straße Größe Österreich Jürgen", "Société Générale Hélène Français Être", "Peña Señor Muñoz Ávila ¿Qué?",
        "São João Conceição Brasília", "Åkesson Björk Malmö Sjöström", "Nuñez – “quoted” 5 € O’Neill", "Müller", "José",
        "Zoë’s", "Ångström", "François", "Città",
    ],
    "windows-1250": ["Łódź Kraków Wałęsa Święty Żółć Wrocław"],
    "windows-1251": ["Москва Иванов Петров Санкт-Петербург"],
    "windows-1253": ["Αθήνα Παπαδόπουλος Γεώργιος"],
    "cp932": ["株式会社 田中 東京都", "田中商店"],
    "gb18030": ["北京 有限公司 王伟"],
    "big5": ["台北 股份有限公司"],
    "cp949": ["서울 김철수 주식회사"],
    "mac-roman": ["Müller Straße Größe Österreich", "Société Générale Hélène"],
    "cp850": ["Müller Straße Größe Österreich"],
    "koi8-r": ["Москва Иванов Петров"],
}  # fmt: skip


def readings_of(words: str, encoding: str) -> list[str]:
    lines = "".join(f"{word};Acme {number};+49 30 {number}\n" for number, word in enumerate(words.split()))
    return [reading.encoding for reading in likely_readings(lines.encode(encoding))]


@pytest.mark.parametrize("encoding", WORDS)
def test_the_encoding_of_real_words_is_the_one_to_propose(encoding: str) -> None:
    assert {words: readings_of(words, encoding)[0] for words in WORDS[encoding]} == dict.fromkeys(
        WORDS[encoding], encoding
    )


@pytest.mark.parametrize(
    ("words", "encoding", "also"),
    [
        ("Dvořák Novák Černý Škoda Plzeň", "windows-1250", "windows-1252"),
        ("Győr Szőke Árpád Őr Fűtő", "windows-1250", "windows-1252"),
        ("İstanbul Şahin Yıldız Öztürk Çağ Ağaoğlu", "windows-1254", "windows-1252"),
        ("ירושלים כהן תל אביב", "windows-1255", "windows-1251"),
    ],
)
def test_where_two_encodings_are_likely_both_are_told(words: str, encoding: str, also: str) -> None:
    assert {encoding, also} <= set(readings_of(words, encoding))


def test_a_reading_shows_words_to_judge_it_by() -> None:
    readings = likely_readings("Dvořák;Praha\nČerný;Plzeň\n".encode("windows-1250"))
    assert list(map(str, readings)) == snapshot(
        [
            '"windows-1252", which reads "Dvoøák", "Èerný", "Plzeò"',
            '"windows-1250", which reads "Dvořák", "Černý", "Plzeň"',
            '"windows-1254", which reads "Dvoøák", "Èernı", "Plzeò"',
        ]
    )


@pytest.mark.parametrize(
    "name", [*CANDIDATES, "UTF-16", "latin1", "ISO-8859-15", "Shift_JIS", "cp037", "utf8", "UTF-8-SIG"]
)
def test_names_of_text_encodings_are_known_in_any_spelling(name: str) -> None:
    assert codec_name(name)
    assert is_utf_8(name) == name.lower().startswith("utf8" if "8-" not in name else "utf-8")


@pytest.mark.parametrize(
    "name", ["windows1252x", "ANSI", "base64", "rot13", "utf-7", "idna", "", "x" * 300, "unicode_escape", "utf-8\0"]
)
def test_a_name_that_is_no_encoding_of_text_is_refused_with_ones_that_are_taken(name: str) -> None:
    with pytest.raises(InvalidArgument, match="is not known") as refused:
        codec_name(name)
    told = re.findall('"([^"]+)"', str(refused.value).split(" is not known. ")[1])
    assert told and all(map(codec_name, told))


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(InvalidArgument) as refused:
        codec_name("windows1252")
    assert str(refused.value) == snapshot('encoding "windows1252" is not known. Did you mean "windows-1252"?')


@pytest.mark.parametrize(
    ("start", "encoding"),
    [
        ("Name,Größe\n".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "Name\n".encode("utf-16-be"), "utf-16"),
        ("Name,Größe\nÄnn,1\n".encode("utf-16-le"), "utf-16-le"),
        ("名前,電話\n田中,03\n".encode("utf-16-be"), "utf-16-be"),
        ("Name\n".encode("utf-32"), "utf-32"),
        (b"Name,Phone\nA\0nn,1\n", None),
        (b"\0\1\2\0\xff\0\0\7", None),
        (b"Name\nAnn\n", None),
        (b"", None),
    ],
)
def test_utf_16_shows_by_its_mark_or_its_nul_bytes(start: bytes, encoding: str | None) -> None:
    assert utf_16_or_32(start) == encoding


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ANSI", ["windows-1252"]),
        ("Windows (ANSI)", ["windows-1252"]),
        ("Western European (Windows)", ["windows-1252"]),
        ("Unicode", ["utf-16"]),
        ("Unicode Text", ["utf-16"]),
        ("UTF8-BOM", ["utf-8"]),
        ("cp-1252", ["cp1252"]),
        ("CP 1252", ["cp1252"]),
        ("Win-1250", ["windows-1250"]),
        ("Mac", ["mac-roman"]),
        ("Central European", ["windows-1250"]),
        ("DOS", ["cp850", "cp437"]),
        ("OEM", ["cp850", "cp437"]),
        ("latin", ["windows-1252", "iso-8859-1"]),
        ("Cyrillic", ["windows-1251", "iso-8859-5"]),
    ],
)
def test_a_word_of_a_menu_is_answered_with_the_encodings_that_it_means(word: str, meant: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        codec_name(word)
    assert re.findall('"([^"]+)"', str(refused.value))[1:] == meant
    assert refused.value.corrected == (meant[0] if len(meant) == 1 else None)


def test_each_encoding_that_a_word_means_is_one() -> None:
    assert all(codec_name(name) for names in WORDS_OF_MENUS.values() for name in names)
