"""The types of fields: how the database, the describe resources, Apex and SOQL see each of them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """One type of field; the defaults are those of text.

    Attributes:
        holds: the class of the type's values. Values of one class are compared alike, and a custom field may change its type
            within the class. A compound is made of other fields of its record, and is JSON text in the database.
        column: the declaration of a field's column in the database. As in Salesforce, text is compared without regard to
            case, and ids with it.
        soap: the type in the SOAP API, as describe names it.
        apex: the type in Apex, as the columns of a query name it (assumed: the types of lookups and numbers).
        length: the largest number of characters of a field that states none; 0 for a field that does not hold text.
    """

    holds: Literal["text", "id", "number", "boolean", "date", "datetime", "time", "compound"] = "text"
    column: str = "TEXT COLLATE NOCASE"
    soap: str = "xsd:string"
    apex: str = "String"
    length: int = 0


_DECIMAL = FieldType(holds="number", column="REAL", soap="xsd:double", apex="Decimal")
_ID = FieldType(holds="id", column="TEXT", soap="tns:ID", apex="Id", length=18)

FIELD_TYPES = {
    "address": FieldType(holds="compound", column="TEXT", soap="urn:address", apex="Address"),
    "boolean": FieldType(holds="boolean", column="INTEGER", soap="xsd:boolean", apex="Boolean"),
    "combobox": FieldType(),
    "currency": _DECIMAL,
    "date": FieldType(holds="date", soap="xsd:date", apex="Date"),
    "datetime": FieldType(holds="datetime", soap="xsd:dateTime", apex="Datetime"),
    "double": _DECIMAL,
    "email": FieldType(length=80),
    "encryptedstring": FieldType(length=175),
    "id": _ID,
    "int": FieldType(holds="number", column="INTEGER", soap="xsd:int", apex="Integer"),
    "location": FieldType(holds="compound", column="TEXT", soap="urn:location", apex="Location"),
    "multipicklist": FieldType(length=4099),
    "percent": _DECIMAL,
    "phone": FieldType(length=40),
    "picklist": FieldType(length=255),
    "reference": _ID,
    "string": FieldType(),
    "textarea": FieldType(),
    "time": FieldType(holds="time", column="TEXT", soap="xsd:time", apex="Time"),
    "url": FieldType(length=255),
}
