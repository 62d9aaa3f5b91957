"""Everything that is kept in memory, for as long as the process lives."""

from __future__ import annotations

from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.adapters.memory.jobs import MemoryJobStore
from hmar.adapters.memory.keys import MemoryKeyStore
from hmar.adapters.memory.sessions import MemorySessionStore
from hmar.ports import Storage


def memory_storage() -> Storage:
    """Return an empty archive's storage."""
    return Storage(
        MemoryCatalogue(), MemoryJobStore(), MemoryKeyStore(), MemorySessionStore(), close=lambda: None
    )
