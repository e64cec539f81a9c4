"""YAML, and JSON as a part of it, as people write it: what stands there, with the line of each value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from salesforce_bulk_ingest.base.text import cut, quoted

LONGEST_PROBLEM = 200

_HINTS = {
    "mapping values are not allowed": "a colon stands where no name can end; put text that has one in quotes",
    "cannot start any token": "nothing can begin with this character; indent with spaces, or put the text in quotes",
    "expected <block end>": "this does not line up with what is above; correct the indentation",
    "stream end": "a bracket is opened and never closed; close it",
    "end of stream": "a quote is opened and never closed; close it",
    "expected ',' or": "a comma or a closing bracket is missing before this; add it",
    "could not find expected ':'": "a name above has no colon; write it as in name: value",
    "another document": "a second document begins here; leave it out",
}
"""What to do, by words in the parser's message."""


class YamlError(ValueError):
    """A text is no YAML that can be read in one way.

    Args:
        line: the line of the mistake, from 1.
        message: what is wrong, and what to do, as a part of a sentence.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlText:
    """What a text of YAML says.

    Attributes:
        value: the value: objects, lists, texts, whole numbers, true, false and null. Any other scalar is its text, so that
            dates, `no` and numbers such as 007 and 1.50 stay as they are written.
        root: the node of the value, which knows lines; None for an empty text.
    """

    value: Any
    root: yaml.Node | None

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line of the value that names and indexes lead to; of what leads to it, where it is missing."""
        line, node = 1, self.root
        for key in path:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return line


class _Loader(yaml.SafeLoader):
    """A loader that takes the fewest plain scalars for anything but text, and names twice or elsewhere for mistakes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs have no types for it
            raise YamlError(mark.line + 1, "an alias (*name) stands for another place; write out what it stands for")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        names = set[str]()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(key.start_mark.line + 1, "a name is a text; write it as in name: value")
            if key.value in names:
                raise YamlError(key.start_mark.line + 1, f"{quoted(key.value)} stands there twice; keep one of them")
            names.add(key.value)
            key.tag = "tag:yaml.org,2002:str"  # names are texts, also those that look like numbers
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        text = super().construct_scalar(node)
        try:
            # JSON writes a character of the higher planes as two escapes, each of which is half of it.
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise YamlError(node.start_mark.line + 1, "half of a character stands here; take it out") from None


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^(?:0|-?[1-9][0-9]{0,17})$", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_form), _first)


def yaml_text(text: str) -> YamlText:
    """Return what a text of YAML says; one of JSON may have tabs between its values.

    Raises:
        YamlError: the text is no YAML, has a name twice, or is not of one meaning.
    """
    loader = None
    try:
        loader = _Loader(text.replace("\t", " ") if text.lstrip().startswith(("{", "[")) else text)
        root = loader.get_single_node()
        return YamlText(loader.construct_document(root) if root else None, root)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise YamlError(line, "a character that can't be seen stands there; take it out") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem)
        other = f"{cut(problem, LONGEST_PROBLEM)}; correct it, or put the text in quotes"
        words = next((words for found, words in _HINTS.items() if found in problem), other)
        raise YamlError(mark.line + 1 if mark else 1, words) from None
    except RecursionError:
        raise YamlError(1, "this is nested too deep to be read; take brackets out") from None
    except ValueError as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(1, "a value can't be read; put it in quotes") from None
    finally:
        if loader is not None:
            loader.dispose()


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line of a name or an index in this node, and the node of its value; None if it is not there."""
    if isinstance(node, yaml.MappingNode):
        return next(((name.start_mark.line + 1, value) for name, value in node.value if name.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None
