"""The types of fields: what each is to the database, to describe, to Apex and to SOQL."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """One type; text is what goes without saying.

    Attributes:
        holds: which values; types that hold the same can take each other's place, and are compared alike.
        column: how its column in the database is declared. Salesforce compares text without regard to case, ids with it.
        soap: its type in the SOAP API, as describe tells it.
        apex: its type in Apex, as the columns of a query tell it (assumed: those of lookups and numbers).
        length: in characters, where nobody says another; 0 where text has no place.
    """

    holds: Literal["text", "id", "number", "boolean", "date", "datetime"] = "text"
    column: str = "TEXT COLLATE NOCASE"
    soap: str = "xsd:string"
    apex: str = "String"
    length: int = 0


_DECIMAL = FieldType(holds="number", column="REAL", soap="xsd:double", apex="Decimal")
_ID = FieldType(holds="id", column="TEXT", soap="tns:ID", apex="Id", length=18)

TYPES = {
    "boolean": FieldType(holds="boolean", column="INTEGER", soap="xsd:boolean", apex="Boolean"),
    "combobox": FieldType(),
    "currency": _DECIMAL,
    "date": FieldType(holds="date", soap="xsd:date", apex="Date"),
    "datetime": FieldType(holds="datetime", soap="xsd:dateTime", apex="Datetime"),
    "double": _DECIMAL,
    "email": FieldType(length=80),
    "id": _ID,
    "int": FieldType(holds="number", column="INTEGER", soap="xsd:int", apex="Integer"),
    "multipicklist": FieldType(length=4099),
    "percent": _DECIMAL,
    "phone": FieldType(length=40),
    "picklist": FieldType(length=255),
    "reference": _ID,
    "string": FieldType(),
    "textarea": FieldType(),
    "url": FieldType(length=255),
}
