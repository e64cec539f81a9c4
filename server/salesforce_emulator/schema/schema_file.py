"""The schema file: YAML that adds objects, fields and validation rules to the standard objects.

objects:
  Account:
    fields:
      Erp_Id__c: {label: ERP id, type: string, length: 40, externalId: true, unique: true}
    rules:
      - {name: No_negative_revenue, when: AnnualRevenue < 0, message: Revenue can't be negative., field: AnnualRevenue}
  Invoice__c:
    label: Invoice
    fields:
      Account__c: {type: reference, referenceTo: Account, required: true}
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic import Field as Setting

from salesforce_emulator.user_files import FileError, plain_message, read

_WORD = "[A-Za-z](?:_?[A-Za-z0-9])*"
CUSTOM_NAME = re.compile(rf"(?:{_WORD}__)?{_WORD}__c")
"""The name of a custom object or field, with the namespace of its package if it has one."""

FIELD_NAME = re.compile(rf"(?:{_WORD}__)?{_WORD}__p?c")
"""The name of a custom field; that of a person account ends in __pc (Salesforce help, Person Account Fields)."""

RELATIONSHIP_NAME = re.compile(rf"(?:{_WORD}__)?{_WORD}(?:__p?r)?")
AUTO_NUMBER_FORMAT = re.compile(r"([^{}]*)\{(0+)\}([^{}]*)")
"""A display format such as INV-{0000}: the number with at least as many digits as there are zeros."""

OTHER_KINDS = {
    "__b": "a big object",
    "__e": "a platform event",
    "__kav": "a knowledge article",
    "__mdt": "a custom metadata type",
    "__x": "an external object",
}
"""The kinds of object that the emulator does not have, by the ending of their names, in lower case."""

NUMBER_TYPES = ("currency", "double", "percent")
PICKLIST_TYPES = ("picklist", "multipicklist")
KEY_TYPES = ("string", "email", "double", "autonumber")
"""The types of field that can be an external id; all but auto-numbers, which are, can be unique (Salesforce help)."""

MAX_LENGTHS = {"string": 255, "textarea": 131_072, "encryptedstring": 175}
"""The largest length of each type of field that has a length to set."""


class SchemaError(ValueError):
    """A schema can't be used; the message says in one line what is wrong, where, and what to do.

    Attributes:
        key_path: the keys and indexes that lead to the mistake in the schema file; empty where the message names the line.
    """

    def __init__(self, message: str, *key_path: str | int) -> None:
        super().__init__(message)
        self.key_path = key_path


@contextmanager
def naming_the_line(file: Path | None) -> Iterator[None]:
    """Put the line of this schema file in front of the message of a SchemaError that the block raises."""
    try:
        yield
    except SchemaError as error:
        if file is None or not error.key_path:
            raise
        raise SchemaError(f"{read(file).location(error.key_path)}: {error}") from None


def read_schema_file(file: Path) -> "SchemaFile":
    """Read and check a schema file.

    Raises:
        SchemaError: the file can't be read, or holds anything but settings of objects, fields and rules.
    """
    try:
        written = read(file)
    except FileError as error:
        raise SchemaError(f"The schema file {error}") from None
    try:
        return SchemaFile.model_validate({} if written.content is None else written.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # pydantic marks an invalid key with a last element [key], which leads nowhere in the file
        key_path = tuple(key for key in first["loc"] if key != "[key]")
        raise SchemaError(f"{written.location(key_path)}: {plain_message(first)}") from None


def _custom_name(name: str) -> str:
    if not FIELD_NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no name of a custom field; use letters, digits and single _, and end it in __c")
    return name


def _relationship_name(name: str) -> str:
    if not RELATIONSHIP_NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no relationship name; use letters, digits and single _, as in Parent__r")
    return name


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


CustomName = Annotated[str, AfterValidator(_custom_name)]
RelationshipName = Annotated[str, AfterValidator(_relationship_name)]


class _Settings(BaseModel):
    """Named settings; a setting with another name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CustomField(_Settings):
    """A custom field; its settings have the names of the data files of the standard objects."""

    label: str | None = None
    type: Literal[
        "string", "textarea", "boolean", "int", "double", "currency", "percent", "date", "datetime", "time", "email",
        "phone", "url", "picklist", "multipicklist", "reference", "encryptedstring", "autonumber", "location",
    ]  # fmt: skip
    length: int | None = Setting(None, ge=1)
    precision: int | None = Setting(None, ge=1, le=18)
    scale: int | None = Setting(None, ge=0, le=17)
    format: str | None = None
    required: bool = False
    default: Any = None
    unique: bool = False
    caseSensitive: bool = False
    externalId: bool = False
    picklist: list[str] = Setting([])
    restricted: bool = False
    referenceTo: Annotated[list[str], BeforeValidator(_as_list)] = Setting([])
    relationshipName: RelationshipName | None = None
    childRelationshipName: RelationshipName | None = None

    @model_validator(mode="after")
    def _check_type(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        yield from self._problems_of_size()
        yield from self._problems_of_keys()
        yield from self._problems_of_other_types()
        fits, what_fits = self._fitting_default()
        if self.default is not None and not fits:
            yield f"the default does not fit: {what_fits}"

    def _problems_of_size(self) -> Iterator[str]:
        if self.length is not None and self.type not in MAX_LENGTHS:
            yield f"only {', '.join(MAX_LENGTHS)} have a length to set; leave it out of {self._a_type}"
        elif self.length is not None and self.length > MAX_LENGTHS[self.type]:
            yield f"{self._a_type} has at most {MAX_LENGTHS[self.type]} characters"
        if (self.precision is not None or self.scale is not None) and self.type not in NUMBER_TYPES:
            yield f"only {', '.join(NUMBER_TYPES)} have precision and scale; leave them out of {self._a_type}"
        elif self.scale is not None and self.scale > (self.precision or 18):
            yield "scale, the digits after the point, can't be more than precision, all digits"

    def _problems_of_keys(self) -> Iterator[str]:
        if (self.externalId or self.unique) and self.type not in KEY_TYPES:
            yield f"only {', '.join(KEY_TYPES)} can be externalId or unique, not {self.type}"
        if self.caseSensitive and not (self.unique and self.type == "string"):
            yield "only a string that is unique can be caseSensitive"
        if self.unique and self.type == "autonumber":
            yield "an auto-number is unique by itself; leave unique out"
        if self.unique and self.default is not None:
            yield "a unique field can't have a default, for two records would hold it; leave one of the two out"

    def _problems_of_other_types(self) -> Iterator[str]:
        """Yield what is wrong with settings that are for some types alone."""
        if self.format is not None and self.type != "autonumber":
            yield f"only an autonumber has a format; leave it out of {self._a_type}"
        elif self.format is not None and not AUTO_NUMBER_FORMAT.fullmatch(self.format):
            yield "a format has its digits in braces once, as in INV-{0000}"
        if self.required and self.type in ("autonumber", "location"):
            yield f"no row can set a field of type {self.type}; leave required out"
        if self.required and self.type == "boolean":
            yield "a boolean always has a value; leave required out"
        if bool(self.picklist) != (self.type in PICKLIST_TYPES):
            yield "a picklist needs its values, as in picklist: [A, B], and only a picklist has them"
        if self.restricted and self.type not in PICKLIST_TYPES:
            yield "only a picklist can be restricted"
        if bool(self.referenceTo) != (self.type == "reference"):
            yield "a reference needs the object it leads to, as in referenceTo: Account, and only a reference has one"
        if (self.relationshipName or self.childRelationshipName) and self.type != "reference":
            yield "only a reference has relationship names"

    def _fitting_default(self) -> tuple[bool, str]:
        """Return whether the default fits the type, and what to use if not."""
        default = self.default
        is_number = isinstance(default, int | float) and not isinstance(default, bool)
        match self.type:
            case "boolean":
                return isinstance(default, bool), "use true or false"
            case "int":
                return is_number and isinstance(default, int), "use a whole number"
            case "double" | "currency" | "percent":
                return is_number and isfinite(default), "use a number"
            case "date":
                return isinstance(default, date) and not isinstance(default, datetime), "use a day, as in 2025-01-31"
            case "datetime" | "reference" | "time" | "autonumber" | "location" | "encryptedstring":
                return False, f"{self._a_type} can't have one"
            case "picklist" if self.restricted:
                return default in self.picklist, f"use one of {', '.join(self.picklist)}"
        return isinstance(default, str), "use text, in quotes if it looks like something else"

    @property
    def _a_type(self) -> str:
        """The type with its article."""
        return f"{'an' if self.type[0] in 'aei' else 'a'} {self.type}"


class CustomRule(_Settings):
    """A validation rule."""

    name: str
    when: str
    message: str
    field: str | None = None


class CustomObject(_Settings):
    """A custom object, or the additions of the file to a standard object."""

    label: str | None = None
    labelPlural: str | None = None
    fields: dict[CustomName, CustomField] = Setting({})
    rules: list[CustomRule] = Setting([])


class SchemaFile(_Settings):
    """The content of a schema file."""

    objects: dict[str, CustomObject] = Setting({})
