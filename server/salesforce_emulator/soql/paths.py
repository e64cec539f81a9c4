"""What the names of a query stand for: fields of the object itself, and of the records that its lookups lead to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lark import Token

from salesforce_emulator.schema.model import Field, Schema, SObject
from salesforce_emulator.soql.conditions import Column, field_of, unknown_column
from salesforce_emulator.soql.syntax import Refusal, malformed, position

MAX_LEVELS = 5  # of relationships in one name (SOQL and SOSL reference, Understanding Relationship Query Limitations)
MAX_JOINS = 55  # documented as child-to-parent relationships of a query (the same page); SQLite would join 64 tables

# What all records have in common that a lookup to several objects can lead to (Object reference, Name).
NAME_FIELDS = ("Id", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Username", "Alias", "IsActive")
TYPE = Field(name="Type", label="Type", type="string", length=40)


@dataclass(slots=True)
class Place:
    """Where a path of relationships leads: the objects that it can lead to, each under its alias in the SQL."""

    targets: list[tuple[str, SObject]]
    path: tuple[str, ...] = ()
    places: dict[str, "Place"] = field(default_factory=dict)


class Paths:
    """Resolves the names of one query, and collects the joins that they need."""

    def __init__(self, schema: Schema, sobject: SObject) -> None:
        self._schema = schema
        self._sobject = sobject
        self._joins: list[str] = []
        self.root = Place([("t", sobject)])

    @property
    def sql(self) -> str:
        """What stands after FROM."""
        return " ".join([f'"{self._sobject.name}" AS t', *self._joins])

    def column(self, name: Token) -> Column:
        """The field that the name stands for."""
        return self.resolve(name)[1]

    def resolve(self, name: Token) -> tuple[Place, Column]:
        """Where the name's field is, and the field.

        Raises:
            Refusal: there is no such relationship or field, or the path is too long.
        """
        *relationships, last = name.split(".")
        own = relationships and relationships[0].lower() == self._sobject.name.lower()
        if own and self._sobject.relationship(relationships[0]) is None:
            relationships.pop(0)  # the object's own name may stand before its fields
        if len(relationships) > MAX_LEVELS:
            reason = f"Path '{name}' is longer than {MAX_LEVELS} relationships"
            raise Refusal("INVALID_FIELD", reason, position(name))
        place = self.root
        for relationship in relationships:
            place = self._follow(place, relationship, name)
        return place, _field_at(place, last, name)

    def _follow(self, place: Place, relationship: str, name: Token) -> Place:
        known = place.places.get(relationship.lower())
        if known is None:
            known = place.places[relationship.lower()] = self._join(place, relationship, name)
        return known

    def _join(self, place: Place, relationship: str, name: Token) -> Place:
        alias, sobject = place.targets[0]
        lookup = sobject.relationship(relationship) if len(place.targets) == 1 else None
        if lookup is None:
            reason = (
                f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom"
                " relationship, be sure to append the '__r' after the custom relationship name. Please reference your"
                " WSDL or the describe call for the appropriate names."
            )
            raise Refusal("INVALID_FIELD", reason, position(name))
        targets = []
        for target in lookup.referenceTo:
            if len(self._joins) == MAX_JOINS:  # assumed: text, and that each object that a lookup can lead to counts
                raise malformed(f"A query can't follow more than {MAX_JOINS} relationships", position(name))
            joined = f"j{len(self._joins)}"
            self._joins.append(f'LEFT JOIN "{target}" AS {joined} ON {joined}.Id = {alias}."{lookup.name}"')
            targets.append((joined, self._schema[target]))
        return Place(targets, (*place.path, lookup.relationshipName or relationship))


def _field_at(place: Place, name: str, token: Token) -> Column:
    if len(place.targets) == 1:
        [(alias, sobject)] = place.targets
        found = field_of(sobject, name, token)
        return Column(f'{alias}."{found.name}"', found)
    if name.lower() == "type":
        kinds = " ".join(f"WHEN {alias}.Id IS NOT NULL THEN '{sobject.name}'" for alias, sobject in place.targets)
        return Column(f"(CASE {kinds} END COLLATE NOCASE)", TYPE)
    columns = list(_columns_of_name(place.targets, name))
    if not columns:
        raise Refusal("INVALID_FIELD", unknown_column("Name", name), position(token))
    collation = "" if columns[0].field.kind.holds == "id" else " COLLATE NOCASE"
    values = ", ".join([*(column.sql for column in columns), "NULL"])
    return Column(f"(coalesce({values}){collation})", columns[0].field)


def _columns_of_name(targets: Sequence[tuple[str, SObject]], name: str) -> Sequence[Column]:
    wanted = next((known for known in NAME_FIELDS if known.lower() == name.lower()), None)
    if wanted is None:
        return []
    look_up: Callable[[SObject], Field | None] = (
        (lambda sobject: sobject.name_field) if wanted == "Name" else (lambda sobject: sobject.field(wanted))
    )
    found = [(alias, look_up(sobject)) for alias, sobject in targets]
    return [Column(f'{alias}."{field.name}"', replace(field, name=wanted)) for alias, field in found if field]
