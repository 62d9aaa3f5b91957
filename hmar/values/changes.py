"""What happened in the archive, as the log has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from hmar.values.entries import EntryInfo
from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the log, with what is still known of its frame.

    Parameters
    ----------
    seq : int
        Number of the row. That of an "add" is also the id of the entry.
    kind : str
        "add" or "delete".
    entry_id : int
    collection : str
    created_at : float
        In seconds since the epoch.
    entry : EntryInfo or None
        None for a delete, and for an add that was deleted since.
    """

    seq: int
    kind: Literal["add", "delete"]
    entry_id: int
    collection: str
    created_at: float
    entry: EntryInfo | None

    def to_dict(self) -> Json:
        """Return the change as the API does."""
        known = None if self.entry is None else self.entry.info
        return {
            "seq": self.seq,
            "kind": self.kind,
            "added_seq": self.entry_id,
            "collection": self.collection,
            "at": datetime.fromtimestamp(self.created_at, UTC).isoformat(timespec="milliseconds"),
            "study_uid": None if known is None else known.study_uid,
            "series_uid": None if known is None else known.series_uid,
            "sop_instance_uid": None if known is None else known.sop_instance_uid,
            "frame_number": None if known is None else known.frame_number,
            "model_fingerprint": None if self.entry is None else self.entry.model_fingerprint,
        }


class Changes(NamedTuple):
    """Changes in order of the log, and the number of the last row that was looked at."""

    changes: list[Change]
    last_seq: int
