"""What a web server keeps of frames that were asked about, and when it forgets that."""

from __future__ import annotations

from hmar.model.serving.maps import KeptMaps
from service.opened import OpenedFiles

UNUSED_S = 600.0
FORGOTTEN_EVERY_S = 60.0


class KeptFrames:
    """Their pixels and their feature maps, in memory. Thread-safe.

    Parameters
    ----------
    opened : OpenedFiles
    maps : KeptMaps
    """

    def __init__(self, opened: OpenedFiles, maps: KeptMaps) -> None:
        self._opened = opened
        self._maps = maps

    def drop_deleted(self) -> None:
        """Forget what was deleted, and all maps: they are known by pixels, not by frames."""
        self._maps.forget()
        self._opened.drop_deleted()

    def forget_unused(self) -> None:
        """Forget the frames that nobody has asked about for ten minutes, indexed or sent."""
        self._maps.forget(UNUSED_S)
        self._opened.forget(UNUSED_S)
