"""Frames that are indexed under one model are indexed under another: the same in all but their codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hmar.errors import ConflictError, InputError
from hmar.indexing.adding import CHUNK_FRAMES
from hmar.instances import MAX_BAD_FRAMES
from hmar.ports import FrameEncoder, ModelStore
from hmar.values.codes import EncodedFrame, distinct_windows
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame

ROUNDS = 3
"""How often is looked for frames whose label was changed meanwhile: they are other entries then."""

Read = Callable[[EntryInfo], Frame]
"""Decodes the frame of an entry; raises InputError if its file is gone, changed, or not readable."""


class Carried(NamedTuple):
    """How carrying went.

    Parameters
    ----------
    total : int
        Frames that were missing under the model.
    added : int
        Frames of them that it has now.
    bad : dict of int to str
        Why frames cannot be carried, by their number in the file.
    untried : sequence of int
        Numbers of the frames that were not tried because so many others are bad.
    """

    total: int
    added: int
    bad: dict[int, str]
    untried: Sequence[int] = ()


class Carrier:
    """Encodes what a model misses.

    Parameters
    ----------
    models : ModelStore
    opened : callable
        Opens the file of an origin, and returns what decodes the frames of its entries.
    """

    def __init__(self, models: ModelStore, opened: Callable[[Origin], Read]) -> None:
        self._models = models
        self._opened = opened

    def files(self, model_fingerprint: str, collection: str) -> list[Origin]:
        """Return where the frames of a collection come from that a model misses."""
        return self._models.files(model_fingerprint, collection)

    def file(
        self, collection: str, origin: Origin, encoder: FrameEncoder, progress: Callable[[], None]
    ) -> Carried:
        """Carry all frames of a file that a model misses; ``progress`` is called after each.

        Raises
        ------
        InputError
            If the file is gone or cannot be opened.
        """
        if not self._models.lacking(encoder.fingerprint, collection, origin):
            return Carried(0, 0, {})
        return self.carry(collection, origin, encoder, self._opened(origin), progress)

    def carry(
        self,
        collection: str,
        of: Origin | str,
        encoder: FrameEncoder,
        read: Read,
        progress: Callable[[], None],
    ) -> Carried:
        """Carry the frames of a file, or of an instance, that a model misses; see :meth:`file`."""
        added, bad, names = 0, dict[int, str](), set[tuple[str, int]]()
        for _ in range(ROUNDS):
            left = [
                entry
                for entry in self._models.lacking(encoder.fingerprint, collection, of)
                if entry.info.frame_number not in bad
            ]
            names.update((entry.info.sop_instance_uid, entry.info.frame_number) for entry in left)
            if not left:
                return Carried(len(names), added, bad)
            for start in range(0, len(left), CHUNK_FRAMES):
                if len(bad) >= MAX_BAD_FRAMES:
                    return Carried(len(names), added, bad, self._untried(encoder, collection, of, bad))
                some = left[start : start + CHUNK_FRAMES]
                added += self._models.carry(self._codes(some, encoder, read, bad, progress))
        if untried := self._untried(encoder, collection, of, bad):
            raise ConflictError(
                f"{len(untried)} frames were changed again and again meanwhile.", "Try again later."
            )
        return Carried(len(names), added, bad)

    def _codes(
        self,
        entries: Sequence[EntryInfo],
        encoder: FrameEncoder,
        read: Read,
        bad: dict[int, str],
        progress: Callable[[], None],
    ) -> dict[int, EncodedFrame]:
        codes = {}
        for entry in entries:
            try:
                codes[entry.entry_id] = distinct_windows(encoder.encode(read(entry)))
            except InputError as error:
                bad[entry.info.frame_number] = str(error)
            progress()
        return codes

    def _untried(
        self, encoder: FrameEncoder, collection: str, of: Origin | str, bad: dict[int, str]
    ) -> list[int]:
        lacking = self._models.lacking(encoder.fingerprint, collection, of)
        return [entry.info.frame_number for entry in lacking if entry.info.frame_number not in bad]
