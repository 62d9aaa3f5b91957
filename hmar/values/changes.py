"""What happened in the archive, as the log has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Self

from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import FrameInfo
from hmar.values.plain import Json

LOOK_S = 1.0
"""Pause between two looks for changes."""


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

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the change that an answer tells; what stays on the server is empty."""
        added, collection = int(told["added_seq"]), told["collection"]
        entry = None
        if told["sop_instance_uid"] is not None:
            fingerprint = told["model_fingerprint"]
            entry = EntryInfo(added, collection, FrameInfo.from_dict(told), fingerprint, Origin("", ""))
        at = datetime.fromisoformat(told["at"]).timestamp()
        return cls(int(told["seq"]), told["kind"], added, collection, at, entry)


class Changes(NamedTuple):
    """Changes in order of the log, and the number of the last row that was looked at."""

    changes: list[Change]
    last_seq: int


def followed(
    look: Callable[[int], tuple[Iterable[Change], int]], after: int, follow: bool, look_s: float
) -> Iterator[Change]:
    """Yield the changes since one, oldest first, look by look.

    Parameters
    ----------
    look : callable
        Returns the next changes since one, and the ``seq`` up to which it has looked.
    after : int
        The ``seq`` of the last change that is known, 0 for none.
    follow : bool
        Whether to wait for further changes for ever, in place of ending behind the last one.
    look_s : float
        Pause between two looks where there is nothing new, in seconds.
    """
    while True:
        changes, reached = look(after)
        yield from changes
        if reached == after:
            if not follow:
                return
            time.sleep(look_s)
        after = reached
