"""Recipes: loads that people have reviewed, as files whose words are those of the tools."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from salesforce_bulk_ingest.base.errors import InvalidArgument, OutOfBounds, RecipeMistake, RefusedByPolicy
from salesforce_bulk_ingest.base.text import quoted, visible
from salesforce_bulk_ingest.comparison.load_bounds import LoadBounds, Most
from salesforce_bulk_ingest.csvio.encodings import UTF_8, is_utf_8
from salesforce_bulk_ingest.loading.header_bounds import HeaderBounds
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.loading.sdl import loader_mapping
from salesforce_bulk_ingest.loading.sources import UploadFile
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.mcp_server.arguments import ClosedModel, CreateBody, MappingBody
from salesforce_bulk_ingest.salesforce.models import Operation

if TYPE_CHECKING:
    from salesforce_bulk_ingest.base.yaml import YamlText

MOST_NAMES_TOLD = 20
MOST_MISTAKES_TOLD = 5
LONGEST_KEY = 80

BOUNDS_BY_RECORDS: Mapping[str, tuple[Operation, ...]] = {"new": ("upsert",), "changed": ("update", "upsert")}
"""The bounds that depend on which records are there, with the operations that can have them."""

_API_NAMES = ("object", "externalIdFieldName")


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _most(text: str) -> str:
    Most.parse(text)
    return text


def _parsed_most(text: str | None) -> Most | None:
    return None if text is None else Most.parse(text)


MostText = Annotated[str, BeforeValidator(_as_text), AfterValidator(_most)]
Tolerance = Literal["refuse", "allow"]


class RowBounds(ClosedModel):
    """The fewest and the most rows of a load."""

    min: int = Field(0, ge=0)
    max: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError("min is more than max; correct one of them")
        return self


class BoundsBody(ClosedModel):
    """What a load may be at most; one that is more is refused."""

    rows: RowBounds = Field(default_factory=RowBounds)
    newHeaders: Tolerance = "refuse"
    missingHeaders: Tolerance = "refuse"
    cleared: MostText | None = None
    new: MostText | None = None
    changed: MostText | None = None
    failed: MostText | None = None


class Recipe(MappingBody, CreateBody):
    """A load that people have reviewed: the job, the mapping of the rows, and the bounds that they have to keep.

    Attributes:
        description: what it is for, for people.
        file: the pattern that the name of the file has to match; None for any.
        fields: the fields that may be written; none for all.
        bounds: the bounds of the load.
    """

    description: str = Field("", max_length=1_000)
    file: str | None = Field(None, min_length=1, max_length=255)
    fields: tuple[str, ...] = ()
    bounds: BoundsBody = Field(default_factory=BoundsBody)
    _name: str = PrivateAttr("")

    @model_validator(mode="after")
    def _knows_its_columns(self) -> Self:
        if not (self.columns or self.only or self.fields):
            raise ValueError("name the columns of the file in columns, or the fields that they are named for in fields")
        return self

    @model_validator(mode="after")
    def _can_hold_its_bounds(self) -> Self:
        for name, operations in BOUNDS_BY_RECORDS.items():
            if getattr(self.bounds, name) is not None and self.operation not in operations:
                raise ValueError(f"bounds.{name} is for {'s and '.join(operations)}s alone; leave it out")
        return self

    @property
    def name(self) -> str:
        """The name of the recipe: that of its file."""
        return self._name

    def named(self, name: str) -> Self:
        """Return the recipe with its name, which the file itself does not say."""
        recipe = self.model_copy()
        recipe._name = name
        return recipe

    @property
    def title(self) -> str:
        """What it does, and what it is for."""
        what = f"{self.operation} {self.object}{f' by {self.externalIdFieldName}' if self.externalIdFieldName else ''}"
        return f"{what}: {self.description}" if self.description else what

    @property
    def body(self) -> CreateBody:
        """The body of the create of its job."""
        said = ((name, getattr(self, name)) for name in CreateBody.model_fields)
        return CreateBody(**{name: value for name, value in said if value is not None})

    def is_for(self, body: CreateBody) -> bool:
        """Return whether this is the body of its job; names of objects and fields have no case."""
        return _facts(body) == _facts(self.body)

    def source(self, roots: UploadRoots, file: str) -> UploadFile:
        """Return the source of the rows.

        Raises:
            OutOfBounds: the recipe is for files of other names.
            RefusedByPolicy, InvalidArgument: see `UploadRoots.find`.
        """
        name = PurePath(file).name
        if self.file is not None and not fnmatchcase(name, self.file):
            raise OutOfBounds([f"its name {quoted(name)} does not match {quoted(self.file)} (file)"], self.name)
        is_as_it_is = self.encoding is None or is_utf_8(self.encoding)
        return UploadFile(roots.find(file), UTF_8 if is_as_it_is else str(self.encoding))

    @property
    def bounded_mapping(self) -> ColumnMapping:
        """The mapping, with the headers that the file may have."""
        filled = {
            name for names in self.columns.values() for name in ((names,) if isinstance(names, str) else names or ())
        }
        kept = [name for name in self.only if name not in filled and name not in self.set]
        headers = HeaderBounds(
            frozenset((*kept, *self.fields)),
            tuple(kept),
            self.bounds.newHeaders == "allow",
            self.bounds.missingHeaders == "allow",
        )
        return self.mapping.bounded_by(headers)

    def out_of_bounds(self, failed: int, processed: int) -> str:
        """Return a sentence about more failed rows of a job than there may be, after a space; empty if there are not."""
        most = self.bounds.failed
        if most is None or not Most.parse(most).is_exceeded(failed, processed):
            return ""
        return (
            f" That is out of the bounds of the recipe {self.name}: of the rows, {Most.parse(most)} may fail at most "
            "(failed). Tell the user; what succeeded is in the org."
        )

    @property
    def load_bounds(self) -> LoadBounds:
        """The bounds of the load."""
        return LoadBounds(
            recipe=self.name,
            sobject=self.object,
            operation=self.operation,
            external_id_field=self.externalIdFieldName,
            least_rows=self.bounds.rows.min,
            most_rows=self.bounds.rows.max,
            cleared=_parsed_most(self.bounds.cleared),
            fields=self.fields,
            new=_parsed_most(self.bounds.new),
            changed=_parsed_most(self.bounds.changed),
        )


def _facts(body: CreateBody) -> dict[str, object]:
    said = {"contentType": "CSV", **body.model_dump(exclude_none=True)}
    return {name: value.lower() if name in _API_NAMES else value for name, value in said.items()}


class Recipes:
    """The recipes of one server, each of which is read when it is used.

    Args:
        folder: the folder of their files; None on a server without recipes.
    """

    def __init__(self, folder: RecipeFolder | None = None) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all recipes, sorted.

        Raises:
            RecipeMistake: the folder can't be read.
        """
        return [] if self._folder is None else self._folder.names()

    def in_words(self) -> str:
        """Return how to use the recipes, for models, in sentences after a space; empty if there are none."""
        try:
            names = self.names()
        except RecipeMistake:
            names = []  # a call by recipe tells the mistake
        if not names:
            return ""
        told = f"{', '.join(names[:MOST_NAMES_TOLD])}{_more(names)}"
        how = 'data {"recipe": name, "file": path} runs one, without body'
        return f" Recipes, loads that people have reviewed: {told}. {how}."

    def text(self, name: str) -> str:
        """Return the text of a recipe as it is written, also of one with a mistake; the errors are those of `read`."""
        folder = self._folder_with(name)
        return folder.read(folder.file_of(name))

    def read(self, name: str) -> Recipe:
        """Return a recipe.

        Raises:
            RefusedByPolicy: this server has no recipes.
            InvalidArgument: there is no recipe of this name.
            RecipeMistake: the file of the recipe has a mistake.
        """
        folder = self._folder_with(name)
        file = folder.file_of(name)
        text = _parsed(file, folder.read(file))
        return _checked(file, self._with_mapping_file(text, folder)).named(name)

    def _with_mapping_file(self, text: "YamlText", folder: RecipeFolder) -> "YamlText":
        """Return what a recipe says, with what a mapping file says that its columns name."""
        said = text.value
        if not isinstance(said, dict) or not isinstance(said.get("columns"), str):
            return text
        mapping = loader_mapping(folder.read(said["columns"]))
        constants = said.get("set", {})
        together = {**mapping.constants, **constants} if isinstance(constants, dict) else constants
        return replace(text, value={**said, "columns": mapping.columns, "set": together})

    def _folder_with(self, name: str) -> RecipeFolder:
        """Return the folder, in which there is a recipe of this name."""
        if self._folder is None:
            raise RefusedByPolicy("This server has no recipes: the operator names a folder of them with --recipes.")
        names = self._folder.names()
        if name not in names:
            near = get_close_matches(name, names, 1)
            there = f"There are: {', '.join(names[:MOST_NAMES_TOLD])}{_more(names)}." if names else "There are none."
            raise InvalidArgument(f"There is no recipe {quoted(name)}. {there}", ("recipe",), near[0] if near else None)
        return self._folder


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - MOST_NAMES_TOLD:,} more" if len(names) > MOST_NAMES_TOLD else ""


@contextmanager
def errors_of(recipe: Recipe | None) -> Iterator[None]:
    """Turn the error that the mapping of a recipe does not fit the file into one that does not ask the caller to mend it.

    Raises:
        RecipeMistake: in place of an InvalidArgument about an argument that the recipe gives.
    """
    try:
        yield
    except OutOfBounds as error:
        raise (error if recipe is None or error.recipe else OutOfBounds(error.out, recipe.name)) from error
    except InvalidArgument as error:
        if recipe is None or not error.argument or error.argument[0] not in MappingBody.model_fields:
            raise
        raise RecipeMistake(f"The recipe {recipe.name} does not fit this file. {error}") from error


def _parsed(file: str, text: str) -> "YamlText":
    # Imported by who reads a recipe: no start needs the parser.
    from salesforce_bulk_ingest.base.yaml import YamlError, yaml_text

    try:
        return yaml_text(text)
    except YamlError as error:
        raise RecipeMistake(f"{file}, line {error.line}: {error}.") from None


def _checked(file: str, text: "YamlText") -> Recipe:
    """Return the recipe that a text has, or raise RecipeMistake, which names the line of each mistake."""
    if not isinstance(text.value, Mapping):
        raise RecipeMistake(f"{file}, line 1: write names with their settings here, as in object: Account.")
    try:
        return Recipe.model_validate(text.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    told = [f"{file}, line {text.line_of(detail['loc'])}: {_told(detail)}" for detail in details[:MOST_MISTAKES_TOLD]]
    more = f" And {len(details) - len(told):,} more." if len(details) > len(told) else ""
    raise RecipeMistake(f"{'. '.join(told)}.{more}")


_NAMES = "write names with their settings here, as in name: value"
_MISTAKES: Mapping[str, str] = {
    "extra_forbidden": "there is no such key; leave it out or correct its name",
    "missing": "this is missing; add it",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), _NAMES),
    "string_type": "write text here, in quotes if it looks like a number, true, false or null",
    "string_too_long": "use at most {max_length} characters",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "write a whole number"),
    **dict.fromkeys(("list_type", "tuple_type"), "write a list here, as in [A, B]"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "use true or false"),
    "literal_error": "use {expected}",
}
"""What to do about a mistake, by the type of pydantic's error."""


def _told(detail: ErrorDetails) -> str:
    words = _MISTAKES.get(detail["type"])
    said: Any = detail.get("ctx", {})
    what = words.format(**said) if words else detail["msg"].removeprefix("Value error, ")
    key = visible(".".join(map(str, detail["loc"])))[:LONGEST_KEY]
    return f"{key}: {what}" if key else what
