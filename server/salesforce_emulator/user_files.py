"""Files that people write, the schema and the plan of faults: what they say, where, and what is wrong in plain words."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]

NAMES = "write names with their settings here, as in name: {{...}}"
NUMBER = "write a number"
WHOLE = "write a whole number"
LIST = "write a list here, as in [A, B]"
FLAG = "use true or false"
TEXT = "write text here, in quotes if it looks like something else, as yes, no and numbers do"
PLAINLY = {
    "extra_forbidden": "there is no such setting; leave it out or correct its name",
    "missing": "this is missing; add it",
    "invalid_key": TEXT,
    "string_type": TEXT,
    "string_too_long": "use at most {max_length} characters",
    "literal_error": "use {expected}",
    "greater_than": "use more than {gt:g}",
    "greater_than_equal": "use {ge:g} or more",
    "less_than_equal": "use {le:g} or less",
    "too_long": "write at most {max_length} of these",
}
PLAINLY |= dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), NAMES)
PLAINLY |= dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), WHOLE)
PLAINLY |= dict.fromkeys(("float_type", "float_parsing", "finite_number"), NUMBER)
PLAINLY |= dict.fromkeys(("list_type", "tuple_type"), LIST)
PLAINLY |= dict.fromkeys(("bool_type", "bool_parsing"), FLAG)
"""What pydantic finds, by its names."""

NOT_YAML = {
    "mapping values are not allowed": "a colon stands where no name can end; quote text that holds one, or add one above",
    "cannot start any token": "nothing can begin with this character; indent with spaces, or put the text in quotes",
    "expected <block end>": "this does not line up with what is above; correct the indentation",
    "stream end": "a bracket is opened and never closed; close it",
    "end of stream": "a quote is opened and never closed; close it",
    "expected ',' or": "a comma or a closing bracket is missing before this; add it",
    "could not find expected ':'": "a name above has no colon; write it as in name: value",
    "another document": "a second document begins here; leave it out",
}
"""What the parser finds, by words of its own."""


class Mistake(ValueError):
    """A file can't be understood; the message says in one line where, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says.

    Attributes:
        path: the file.
        content: as Python's own types.
        root: the same as YAML sees it, with lines; none if the file is empty.
    """

    path: Path
    content: Any
    root: yaml.Node | None

    def where(self, place: Place) -> str:
        """The file and the line of what these keys and numbers lead to, or else of the last of them that is there."""
        line, node = 1, self.root
        for key in place:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return f"{self.path}, line {line}, {'.'.join(map(str, place)) or 'the whole'}"


def read(path: Path) -> Written:
    """Read a file of JSON, if its name says so, or else of YAML.

    Raises:
        Mistake: it can't be read, or holds something else.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise Mistake(f"{path} can't be read: {error.strerror}; correct its name or its rights") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Mistake(f"{path}, line {line}: this is not UTF-8; save the file as UTF-8") from None
    try:
        return _json(path, text) if path.suffix == ".json" else _yaml(path, text)
    except RecursionError:
        raise Mistake(f"{path}: this is nested too deep to be read; take brackets out") from None


def plainly(error: ErrorDetails) -> str:
    """What pydantic found, and what to do about it."""
    words = PLAINLY.get(error["type"])
    return words.format_map(error.get("ctx", {})) if words else error["msg"].removeprefix("Value error, ")


class _Loader(yaml.SafeLoader):
    """YAML in which `on` is a word, as in YAML 1.2, and no boolean."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a day that no calendar has, say
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


_Loader.yaml_implicit_resolvers = {
    first: resolvers for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items() if first not in "oO"
}


def _yaml(path: Path, text: str) -> Written:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        for key in _twice(root, set()):
            raise Mistake(f"{path}, line {key.start_mark.line + 1}: {key.value} stands there twice; keep one of them")
        return Written(path, loader.construct_document(root) if root else None, root)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise Mistake(f"{path}, line {line}: a character that can't be seen stands there; take it out") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, character {mark.column + 1}" if mark else "line 1"
        problem = str(error.problem)
        other = f"{problem}; correct it, or put the text in quotes"
        words = next((words for found, words in NOT_YAML.items() if found in problem), other)
        raise Mistake(f"{path}, {place}: {words}") from None


def _json(path: Path, text: str) -> Written:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.colno}"
        raise Mistake(f"{path}, {place}: this is not JSON ({error.msg}); correct it") from None
    root = None
    with suppress(yaml.YAMLError):  # almost all JSON is YAML, but for tabs
        root = yaml.compose(text.replace("\t", " "), _Loader)
    return Written(path, content, root)


def _twice(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """The names that stand a second time beside their like."""
    if node is None or id(node) in seen:  # an alias may lead to what holds it
        return
    seen.add(id(node))
    names = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        key, value = child if isinstance(node, yaml.MappingNode) else (None, child)
        if isinstance(key, yaml.ScalarNode):
            if key.value in names:
                yield key
            names.add(key.value)
        yield from _twice(value, seen)


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for alike in (str, str.lower):  # Salesforce's names are the same in any case
            for name, value in node.value:
                if alike(str(name.value)) == alike(str(key)):
                    return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
