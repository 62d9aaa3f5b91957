"""Instances are pushed: each is spooled, looked at, and kept for an index job or refused by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from hmar.contents import Content
from hmar.errors import DecodeError, DiskFullError, LimitError
from hmar.spool import Draft, Spool, Spooled
from hmar.values.identified import Identified
from hmar.values.received import FailureReason, Received

_log = logging.getLogger(__name__)


class Receiver:
    """Receives instances.

    Parameters
    ----------
    spool : Spool
    identify : callable
        Returns what an instance is; raises DecodeError.
    max_bytes : int
        Of one instance.
    check_room : callable
        Raises OperatorError where the disk has no room.
    name : str
        Of the folder that is received into.
    """

    def __init__(
        self,
        spool: Spool,
        identify: Callable[[Content], Identified],
        max_bytes: int,
        check_room: Callable[[], None],
        name: str,
    ) -> None:
        self._spool, self._identify = spool, identify
        self._max_bytes, self._check_room, self._name = max_bytes, check_room, name

    @contextmanager
    def kept(self) -> Iterator[list[Spooled]]:
        """Give a list for the files that are kept; those in it are forgotten if the context fails."""
        files: list[Spooled] = []
        try:
            yield files
        except BaseException:
            self._spool.remove(files)
            raise

    def receive(
        self, collection: str, pieces: Iterable[bytes], study_uid: str | None, kept: list[Spooled]
    ) -> Received:
        """Receive one instance, which is added to ``kept`` if it is taken.

        Parameters
        ----------
        collection : str
        pieces : iterable of bytes
            Its file.
        study_uid : str or None
            The study that it must be of; None takes any.
        kept : list of Spooled

        Raises
        ------
        OperatorError
            If nothing can be received or looked at, for another reason than a full disk.
        """
        try:
            draft = self._spool.draft(self._name, collection, self._max_bytes, self._check_room)
        except DiskFullError as error:
            return _without_room(error)
        try:
            try:
                for piece in pieces:
                    draft.write(piece)
                received = self._judged(draft, study_uid)
                if received.failure is None:
                    kept.append(draft.keep(collection))
                return received
            except (LimitError, DiskFullError) as error:
                return _without_room(error)
        finally:
            draft.discard()

    def _judged(self, draft: Draft, study_uid: str | None) -> Received:
        try:
            found = self._identify(draft.content())
        except DecodeError as error:
            _log.info("an instance was refused: %s", error.detail)
            return Received(None, FailureReason.NOT_UNDERSTOOD)
        return Received(found, _failure(found, study_uid))


def _failure(found: Identified, study_uid: str | None) -> FailureReason | None:
    if not (found.study_uid and found.sop_instance_uid and found.sop_class_uid):
        return FailureReason.NOT_UNDERSTOOD
    if study_uid not in (None, found.study_uid):
        return FailureReason.OTHER_STUDY
    if not found.decodable:
        return FailureReason.TRANSFER_SYNTAX
    if not found.has_pixels:
        return FailureReason.SOP_CLASS
    return None if found.fault is None else FailureReason.NOT_UNDERSTOOD


def _without_room(error: LimitError | DiskFullError) -> Received:
    _log.warning("an instance was refused: %s", error.detail)
    return Received(None, FailureReason.OUT_OF_RESOURCES)
