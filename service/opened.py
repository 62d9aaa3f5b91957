"""Indexed frames, decoded again from their files; the frames and the files asked for last are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from hmar.decoding.contained import ContainedFile
from hmar.decoding.indexed import DicomContent, content_of, frame_of, header_of, stored_of
from hmar.errors import NotFoundError
from hmar.recent import Recent
from hmar.values.digests import Digests
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame
from hmar.values.headers import FileHeader
from hmar.values.stored import StoredFrame
from hmar.wiring import Engine

MAX_BYTES = 384 << 20
T = TypeVar("T")


class _Indexed(NamedTuple):
    """What tells a frame from all others, also from those of a database that was put in this one's place."""

    entry_id: int
    sop_instance_uid: str
    frame_number: int
    digests: Digests | None

    @classmethod
    def of(cls, entry: EntryInfo) -> _Indexed:
        info = entry.info
        return cls(entry.entry_id, info.sop_instance_uid, info.frame_number, entry.digests)


class OpenedFiles:
    """The files of indexed frames, and their decoded frames. Thread-safe.

    Parameters
    ----------
    engine : Engine
        Its sources and its decoder are used.
    max_bytes : int
        Memory of this process for the files; the least recently used file is dropped first. A larger
        file is opened again for each frame. What child processes hold of files is bounded there.
    frame_bytes : int
        Memory for decoded frames, in the same way; 0 keeps none.
    """

    def __init__(self, engine: Engine, max_bytes: int = MAX_BYTES, frame_bytes: int = 0) -> None:
        self._engine = engine
        self._files = Recent[Origin, ContainedFile](max_bytes, lambda file: file.cost_bytes)
        self._frames = Recent[_Indexed, Frame](frame_bytes, lambda frame: frame.values.nbytes)

    def frame(self, entry: EntryInfo) -> Frame:
        """Decode an indexed frame, or return it as it was decoded before.

        Raises
        ------
        NotFoundError
            If its file is gone, or holds another image by now, or the frame was deleted.
        DecodeError
            If the file cannot be read any more.
        """
        return self._frames.get(_Indexed.of(entry), lambda: self._read(entry, frame_of))

    def stored(self, entry: EntryInfo) -> StoredFrame:
        """Read an indexed frame as its file stores it; it is not kept. Raises as :meth:`frame`."""
        return self._read(entry, stored_of)

    def headers(self, frames: Sequence[EntryInfo]) -> list[FileHeader]:
        """Return what a viewer is told of frames of a file: of each, or once where they are alike.

        Raises as :meth:`frame`.
        """
        alike, first = self._read(frames[0], lambda file, entry: (file.alike, header_of(file, entry)))
        return [first] if alike else [first, *(self._read(frame, header_of) for frame in frames[1:])]

    def content(self, entry: EntryInfo) -> DicomContent:
        """Return the DICOM file of an indexed frame as it is. Raises as :meth:`frame`."""
        return self._read(entry, content_of)

    def origins(self) -> set[Origin]:
        """Return where the files that are kept now come from."""
        return self._files.keys()

    def drop_deleted(self) -> None:
        """Forget the frames that are not indexed any more, and the files of which none is."""
        catalogue, origins, frames = self._engine.catalogue, self._files.keys(), self._frames.keys()
        self._files.drop(origins - catalogue.referred(origins))
        live = catalogue.entries({frame.entry_id for frame in frames})
        self._frames.drop([frame for frame in frames if frame.entry_id not in live])

    def forget(self, unused_for_s: float) -> None:
        """Forget the decoded frames that nobody has asked for in so many seconds."""
        self._frames.forget(unused_for_s)

    def _read(self, entry: EntryInfo, read: Callable[[ContainedFile, EntryInfo], T]) -> T:
        file = self._files.kept(entry.origin)
        if file is not None:
            with suppress(NotFoundError):
                return self._indexed_still(entry, file, read)
            # Another image may be in the file's place by now.
            self._files.drop([entry.origin])
        file = self._files.get(entry.origin, lambda: self._open(entry.origin))
        return self._indexed_still(entry, file, read)

    def _indexed_still(
        self, entry: EntryInfo, file: ContainedFile, read: Callable[[ContainedFile, EntryInfo], T]
    ) -> T:
        """Read a frame that was not deleted before :meth:`drop_deleted` could see that it is asked for."""
        if entry.entry_id not in self._engine.catalogue.entries([entry.entry_id]):
            self._files.drop([entry.origin])
            raise NotFoundError("This frame is not indexed any more.", "It was deleted.")
        return read(file, entry)

    def _open(self, origin: Origin) -> ContainedFile:
        max_bytes = self._engine.settings.max_file_bytes
        data = self._engine.sources[origin.source].fetch(origin.reference, max_bytes)
        return self._engine.decoder.open(data)
