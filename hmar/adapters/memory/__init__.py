"""Every port in memory: for tests, for trying things out, and as the oracle of the contract suite."""

from hmar.adapters.memory.audit import MemoryAuditStore
from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.adapters.memory.feedback import MemoryFeedbackStore
from hmar.adapters.memory.follows import MemoryFollowStore
from hmar.adapters.memory.holdings import MemoryPacsHoldings
from hmar.adapters.memory.index import MemoryIndex
from hmar.adapters.memory.jobs import MemoryJobStore
from hmar.adapters.memory.keys import MemoryKeyStore
from hmar.adapters.memory.models import MemoryModelStore
from hmar.adapters.memory.queue import InlineQueue
from hmar.adapters.memory.sessions import MemorySessionStore
from hmar.adapters.memory.slabs import MemorySlabStore
from hmar.adapters.memory.source import MemorySource, MemoryUploads
from hmar.adapters.memory.storage import memory_storage
from hmar.adapters.memory.webhooks import MemoryWebhookStore

__all__ = [
    "InlineQueue",
    "MemoryAuditStore",
    "MemoryCatalogue",
    "MemoryFeedbackStore",
    "MemoryFollowStore",
    "MemoryIndex",
    "MemoryJobStore",
    "MemoryKeyStore",
    "MemoryModelStore",
    "MemoryPacsHoldings",
    "MemorySessionStore",
    "MemorySlabStore",
    "MemorySource",
    "MemoryUploads",
    "MemoryWebhookStore",
    "memory_storage",
]
