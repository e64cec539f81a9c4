"""The names by which arguments call columns: those of the upload, not those of the source, and what else may be meant."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoSuchColumn
from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, as_json, quoted_names
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.columns import FieldNames, UnknownColumn, columns_of, did_you_mean
from salesforce_bulk_ingest.validation.synonyms import plain

COLUMNS_SHOWN = 50

_FIELD = re.compile(r"[A-Za-z][0-9A-Za-z_.:]*")
"""The characters of fields, and of keys of parents."""


class ColumnNames:
    """An index of the names of the uploaded columns, which knows what became of those of the source.

    Args:
        addresses: the columns of the source by their addresses.
        renamed: the names that the mapping gives to columns of the source, by their indexes.
        header: the names of the columns of the source.
        uploaded: the names of the uploaded columns.
    """

    def __init__(
        self,
        addresses: ColumnAddresses,
        renamed: Mapping[int, Sequence[str]],
        header: Sequence[str],
        uploaded: Sequence[str],
    ) -> None:
        self._addresses = addresses
        self._renamed = renamed
        self._header = header
        self._uploaded = uploaded

    def check(self, argument: str, given: Mapping[str, object] | Sequence[str]) -> None:
        """Raise NoSuchColumn where an argument names what is no uploaded column.

        Args:
            argument: the name of the argument.
            given: its value; its members or keys are names.
        """
        wrong = next((name for name in given if name not in self._uploaded), None)
        if wrong is None:
            return
        if self._addresses.find(wrong):
            what = (
                f"{argument} names {quoted_names([wrong])}, a column of the source: {self._instead(argument, wrong)}."
            )
        else:
            what = unknown(argument, wrong, self._uploaded)
        raise NoSuchColumn(what, (argument,), corrected(given, self._meant), wrong)

    def _instead(self, argument: str, name: str) -> str:
        fields = self._fields_of(name)
        if not fields:
            return f"columns leaves it out, so leave it out of {argument}, too"
        return f"name its field, {' or '.join(quoted_names([field]) for field in fields)}"

    def _meant(self, name: str) -> Sequence[str] | None:
        """Return the uploaded column that a name stands for, none for one that is not uploaded, None if it is not clear."""
        if name in self._uploaded:
            return (name,)
        if self._addresses.find(name):
            fields = self._fields_of(name)
            return fields if len(fields) <= 1 else None
        return only_one(spelled_alike(name, self._uploaded))

    def _fields_of(self, name: str) -> Sequence[str]:
        """Return the names under which the columns at an address of the source are uploaded."""
        indexes = self._addresses.find(name)
        fields = (field for index in indexes for field in self._renamed.get(index, (self._header[index],)))
        return tuple(dict.fromkeys(field for field in fields if field in self._uploaded))


def unknown_address(
    address: str, columns: Mapping[str, object], addresses: ColumnAddresses, header: Sequence[str]
) -> InvalidArgument:
    """Return the error that `columns` names a column that the source lacks: it may name fields in place of columns."""

    def is_turned(name: str) -> bool:
        field = columns[name]
        if not isinstance(field, str) or addresses.find(name) or len(addresses.find(field)) != 1:
            return False
        return _FIELD.fullmatch(field) is None or not _near(name, header)

    if is_turned(address):
        turned = dict((str(field), name) if is_turned(name) else (name, field) for name, field in columns.items())
        what = f"columns goes from columns of the source to fields, and {quoted_names([address])} is no column there"
        right = turned if len(turned) == len(columns) else None
        return InvalidArgument(f"{what}: write {as_json({columns[address]: address})}.", ("columns",), right)

    def meant(name: str) -> Sequence[str] | None:
        return (name,) if addresses.find(name) else only_one(spelled_alike(name, header))

    return InvalidArgument(unknown("columns", address, header), ("columns",), corrected(columns, meant))


def check_names(argument: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Raise InvalidArgument where an argument names what is none of the known columns in any case.

    Args:
        argument: the name of the argument.
        given: its value.
        known: the names of the columns.
    """
    by_name = {name.lower(): name for name in reversed(known)}
    wrong = next((name for name in given if name.lower() not in by_name), None)
    if wrong is None:
        return

    def meant(name: str) -> Sequence[str] | None:
        exact = by_name.get(name.lower())
        return only_one(spelled_alike(name, known)) if exact is None else (exact,)

    raise InvalidArgument(unknown(argument, wrong, known), (argument,), corrected(given, meant))


def not_called_so_yet(
    error: NoSuchColumn, columns: Mapping[str, object], proposed: Mapping[str, str | None]
) -> InvalidArgument:
    """Return the error that `columns` has to name a field before other arguments can, where that is what is wrong.

    Args:
        error: the error that there is no such column.
        columns: the argument `columns` of the call.
        proposed: the fields that are proposed for columns of the source, by their addresses.
    """
    holder = next((address for address, field in proposed.items() if field == error.name), None)
    if holder is None or error.corrected is not None:
        return error
    what = f"{error.argument[0]} names {quoted_names([error.name])}, and no column is called so yet"
    do = f"{quoted_names([holder])} is likely to be it, so name it in columns: {as_json({holder: error.name})}"
    return InvalidArgument(f"{what}. {do}.", ("columns",), {**columns, **proposed})


def check_fields(
    constants: Mapping[str, str], describe: SObjectDescribe, parents: Mapping[str, SObjectDescribe]
) -> None:
    """Raise InvalidArgument where `set` fills what is no field of the object.

    Args:
        constants: names of fields to the cell that every row gets.
        describe: the describe of the object.
        parents: describes of the objects that relationships lead to, by name, as far as these are known.
    """
    columns = columns_of(tuple(constants), describe, parents)
    wrong = [column for column in columns if isinstance(column, UnknownColumn)]
    if not wrong:
        return
    names = FieldNames(describe, parents)
    near = {column.name: () if "." in column.name else names.meant(column.name) for column in wrong}

    def meant(name: str) -> Sequence[str]:
        return (only_one(near[name]) or (f"<field in place of {name}>",)) if name in near else (name,)

    first = wrong[0]
    do = did_you_mean(near[first.name]) if near[first.name] else "Name another field, or leave it out."
    raise InvalidArgument(f"In set: {first.what} {do}", ("set",), corrected(constants, meant))


def unknown(argument: str, name: str, known: Sequence[str]) -> str:
    """Return the sentences that a name is not one of the known ones, and which may be meant."""
    near = _near(name, known)
    hint = f"Did you mean {quoted_names(near)}?" if near else f"There are: {quoted_names(known, COLUMNS_SHOWN)}."
    return f"{argument} names {quoted_names([name])}, which is not a column here. {hint}"


def _near(name: str, known: Sequence[str]) -> Sequence[str]:
    alike = spelled_alike(name, known)
    return alike or get_close_matches(name[:LONGEST_NAME_SHOWN], [other[:LONGEST_NAME_SHOWN] for other in known], 1)


def spelled_alike(name: str, known: Iterable[str]) -> Sequence[str]:
    """Return those of the known names that have the same letters and digits."""
    word = plain(name)
    return [other for other in dict.fromkeys(known) if word and plain(other) == word]


def only_one(names: Sequence[str]) -> Sequence[str] | None:
    """Return the names where there is one, and None where it is not clear which is meant."""
    return names if len(names) == 1 else None


def corrected(
    given: Mapping[str, object] | Sequence[str], meant: Callable[[str], Sequence[str] | None]
) -> dict[str, object] | list[str] | None:
    """Return the value of an argument with the names that are meant; None where that is not clear for each of them.

    Args:
        given: the value that the caller gave.
        meant: returns the name that is meant by a given one, none for one to leave out, None if it is not clear.
    """
    names = {name: meant(name) for name in given}
    kept = [right for found in names.values() for right in found or ()]
    if None in names.values() or len(set(kept)) < len(kept):
        return None
    if isinstance(given, Mapping):
        return {right: given[name] for name, found in names.items() for right in found or ()}
    return kept
