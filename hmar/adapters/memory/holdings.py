"""What came from a PACS, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from hmar.adapters.common.holdings import held_instances
from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.adapters.memory.jobs import MemoryJobStore
from hmar.values.entries import EntryInfo
from hmar.values.follows import HeldInstance
from hmar.values.pulls import PACS, InstanceReference


class MemoryPacsHoldings:
    """A :class:`hmar.ports.PacsHoldings` over a catalogue and jobs in memory. Thread-safe.

    Parameters
    ----------
    catalogue : MemoryCatalogue
    jobs : MemoryJobStore
    """

    def __init__(self, catalogue: MemoryCatalogue, jobs: MemoryJobStore) -> None:
        self._catalogue, self._jobs = catalogue, jobs

    def studies(self, site: str) -> list[str]:
        """Return the UIDs of studies with live frames that came from a PACS."""
        return list({entry.info.study_uid for entry in self._of_site(site)})

    def of_study(self, site: str, study_uid: str) -> list[HeldInstance]:
        """Return the instances of a study whose live frames all came from the PACS."""
        origins = defaultdict(set)
        with self._catalogue.held() as entries:
            for entry in entries:
                if entry.info.study_uid == study_uid:
                    origins[entry.collection, entry.info.sop_instance_uid].add(entry.origin)
        return held_instances(site, origins)

    def count(self, site: str) -> int:
        """Return how many instances came from a PACS, one in two collections as one."""
        return len({entry.origin.reference for entry in self._of_site(site)})

    def asked_for(self, collection: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that a job of a collection was ever created for."""
        known = self._jobs.asked_for(collection, PACS)
        return {reference for reference in references if str(reference) in known}

    def _of_site(self, site: str) -> list[EntryInfo]:
        with self._catalogue.held() as entries:
            return [
                entry
                for entry in entries
                if entry.origin.source == PACS and entry.origin.reference.startswith(f"{site}/")
            ]
