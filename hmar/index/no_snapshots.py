"""A snapshot store that keeps nothing, for an index that lives in memory alone."""

from __future__ import annotations

from hmar.errors import SnapshotError
from hmar.index.snapshot import Generation, Snapshot


class NoSnapshots:
    """Stands in for a :class:`hmar.index.snapshot.SnapshotStore` in which nothing is ever found."""

    def load(self, checked: bool = True) -> Generation | None:  # noqa: ARG002 - the store's signature
        """Return None."""
        return None

    def newest_seq(self) -> int:
        """Return 0."""
        return 0

    def write(self, snapshot: Snapshot) -> bool:  # noqa: ARG002
        """Write nothing; return False."""
        return False

    def purge(self, deleted_seq: int) -> bool:  # noqa: ARG002
        """Return True: there is nothing that could hold what was deleted."""
        return True

    def refuse(self, generation: Generation, error: SnapshotError) -> None:
        """Do nothing: there are no generations to refuse."""

    def discard(self) -> None:
        """Do nothing."""
