"""Indexed frames, decoded again from their files; a cache holds the files last opened."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from hmar.decoding import frame_of, holds
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame, ImageFile
from hmar.wiring import Engine

MAX_BYTES = 384 << 20
_BYTES_PER_PIXEL = 4


class _Opened(NamedTuple):
    """A file, an upper bound of its bytes in memory, and a lock: its frames are decoded one at a time."""

    file: ImageFile
    size: int
    decoding: threading.Lock


class OpenedFiles:
    """The files of indexed frames. Thread-safe.

    Parameters
    ----------
    engine : Engine
        Its sources and its decoder are used.
    max_bytes : int
        Size of the cache; the least recently used file is dropped first. A larger file is opened again for
        each frame.
    """

    def __init__(self, engine: Engine, max_bytes: int = MAX_BYTES) -> None:
        self._engine = engine
        self._max_bytes = max_bytes
        self._files: OrderedDict[Origin, _Opened] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def frame(self, entry: EntryInfo) -> Frame:
        """Decode an indexed frame.

        Raises
        ------
        NotFoundError
            If its file is gone, or holds another image by now.
        DecodeError
            If the file cannot be read any more.
        """
        opened = self._kept(entry.origin)
        if opened is None or not holds(opened.file, entry):
            opened = self._open(entry.origin)
        with opened.decoding:
            return frame_of(opened.file, entry)

    def _kept(self, origin: Origin) -> _Opened | None:
        with self._lock:
            if origin in self._files:
                self._files.move_to_end(origin)
            return self._files.get(origin)

    def _open(self, origin: Origin) -> _Opened:
        max_bytes = self._engine.settings.max_file_bytes
        data = self._engine.sources[origin.source].fetch(origin.reference, max_bytes)
        file = self._engine.decoder.open(data)
        pixels = sum(info.rows * info.columns for info in file.infos)
        opened = _Opened(file, max(len(data), _BYTES_PER_PIXEL * pixels), threading.Lock())
        self._keep(origin, opened)
        return opened

    def _keep(self, origin: Origin, opened: _Opened) -> None:
        with self._lock:
            if (known := self._files.pop(origin, None)) is not None:
                self._size -= known.size
            if opened.size > self._max_bytes:
                return
            self._files[origin] = opened
            self._size += opened.size
            while self._size > self._max_bytes:
                self._size -= self._files.popitem(last=False)[1].size
