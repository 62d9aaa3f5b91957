"""The frames of one instance that are new: decoded, encoded, and added to the catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from hmar.errors import ConflictError, DecodeError
from hmar.instances import MAX_BAD_FRAMES, Incoming, Plan, Planner
from hmar.ports import Catalogue, FrameEncoder
from hmar.values.codes import EncodedFrame, distinct_windows
from hmar.values.digests import Digests
from hmar.values.entries import Origin
from hmar.values.frames import Frame

CHUNK_FRAMES = 16
"""Frames committed together: few enough to hold, many enough for a transaction."""
PLANS = 3
"""How often a file is compared anew because another with its UID was indexed meanwhile."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where frames are added, where they come from, and their label."""

    collection: str
    origin: Origin
    label: str | None


class Done(NamedTuple):
    """How many frames are new, which cannot be decoded or were not tried, and the UID of all."""

    added: int
    bad: Mapping[int, DecodeError]
    untried: Sequence[int]
    uid: str


class InstanceAdder:
    """Adds what is new of an instance.

    Parameters
    ----------
    catalogue : Catalogue
    encoder : FrameEncoder
    same_uid : str
        What to do with another image under the UID of one that is indexed; see HMAR_SAME_UID.
    beat : callable
        Called after each frame, whatever is made of it.
    """

    def __init__(
        self, catalogue: Catalogue, encoder: FrameEncoder, same_uid: str, beat: Callable[[], None]
    ) -> None:
        self._catalogue = catalogue
        self._encoder = encoder
        self._planner = Planner(catalogue, encoder.fingerprint, same_uid)
        self._beat = beat

    def add(self, incoming: Incoming, target: Target, progress: Callable[[], None] = lambda: None) -> Done:
        """Add what is new of an instance; ``progress`` is called after each frame."""

        def proceed() -> None:
            progress()
            self._beat()

        added, plans = 0, 0
        while True:
            plan = self._planner.plan(target.collection, incoming, proceed)
            plans += 1
            frames = _Decoding(incoming.of_patient(plan.patient_key), plan, proceed)
            try:
                # Killed between two commits, a replacement would leave an image that is neither.
                at_once = len(incoming.numbers) if plan.replaced else CHUNK_FRAMES
                for chunk in self._chunks(frames, incoming, target, proceed, at_once):
                    added += self._append(chunk, target, plan)
                return Done(added, frames.bad, frames.untried, plan.uid)
            except ConflictError:
                # Another worker has indexed a file with this UID since the plan was made.
                if plans == PLANS:
                    raise

    def _append(self, chunk: Sequence[EncodedFrame], target: Target, plan: Plan) -> int:
        named = [
            encoded
            if encoded.info.sop_instance_uid == plan.uid
            else replace(encoded, info=replace(encoded.info, sop_instance_uid=plan.uid, uids_derived=True))
            for encoded in chunk
        ]
        appended = self._catalogue.append(target.collection, named, target.origin, plan.as_of, plan.replaced)
        if plan.replaced:
            _log.info(
                "%d frames (entries %d to %d) were replaced by another image with their SOP Instance UID",
                len(plan.replaced),
                min(plan.replaced),
                max(plan.replaced),
            )
        return appended.added

    def _chunks(
        self,
        frames: Iterable[Frame],
        incoming: Incoming,
        target: Target,
        progress: Callable[[], None],
        at_once: int,
    ) -> Iterator[list[EncodedFrame]]:
        """Encode frames; yield ``at_once`` of them at a time."""

        def encoded(frame: Frame) -> EncodedFrame:
            codes = distinct_windows(self._encoder.encode(frame))
            digests = Digests.of(frame, incoming.file_sha256, incoming.file_frames)
            progress()
            return replace(codes, info=replace(codes.info, label=target.label), digests=digests)

        each = map(encoded, frames)
        while chunk := list(islice(each, at_once)):
            yield chunk


class _Decoding:
    """Decodes the frames that a plan misses; keeps which cannot be."""

    def __init__(self, incoming: Incoming, plan: Plan, progress: Callable[[], None]) -> None:
        self._incoming = incoming
        self._missing = plan.missing
        self._progress = progress
        self.bad = dict(plan.bad)
        self.untried: Sequence[int] = ()

    def __iter__(self) -> Iterator[Frame]:
        for place, number in enumerate(self._missing):
            if len(self.bad) >= MAX_BAD_FRAMES:
                self.untried = self._missing[place:]
                return
            try:
                frame = self._incoming.frame(number)
            except DecodeError as error:
                self.bad[number] = error
                self._progress()
            else:
                yield frame
