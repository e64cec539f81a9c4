"""Compound fields, addresses and locations: made of other fields of their record, which are what a row can set.

REST API guide, Compound Fields: a compound is read-only and null if all its parts are; its parts are fields of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from salesforce_emulator.schema.model import Field

ADDRESS_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")
LOCATION_PARTS = ("Latitude", "Longitude")


def with_compounds(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields, with the formula of each compound, and in each of its parts the name of the compound."""
    fields = tuple(fields)
    compounds = {field.name: _parts(field) for field in fields if field.field_type.holds == "compound"}
    whole = {part: name for name, parts in compounds.items() for part in parts.values()}
    return tuple(
        _compound(field, compounds[field.name])
        if field.name in compounds
        else replace(field, compoundFieldName=whole.get(field.name, field.compoundFieldName))
        for field in fields
    )


def location_part_name(name: str, part: str) -> str:
    """Return the name of a part of a custom location: Site__Latitude__s is one of Site__c."""
    return f"{name.removesuffix('__c')}__{part}__s"


def _parts(field: Field) -> dict[str, str]:
    """Return the names of the fields that a compound is made of, by their names in its JSON."""
    if field.type == "location":
        names = {part: location_part_name(field.name, part) for part in LOCATION_PARTS}
    else:
        names = {part: field.name.removesuffix("Address") + part for part in ADDRESS_PARTS}
    return {part[0].lower() + part[1:]: name for part, name in names.items()}


def _compound(field: Field, parts: Mapping[str, str]) -> Field:
    columns = ", ".join(f'"{name}"' for name in parts.values())
    members = ", ".join(f"'{member}', \"{name}\"" for member, name in parts.items())
    formula = f"CASE WHEN coalesce({columns}) IS NOT NULL THEN json_object({members}) END"
    return replace(field, formula=formula, createable=False, updateable=False)
