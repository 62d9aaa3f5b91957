"""Everything that is kept in memory, for as long as the process lives."""

from __future__ import annotations

from hmar.adapters.memory.audit import MemoryAuditStore
from hmar.adapters.memory.catalogue import MemoryCatalogue
from hmar.adapters.memory.feedback import MemoryFeedbackStore
from hmar.adapters.memory.follows import MemoryFollowStore
from hmar.adapters.memory.holdings import MemoryPacsHoldings
from hmar.adapters.memory.integrity import MemoryIntegrity
from hmar.adapters.memory.jobs import MemoryJobStore
from hmar.adapters.memory.keys import MemoryKeyStore
from hmar.adapters.memory.models import MemoryModelStore
from hmar.adapters.memory.sessions import MemorySessionStore
from hmar.adapters.memory.slabs import MemorySlabStore
from hmar.adapters.memory.webhooks import MemoryWebhookStore
from hmar.ports import Storage


def memory_storage() -> Storage:
    """Return an empty archive's storage."""
    catalogue = MemoryCatalogue()
    integrity, jobs = MemoryIntegrity(catalogue), MemoryJobStore()
    return Storage(
        catalogue,
        MemoryModelStore(catalogue),
        MemorySlabStore(catalogue),
        jobs,
        MemoryKeyStore(),
        MemorySessionStore(),
        MemoryAuditStore(),
        MemoryWebhookStore(),
        MemoryFeedbackStore(catalogue),
        MemoryFollowStore(),
        MemoryPacsHoldings(catalogue, jobs),
        integrity,
        integrity,
        close=lambda: None,
    )
