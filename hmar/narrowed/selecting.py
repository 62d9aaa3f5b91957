"""Collections and selections, narrowed to those that an identity sees."""

from __future__ import annotations

from dataclasses import replace

from hmar.values.deletion import Collections
from hmar.values.identity import Identity
from hmar.values.selection import Selection


def seen(identity: Identity, collections: Collections) -> Collections:
    """Return those of some collections that an identity sees; an empty set where it sees none of them."""
    if identity.collections is None:
        return collections
    if collections is None:
        return identity.collections
    return identity.collections & (frozenset({collections}) if isinstance(collections, str) else collections)


def narrowed(identity: Identity, selection: Selection) -> Selection:
    """Return a selection of nothing but what an identity sees."""
    if identity.collections is None:
        return selection
    within = identity.collections if selection.within is None else identity.collections & selection.within
    return replace(selection, within=within)
