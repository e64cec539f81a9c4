from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.loading.sdl import loader_mapping

SAVED = r"""#Mapping values
#Mon May 17 10:23:18 IST 2026
Company\ Name=Name
SYSTEMMODSTAMP=
 BILLINGCITY = BillingCity
Kundennr.:Erp_Id__c
Stra\u00dfe=BillingStreet
Parent\ Key=Parent\:Erp_Id__c
Phone=Phone, Fax
Long\
  Name = Long_\
  Name__c
"United\ Kingdom"=BillingCountry, ShippingCountry
! a comment
"=Odd__c
Plain
"""


def test_a_saved_mapping_is_read_as_data_loader_reads_it() -> None:
    mapping = loader_mapping(SAVED)
    assert mapping.columns == snapshot(
        {
            "Company Name": "Name",
            "SYSTEMMODSTAMP": None,
            "BILLINGCITY": "BillingCity",
            "Kundennr.": "Erp_Id__c",
            "Straße": "BillingStreet",
            "Parent Key": "Parent.Erp_Id__c",
            "Phone": ["Phone", "Fax"],
            "LongName": "Long_Name__c",
            '"': "Odd__c",
            "Plain": None,
        }
    )
    assert mapping.constants == snapshot({"BillingCountry": "United Kingdom", "ShippingCountry": "United Kingdom"})


def saved(name: str) -> str:
    """A text as Java saves it (`Properties.store`)."""
    escaped = "".join(f"\\{letter}" if letter in "\\=:#! \t" else letter for letter in name)
    return "".join(
        letter
        if " " <= letter <= "~" or letter == "\t"
        else "".join(f"\\u{int.from_bytes(unit):04X}" for unit in units(letter))
        for letter in escaped
    )


def units(letter: str) -> list[bytes]:
    encoded = letter.encode("utf-16-be")
    return [encoded[at : at + 2] for at in range(0, len(encoded), 2)]


names = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: not name.startswith('"'))
fields = st.from_regex("[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)


@given(
    st.dictionaries(names, st.one_of(st.none(), fields, st.lists(fields, min_size=2, max_size=3))),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_java_saves_is_read_as_it_was(columns: dict[str, str | list[str] | None], newline: str) -> None:
    lines = [
        f"{saved(name)}={','.join([target] if isinstance(target, str) else target or [])}"
        for name, target in columns.items()
    ]
    assert loader_mapping(newline.join(["#Mapping values", *lines, ""])).columns == columns


@given(st.text())
def test_no_text_is_more_than_a_mapping(text: str) -> None:
    loader_mapping(text)
