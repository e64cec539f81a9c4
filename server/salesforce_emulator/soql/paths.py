"""The names of a query: fields of the queried object, and of the parent records that its lookups lead to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lark import Token

from salesforce_emulator.schema.model import Field, Schema, SObject
from salesforce_emulator.soql.conditions import FieldExpression, column_of, field_of, unknown_column
from salesforce_emulator.soql.syntax import SoqlError, malformed, position

MAX_LEVELS = 5
"""The most relationships that a name may follow (SOQL and SOSL reference, Understanding Relationship Query Limitations)."""

MAX_JOINS = 55
"""The most child-to-parent relationships that a query may follow (the same page); SQLite could join 64 tables."""

NAME_FIELDS = ("Id", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Username", "Alias", "IsActive")
"""The fields of the parents of a lookup that can lead to several objects (Object reference, Name)."""

TYPE_FIELD = Field(name="Type", label="Type", type="string", length=40)


@dataclass(slots=True)
class PathNode:
    """A node in the tree of relationships that a query follows.

    Attributes:
        targets: the objects that the path can lead to, each with its alias in the SQL.
        path: the relationship names from the queried object to this node.
        children: the nodes of the relationships that the query follows from here, by relationship name in lower case.
    """

    targets: list[tuple[str, SObject]]
    path: tuple[str, ...] = ()
    children: dict[str, "PathNode"] = field(default_factory=dict)


class RelationshipPaths:
    """Resolves the names of one query, and collects the joins that they need.

    Attributes:
        root: the node of the queried object.
    """

    def __init__(self, schema: Schema, sobject: SObject) -> None:
        self._schema = schema
        self._sobject = sobject
        self._joins: list[str] = []
        self.root = PathNode([("t", sobject)])

    @property
    def sql(self) -> str:
        """The tables and joins after FROM."""
        return " ".join([f'"{self._sobject.name}" AS t', *self._joins])

    def field(self, name: Token) -> FieldExpression:
        """Return the expression of the field that the name stands for.

        Raises:
            SoqlError: a relationship or the field does not exist, or the path is too long.
        """
        return self.resolve(name)[1]

    def resolve(self, name: Token) -> tuple[PathNode, FieldExpression]:
        """Return the node that the name's relationships lead to, and the expression of the name's field.

        Raises:
            SoqlError: a relationship or the field does not exist, or the path is too long.
        """
        *relationships, last = name.split(".")
        named = relationships and relationships[0].lower() == self._sobject.name.lower()
        if named and self._sobject.relationship(relationships[0]) is None:
            relationships.pop(0)  # the name of the queried object may stand before its fields
        if len(relationships) > MAX_LEVELS:
            reason = f"Path '{name}' is longer than {MAX_LEVELS} relationships"
            raise SoqlError("INVALID_FIELD", reason, position(name))
        node = self.root
        for relationship in relationships:
            node = self._follow(node, relationship, name)
        return node, _field_of_node(node, last, name)

    def _follow(self, node: PathNode, relationship: str, name: Token) -> PathNode:
        known = node.children.get(relationship.lower())
        if known is None:
            known = node.children[relationship.lower()] = self._join(node, relationship, name)
        return known

    def _join(self, node: PathNode, relationship: str, name: Token) -> PathNode:
        alias, sobject = node.targets[0]
        lookup = sobject.relationship(relationship) if len(node.targets) == 1 else None
        if lookup is None:
            reason = (
                f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom"
                " relationship, be sure to append the '__r' after the custom relationship name. Please reference your"
                " WSDL or the describe call for the appropriate names."
            )
            raise SoqlError("INVALID_FIELD", reason, position(name))
        targets = []
        for target in lookup.referenceTo:
            if len(self._joins) == MAX_JOINS:  # assumed: text, and that each object that a lookup can lead to counts
                raise malformed(f"A query can't follow more than {MAX_JOINS} relationships", position(name))
            target_alias = f"j{len(self._joins)}"
            self._joins.append(f'LEFT JOIN "{target}" AS {target_alias} ON {target_alias}.Id = {alias}."{lookup.name}"')
            targets.append((target_alias, self._schema[target]))
        return PathNode(targets, (*node.path, lookup.relationshipName or relationship))


def _field_of_node(node: PathNode, name: str, token: Token) -> FieldExpression:
    if len(node.targets) == 1:
        [(alias, sobject)] = node.targets
        return column_of(field_of(sobject, name, token), alias)
    if name.lower() == "type":
        cases = " ".join(f"WHEN {alias}.Id IS NOT NULL THEN '{sobject.name}'" for alias, sobject in node.targets)
        return FieldExpression(f"(CASE {cases} END COLLATE NOCASE)", TYPE_FIELD)
    expressions = list(_name_field_expressions(node.targets, name))
    if not expressions:
        raise SoqlError("INVALID_FIELD", unknown_column("Name", name), position(token))
    collation = "" if expressions[0].field.field_type.holds == "id" else " COLLATE NOCASE"
    values = ", ".join([*(expression.sql for expression in expressions), "NULL"])
    return FieldExpression(f"(coalesce({values}){collation})", expressions[0].field)


def _name_field_expressions(targets: Sequence[tuple[str, SObject]], name: str) -> Sequence[FieldExpression]:
    wanted = next((known for known in NAME_FIELDS if known.lower() == name.lower()), None)
    if wanted is None:
        return []
    look_up: Callable[[SObject], Field | None] = (
        (lambda sobject: sobject.name_field) if wanted == "Name" else (lambda sobject: sobject.field(wanted))
    )
    found = [(alias, look_up(sobject)) for alias, sobject in targets]
    return [FieldExpression(f'{alias}."{field.name}"', replace(field, name=wanted)) for alias, field in found if field]
