"""The addresses by which callers name the columns of a source: the name of a column, or its place where names repeat."""

import re
from collections import defaultdict
from collections.abc import Sequence

from salesforce_bulk_ingest.base.text import without_hidden

LONGEST_ADDRESS = 255
"""The maximum number of characters of a name that is an address; a column with a longer name is addressed by its place."""

_PLACE = re.compile("#0*([1-9][0-9]{0,5})", re.ASCII)


class ColumnAddresses:
    """An index of the columns of a source by their addresses.

    An address is the name of a column, exactly or as answers show it (without hidden characters), or its place: `#3` is the
    third column. A name goes before a place, so that a column of the name `#3` can be named.

    Args:
        header: the names of the columns.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._by_shown: dict[str, list[int]] = defaultdict(list)
        for index, name in enumerate(header):
            self._by_name[name].append(index)
            self._by_shown[without_hidden(name)].append(index)

    def find(self, address: str) -> Sequence[int]:
        """Return the indexes of the columns at an address: several where a name repeats, none where there is no column."""
        place = _PLACE.fullmatch(address)
        at_place = [int(place[1]) - 1] if place and int(place[1]) <= len(self._header) else []
        return self._by_name.get(address) or self._by_shown.get(address) or at_place

    def of(self, index: int) -> str:
        """Return the address of one column: its name as answers show it, else its place."""
        shown: str = without_hidden(self._header[index])
        if shown.strip() and len(shown) <= LONGEST_ADDRESS and self.find(shown) == [index]:
            return shown
        place = f"#{index + 1}"
        while self.find(place) != [index]:  # another column has this name
            place = place.replace("#", "#0")
        return place
