"""What an encoder makes of a part: codes of its frames and windows, and of the boxes of its structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmark.series.parts import Part
from hmar.values.codes import CodeArray, EncodedFrame, Query, WindowIds
from hmar.values.frames import Frame
from hmar.values.geometry import Box


class Encoder(Protocol):
    """What the benchmark needs of the product's encoders."""

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame and all its windows."""

    def region_query(self, frame: Frame, region: Box) -> Query:
        """Encode a region of a frame."""

    def spread(self, window_ids: WindowIds) -> WindowIds:
        """Return the largest of a frame's windows that do not overlap one another."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPart:
    """The codes of a part.

    Parameters
    ----------
    frames : ndarray of uint8, shape (F, 16)
        Global code of each frame.
    windows : tuple of ndarray of uint8, shape (W, 16) each
        Window codes of each frame, W from 1.
    spread : tuple of ndarray of uint8, shape (S, 16) each
        Those that stand for each whole frame.
    structures : mapping of str to tuple of ndarray of uint8, shape (9, 16) each
        By structure, the nine windows of its box on each slice that shows it.
    """

    frames: CodeArray
    windows: tuple[CodeArray, ...]
    spread: tuple[CodeArray, ...]
    structures: Mapping[str, tuple[CodeArray, ...]]


def encode_part(part: Part, encoder: Encoder) -> EncodedPart:
    """Encode the frames of a part, and the boxes of its structures."""
    encoded = [encoder.encode(frame) for frame in part.frames]
    structures = {
        name: tuple(encoder.region_query(part.frames[at], box).window_codes for at, box in boxes.items())
        for name, boxes in part.boxes.items()
    }
    return EncodedPart(
        np.stack([one.global_code for one in encoded]),
        tuple(_windows(one) for one in encoded),
        tuple(_spread(one, encoder) for one in encoded),
        structures,
    )


def _windows(encoded: EncodedFrame) -> CodeArray:
    """Return the codes of a frame's windows; that of the whole frame where it shows too little for any."""
    return encoded.window_codes if len(encoded.window_codes) else encoded.global_code[None]


def _spread(encoded: EncodedFrame, encoder: Encoder) -> CodeArray:
    chosen = np.isin(encoded.window_ids, encoder.spread(encoded.window_ids))
    return encoded.window_codes[chosen] if chosen.any() else encoded.global_code[None]
