"""Every port in memory: for tests, for trying things out, and as the oracle of the contract suite."""

from hmar.adapters.memory_catalogue import MemoryCatalogue
from hmar.adapters.memory_index import MemoryIndex
from hmar.adapters.memory_jobs import MemoryJobStore
from hmar.adapters.memory_keys import MemoryKeyStore
from hmar.adapters.memory_queue import InlineQueue
from hmar.adapters.memory_source import MemorySource

__all__ = [
    "InlineQueue",
    "MemoryCatalogue",
    "MemoryIndex",
    "MemoryJobStore",
    "MemoryKeyStore",
    "MemorySource",
]
