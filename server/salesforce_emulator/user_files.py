"""Reads the files that users write, the schema and the plan of faults, and explains mistakes with their line."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]
"""The keys and list indexes that lead to a value in a file."""

NAMES = "write names with their settings here, as in name: {{...}}"
NUMBER = "write a number"
WHOLE = "write a whole number"
LIST = "write a list here, as in [A, B]"
FLAG = "use true or false"
TEXT = "write text here, in quotes if it looks like something else, as yes, no and numbers do"
MESSAGES = {
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
MESSAGES |= dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), NAMES)
MESSAGES |= dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), WHOLE)
MESSAGES |= dict.fromkeys(("float_type", "float_parsing", "finite_number"), NUMBER)
MESSAGES |= dict.fromkeys(("list_type", "tuple_type"), LIST)
MESSAGES |= dict.fromkeys(("bool_type", "bool_parsing"), FLAG)
"""The advice on each type of pydantic error."""

YAML_MESSAGES = {
    "mapping values are not allowed": "a colon stands where no name can end; quote text that holds one, or add one above",
    "cannot start any token": "nothing can begin with this character; indent with spaces, or put the text in quotes",
    "expected <block end>": "this does not line up with what is above; correct the indentation",
    "stream end": "a bracket is opened and never closed; close it",
    "end of stream": "a quote is opened and never closed; close it",
    "expected ',' or": "a comma or a closing bracket is missing before this; add it",
    "could not find expected ':'": "a name above has no colon; write it as in name: value",
    "another document": "a second document begins here; leave it out",
}
"""The advice on YAML syntax errors, by words in the parser's message."""


class FileError(ValueError):
    """A file can't be read or parsed; the message says in one line where, why, and what to do."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The content of a file, and the line of each of its parts.

    Attributes:
        path: path of the file.
        content: the content as Python's own types.
        root: root of the YAML node tree, which knows the lines; None if the file is empty.
    """

    path: Path
    content: Any
    root: yaml.Node | None

    def location(self, key_path: KeyPath) -> str:
        """Return file, line and key path of a value, with the line of its parent if the file lacks the value."""
        line, node = 1, self.root
        for key in key_path:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return f"{self.path}, line {line}, {'.'.join(map(str, key_path)) or 'the whole'}"


def read(path: Path) -> ParsedFile:
    """Read a file as JSON if its name ends in .json, or else as YAML.

    Raises:
        FileError: the file can't be read or parsed.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror}; correct its name or its rights") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(f"{path}, line {line}: this is not UTF-8; save the file as UTF-8") from None
    try:
        return _json(path, text) if path.suffix == ".json" else _yaml(path, text)
    except RecursionError:
        raise FileError(f"{path}: this is nested too deep to be read; take brackets out") from None


def plain_message(error: ErrorDetails) -> str:
    """Return the advice on an error that pydantic found, or pydantic's own message if MESSAGES has none."""
    words = MESSAGES.get(error["type"])
    return words.format_map(error.get("ctx", {})) if words else error["msg"].removeprefix("Value error, ")


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads `on` and `off` as text, as YAML 1.2 does; in YAML 1.1 they are booleans."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # such as a date that no calendar has
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


_Loader.yaml_implicit_resolvers = {
    first: resolvers for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items() if first not in "oO"
}


def _yaml(path: Path, text: str) -> ParsedFile:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        for key in _duplicate_keys(root, set()):
            raise FileError(f"{path}, line {key.start_mark.line + 1}: {key.value} stands there twice; keep one of them")
        return ParsedFile(path, loader.construct_document(root) if root else None, root)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise FileError(f"{path}, line {line}: a character that can't be seen stands there; take it out") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = f"line {mark.line + 1}, character {mark.column + 1}" if mark else "line 1"
        problem = str(error.problem)
        other = f"{problem}; correct it, or put the text in quotes"
        words = next((words for found, words in YAML_MESSAGES.items() if found in problem), other)
        raise FileError(f"{path}, {position}: {words}") from None


def _json(path: Path, text: str) -> ParsedFile:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, character {error.colno}"
        raise FileError(f"{path}, {position}: this is not JSON ({error.msg}); correct it") from None
    root = None
    with suppress(yaml.YAMLError):  # almost all JSON without tabs is YAML
        root = yaml.compose(text.replace("\t", " "), _Loader)
    return ParsedFile(path, content, root)


def _duplicate_keys(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """Yield each key that an earlier key of the same mapping equals."""
    if node is None or id(node) in seen:  # a YAML alias may point to a node that contains it
        return
    seen.add(id(node))
    names = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        key, value = child if isinstance(node, yaml.MappingNode) else (None, child)
        if isinstance(key, yaml.ScalarNode):
            if key.value in names:
                yield key
            names.add(key.value)
        yield from _duplicate_keys(value, seen)


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line of a key or list index in this node, and the node of its value; None if there is none."""
    if isinstance(node, yaml.MappingNode):
        for folded in (str, str.lower):  # an exact match first: Salesforce ignores the case of names
            for name, value in node.value:
                if folded(str(name.value)) == folded(str(key)):
                    return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
