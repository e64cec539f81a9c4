"""The columns that a reviewed mapping knows: a file with others, or without some, is not the file that was reviewed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import OutOfBounds
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses


@dataclass(frozen=True, slots=True)
class HeaderBounds:
    """The headers that a source may have.

    Attributes:
        as_they_are: the names of columns that are known, and keep their names.
        needed: those of them that have to be there.
        may_have_new: whether the source may have columns that are not known.
        may_lack: whether the source may lack columns that are known.
    """

    as_they_are: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()
    may_have_new: bool = False
    may_lack: bool = False

    def missing(self, columns: Mapping[str, object], header: Sequence[str]) -> frozenset[str]:
        """Return the addresses of columns, and names that columns keep, that a header lacks.

        Args:
            columns: the addresses of the columns that get another name, or are left out.
            header: the names of the columns of the source.

        Raises:
            OutOfBounds: the header has, or lacks, what it may not.
        """
        addresses = ColumnAddresses(header)
        found = {address: addresses.find(address) for address in columns}
        lacking = [address for address, indexes in found.items() if not indexes]
        lacking += [name for name in self.needed if name not in header]
        known = {index for indexes in found.values() for index in indexes}
        new = [
            addresses.of(index)
            for index, name in enumerate(header)
            if index not in known and name not in self.as_they_are
        ]
        out = []
        if lacking and not self.may_lack:
            out.append(f"it lacks {quoted_names(lacking)} (missingHeaders)")
        if new and not self.may_have_new:
            out.append(f"it has {quoted_names(new)}, which the recipe does not know (newHeaders)")
        if out:
            raise OutOfBounds(out)
        if len(lacking) == len(columns) + len(self.needed) and lacking:
            raise OutOfBounds([f"it lacks every column of the recipe, such as {quoted_names(lacking[:1])}"])
        return frozenset(lacking)
