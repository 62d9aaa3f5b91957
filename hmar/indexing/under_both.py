"""New frames are indexed under the model in use and, while there is a next one, under that as well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hmar.errors import ConflictError, NotFoundError
from hmar.indexing.adding import Done, InstanceAdder, Target
from hmar.indexing.carrying import Carrier
from hmar.indexing.encoders import Current, Encoders
from hmar.instances import Incoming
from hmar.ports import Catalogue, FrameEncoder
from hmar.values.digests import pixel_digest
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame


class UnderBoth:
    """Adds what is new of an instance under every model that the archive is indexed under.

    Which models these are is looked up again afterwards. Whatever was indexed before a change counted when
    the change was made: as missing under a model that is to be used, or as to be carried to one that has just
    become the next. So no frame is left out, whenever a change comes.

    Parameters
    ----------
    catalogue : Catalogue
    encoders : Encoders
    carrier : Carrier or None
        None where there is never a next model.
    same_uid : str
        See HMAR_SAME_UID.
    beat : callable
        Called after each frame, whatever is made of it.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoders: Encoders,
        carrier: Carrier | None,
        same_uid: str,
        beat: Callable[[], None],
    ) -> None:
        self._catalogue = catalogue
        self._encoders = encoders
        self._carrier = carrier
        self._same_uid = same_uid
        self._beat = beat

    def add(self, incoming: Incoming, target: Target, progress: Callable[[], None] = lambda: None) -> Done:
        """Add what is new of an instance; ``progress`` is called after each frame."""
        added, current = 0, self._encoders.current()
        while True:
            done = self._once(current, incoming, target, progress)
            added += done.added
            before, current = current, self._encoders.current()
            if current.fingerprints == before.fingerprints:
                return done._replace(added=added)

    def _once(
        self, current: Current, incoming: Incoming, target: Target, progress: Callable[[], None]
    ) -> Done:
        adder = InstanceAdder(self._catalogue, current.used, self._same_uid, self._beat)
        done = adder.add(incoming, target, progress)
        if current.next is not None and self._carrier is not None:
            self._carry(self._carrier, current.next, done.uid, incoming, target, progress)
        return done

    def _carry(
        self,
        carrier: Carrier,
        encoder: FrameEncoder,
        uid: str,
        incoming: Incoming,
        target: Target,
        progress: Callable[[], None],
    ) -> None:
        """Carry what is in hand; frames of another file are left to the job that goes through all files."""

        def read(entry: EntryInfo) -> Frame:
            if entry.info.frame_number not in incoming.numbers:
                raise _elsewhere()
            frame = incoming.frame(entry.info.frame_number)
            if entry.digests is None or pixel_digest(frame) != entry.digests.pixels:
                raise _elsewhere()
            return frame

        def proceed() -> None:
            progress()
            self._beat()

        with suppress(ConflictError):  # the next model is none any more, or labels change all the time
            carrier.carry(target.collection, uid, encoder, read, proceed)


def _elsewhere() -> NotFoundError:
    return NotFoundError("The frame is not of this file.", "Its own file is read for it.")
