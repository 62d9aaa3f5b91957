"""Indexed frames, decoded again from their files; a cache holds the files last opened."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection

from hmar.decoding.contained import ContainedFile
from hmar.decoding.indexed import frame_of, holds
from hmar.errors import NotFoundError
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame
from hmar.wiring import Engine

MAX_BYTES = 384 << 20


class OpenedFiles:
    """The files of indexed frames. Thread-safe.

    Parameters
    ----------
    engine : Engine
        Its sources and its decoder are used.
    max_bytes : int
        Size of the cache in memory of this process; the least recently used file is dropped first. A larger
        file is opened again for each frame. What child processes hold of files is bounded there.
    """

    def __init__(self, engine: Engine, max_bytes: int = MAX_BYTES) -> None:
        self._engine = engine
        self._max_bytes = max_bytes
        self._files: OrderedDict[Origin, ContainedFile] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def frame(self, entry: EntryInfo) -> Frame:
        """Decode an indexed frame.

        Raises
        ------
        NotFoundError
            If its file is gone, or holds another image by now, or the frame was deleted.
        DecodeError
            If the file cannot be read any more.
        """
        file = self._kept(entry.origin)
        if file is None or not holds(file, entry):
            file = self._open(entry.origin)
            if entry.entry_id not in self._engine.catalogue.entries([entry.entry_id]):
                # Deleted while it was being read: nobody would drop it.
                self._drop([entry.origin])
                raise NotFoundError("This frame is not indexed any more.", "It was deleted.")
        return frame_of(file, entry)

    def origins(self) -> set[Origin]:
        """Return where the files that are kept now come from."""
        with self._lock:
            return set(self._files)

    def drop_deleted(self) -> None:
        """Forget the files of which no frame is indexed any more."""
        kept = self.origins()
        self._drop(kept - self._engine.catalogue.referred(kept))

    def _drop(self, origins: Collection[Origin]) -> None:
        with self._lock:
            for origin in origins:
                if (file := self._files.pop(origin, None)) is not None:
                    self._size -= file.cost_bytes

    def _kept(self, origin: Origin) -> ContainedFile | None:
        with self._lock:
            if origin in self._files:
                self._files.move_to_end(origin)
            return self._files.get(origin)

    def _open(self, origin: Origin) -> ContainedFile:
        max_bytes = self._engine.settings.max_file_bytes
        data = self._engine.sources[origin.source].fetch(origin.reference, max_bytes)
        file = self._engine.decoder.open(data)
        self._keep(origin, file)
        return file

    def _keep(self, origin: Origin, file: ContainedFile) -> None:
        with self._lock:
            if (known := self._files.pop(origin, None)) is not None:
                self._size -= known.cost_bytes
            if file.cost_bytes > self._max_bytes:
                return
            self._files[origin] = file
            self._size += file.cost_bytes
            while self._size > self._max_bytes:
                self._size -= self._files.popitem(last=False)[1].cost_bytes
