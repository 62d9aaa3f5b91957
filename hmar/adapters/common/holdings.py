"""Which instances a PACS alone has given, whatever the catalogue is kept in."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hmar.values.entries import Origin
from hmar.values.follows import HeldInstance
from hmar.values.pulls import PACS, InstanceReference


def held_instances(site: str, origins: Mapping[tuple[str, str], Collection[Origin]]) -> list[HeldInstance]:
    """Return the instances all of whose frames are of one instance of a PACS, sorted.

    Parameters
    ----------
    site : str
        Name of the PACS.
    origins : mapping
        Where frames came from, by collection and SOP Instance UID.
    """
    found = []
    for (collection, uid), some in origins.items():
        [origin, *others] = some
        if origin.source == PACS and not others and origin.reference.startswith(f"{site}/"):
            found.append(HeldInstance(collection, uid, InstanceReference.parse(origin.reference)))
    return sorted(found)
