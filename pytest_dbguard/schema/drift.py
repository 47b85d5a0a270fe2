"""How the schema that statistics were taken from differs from this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_dbguard.schema.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Seen:
    """A table as a statistics file has it: names of columns and of indexes."""

    columns: Sequence[str] = ()
    indexes: Sequence[str] = ()


def drift(ours: Catalog, theirs: Mapping[tuple[str, str], Seen]) -> tuple[str, ...]:
    """Return what is missing on either side: few lines, each with the nearest name; () where both agree.

    Args:
        ours: The schema of the tests.
        theirs: Tables of the file by schema ("" where it is not known) and name.
    """
    raise NotImplementedError((ours, theirs))
