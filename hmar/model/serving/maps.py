"""Feature maps of the frames that were asked about last: another region of one costs no backbone pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hmar.recent import Recent
from hmar.values.codes import WindowIds
from hmar.values.digests import pixel_digest
from hmar.values.frames import FloatArray, Frame
from hmar.values.geometry import Spacing


class FrameMap(NamedTuple):
    """What follows from a frame's pixels and their spacing: what is asked about them does not matter.

    Parameters
    ----------
    backbone_map : ndarray of float32, shape (h, w, C)
    ids : ndarray of uint32, shape (W,)
        The windows that show something.
    shown : ndarray of float32, shape (h, w)
        Share of each cell that shows something.
    """

    backbone_map: FloatArray
    ids: WindowIds
    shown: FloatArray


class KeptMaps:
    """Maps of the models of a process, in memory only. Thread-safe.

    Parameters
    ----------
    max_bytes : int
        Memory that they may take together; 0 keeps none.
    """

    def __init__(self, max_bytes: int) -> None:
        self._maps = Recent[_Pixels, FrameMap](max_bytes, lambda map_: sum(array.nbytes for array in map_))

    def of(self, model_fingerprint: str, frame: Frame, make: Callable[[Frame], FrameMap]) -> FrameMap:
        """Return a model's map of a frame, which is made once for all who wait for it."""
        key = (model_fingerprint, pixel_digest(frame), frame.info.spacing, frame.info.pixel_aspect)
        return self._maps.get(key, lambda: make(frame))

    def forget(self, unused_for_s: float = 0.0) -> None:
        """Forget the maps of frames that nobody has asked about for so many seconds; with 0, all."""
        self._maps.forget(unused_for_s)


_Pixels = tuple[str, str, Spacing | None, float | None]
"""The model, the digest of a frame's pixels, their spacing and their aspect."""
