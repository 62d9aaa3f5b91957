"""What a model computes of a frame before a bit is decided."""

from __future__ import annotations

from dataclasses import dataclass

from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameFeatures:
    """What thresholds and references are fitted to.

    Parameters
    ----------
    kind : str
        One of :data:`hmar.model.serving.references.KINDS`.
    frame_logits : ndarray of float32, shape (128,)
    window_logits : ndarray of float32, shape (W, 128)
        Of every window that shows something.
    summary : ndarray of float32, shape (2 * C,)
        What the frame's typicality is measured by.
    window_summaries : ndarray of float32, shape (W, C)
        What those of regions are measured by.
    window_ids : ndarray of uint32, shape (W,)
        See :mod:`hmar.image.windows`.
    """

    kind: str
    frame_logits: FloatArray
    window_logits: FloatArray
    summary: FloatArray
    window_summaries: FloatArray
    window_ids: WindowIds
