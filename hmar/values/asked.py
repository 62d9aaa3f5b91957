"""How an archive is searched, as keywords of methods that search before they do something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict

from hmar.properties.python_filters import FilterValue
from hmar.values.codes import Bits
from hmar.values.fast import Search
from hmar.values.hits import Mode
from hmar.values.indexed import Indexed
from hmar.values.selection import Exclusion, GroupBy, Same


class HowSearched(TypedDict, total=False):
    """Keywords of :meth:`hmar.Archive.search`; filters are in ``where``."""

    k: int
    mode: Mode | None
    bits: Bits
    collection: str | None
    exclude: Same | Exclusion | None
    only: Collection[str] | None
    group_by: GroupBy | None
    relevant: Sequence[Indexed]
    not_relevant: Sequence[Indexed]
    search: Search | None
    where: Mapping[str, FilterValue] | None
