"""Slabs in memory."""

from __future__ import annotations

from collections.abc import Collection

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.values.groups import FrameCodes
from hmar.values.slabs import Member, Slab, slabs_of


class MemorySlabStore:
    """A :class:`hmar.ports.SlabStore` over a catalogue in memory. Thread-safe.

    Parameters
    ----------
    catalogue : MemoryCatalogue
        Keeps the frames, and who stands for whom.
    """

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue

    def sizes(self) -> dict[str, float]:
        """Return the thickness of the slabs of each collection that has any."""
        return self._catalogue.slab_sizes()

    def change(self, collection: str, slab_mm: float | None) -> int:
        """Give a collection slabs of another thickness, or none."""
        return self._catalogue.change_slabs(collection, slab_mm)

    def slabs(self, entry_ids: Collection[int]) -> dict[int, Slab]:
        """Return the slabs that entries lie in, of those in which one slice stands for others."""
        sizes = self.sizes()
        found: dict[int, Slab] = {}
        with self._catalogue.stacked(entry_ids) as stacks:
            for stack in stacks:
                slab_mm = sizes.get(stack[0].info.collection)
                if slab_mm is None:
                    continue
                held = {entry.info.entry_id for entry in stack if entry.held_back}
                members = [Member(one.info.entry_id, one.info.info.along_mm or 0.0) for one in stack]
                for slab in slabs_of(members, slab_mm):
                    ids = [member.entry_id for member in slab]
                    if not held.isdisjoint(ids):
                        found |= dict.fromkeys(ids, Slab(slab_mm, tuple(ids)))
        return {entry_id: found[entry_id] for entry_id in entry_ids if entry_id in found}

    def codes(self, entry_ids: Collection[int]) -> list[FrameCodes]:
        """Return all codes of live entries, those that are held back included, in the order given."""
        return [
            FrameCodes(entry_id, codes.global_code, codes.window_codes, codes.window_ids)
            for entry_id, codes in self._catalogue.codes(entry_ids).items()
        ]
