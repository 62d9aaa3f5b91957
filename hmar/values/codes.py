"""Binary codes: logits to bits to bytes, and what is encoded. The only place that knows the bit order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hmar.values.digests import Digests
from hmar.values.frames import FloatArray, FrameInfo
from hmar.values.plain import Json, optional, weights

CodeArray = NDArray[np.uint8]
WindowIds = NDArray[np.uint32]
BitWeights = NDArray[np.uint8]
Bits = Literal[64, 128]

CODE_BITS = 128
CODE_BYTES = CODE_BITS // 8
WEIGHTS_OF_HALF = 120
"""Sum of the weights of 64 bits: twice as much fits in a byte, and a bit's mean is a dyadic fraction."""
WEIGHT_OF_BIT = WEIGHTS_OF_HALF / 64


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrame:
    """The codes of one frame, and what they were made of.

    Parameters
    ----------
    info : FrameInfo
        The frame.
    global_code : ndarray of uint8, shape (16,)
        Packed 128-bit code of the whole frame (Expert0); its first 8 bytes are the 64-bit code.
    window_codes : ndarray of uint8, shape (W, 16)
        Packed code of each window (Expert1).
    window_ids : ndarray of uint32, shape (W,)
        Which window each row is; see :mod:`hmar.image.windows`.
    gate : tuple of float
        The router's weights (global, local); they sum to 1.
    model_fingerprint : str
        The encoder that made the codes. Codes of two models are never compared.
    digests : Digests or None
        Of what the codes were made of; None where nobody took them, as in version 0.1.
    """

    info: FrameInfo
    global_code: CodeArray
    window_codes: CodeArray
    window_ids: WindowIds
    gate: tuple[float, float]
    model_fingerprint: str
    digests: Digests | None = None

    def to_dict(self) -> Json:
        """Return the frame and its codes, these in hexadecimal."""
        return {
            "frame": self.info.to_dict(),
            "global_code": self.global_code.tobytes().hex(),
            "window_codes": [code.tobytes().hex() for code in self.window_codes],
            "window_ids": self.window_ids.tolist(),
            "gate": weights(self.gate),
            "model_fingerprint": self.model_fingerprint,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is looked for: codes, and how to weigh them.

    Parameters
    ----------
    global_code : ndarray of uint8, shape (16,)
        Code of the whole query frame.
    window_codes : ndarray of uint8, shape (Q, 16)
        A region's window and its eight neighbours, the centred one first, one region after the other; a
        spread of windows for a whole image. A frame's local distance is the mean over them of the distance to
        the frame's nearest window.
    gate : tuple of float
        Weights (global, local) of the two experts' distances in mode "auto"; they sum to 1.
    typicality : float or None
        How typical the query's frame, or region, is of those of its kind that the model knows, from 0 to 1;
        see :mod:`hmar.model.serving.references`. Of several regions, that of the least typical one. None
        where the model cannot tell.
    region_typicality : tuple of float or None
        The typicality of each region. Its length is the number of regions, which have equally many windows; 0
        for a whole image.
    global_weights : ndarray of uint8, shape (128,), or None
        How much each bit of the global code counts where it differs; see ``window_weights``.
    window_weights : ndarray of uint8, shape (Q, 128), or None
        The same of each window code. Those of the first 64 bits of a code, and those of the others, sum to
        ``WEIGHTS_OF_HALF``, so that distances, divided by ``WEIGHT_OF_BIT``, are bits. None where all bits
        count the same; then those of the global code do, too.

    Raises
    ------
    ValueError
        If the windows are not equally many for each region, or weights have other shapes or sums.
    """

    global_code: CodeArray
    window_codes: CodeArray
    gate: tuple[float, float]
    typicality: float | None = None
    region_typicality: tuple[float | None, ...] = ()
    global_weights: BitWeights | None = None
    window_weights: BitWeights | None = None

    def __post_init__(self) -> None:
        """Refuse windows that cannot be shared out among the regions, and weights that are not theirs."""
        if self.region_typicality and len(self.window_codes) % len(self.region_typicality):
            raise ValueError(f"{len(self.window_codes)} windows for {len(self.region_typicality)} regions")
        if (self.global_weights is None) != (self.window_weights is None):
            raise ValueError("weights of the global code and of windows come together")
        if self.global_weights is not None and self.window_weights is not None:
            _check_weights(self.global_weights[None], 1)
            _check_weights(self.window_weights, len(self.window_codes))

    @property
    def parts(self) -> list[CodeArray]:
        """Window codes of each region, or those of the whole image, shape (Q / parts, 16) each."""
        return np.split(self.window_codes, max(1, len(self.region_typicality)))

    def to_dict(self) -> Json:
        """Return the codes in hexadecimal, and how they are weighed."""
        return {
            "global_code": self.global_code.tobytes().hex(),
            "window_codes": [code.tobytes().hex() for code in self.window_codes],
            "gate": weights(self.gate),
            "typicality": optional(self.typicality),
            "region_typicality": [optional(each) for each in self.region_typicality],
        }


def _check_weights(weights: BitWeights, codes: int) -> None:
    if weights.shape != (codes, CODE_BITS):
        raise ValueError(f"weights have shape {weights.shape}, for {codes} codes")
    halves = weights.reshape(codes, 2, CODE_BITS // 2).sum(axis=2, dtype=np.int64)
    if (halves != WEIGHTS_OF_HALF).any():
        raise ValueError(f"weights of 64 bits sum to {halves.ravel().tolist()}, not to {WEIGHTS_OF_HALF}")


def pack_logits(logits: FloatArray, thresholds: FloatArray | None = None) -> CodeArray:
    """Turn logits into packed codes.

    Parameters
    ----------
    logits : ndarray of float32, shape (..., 128)
        A bit is 1 where the logit is above its threshold; a logit that equals it gives 0.
    thresholds : ndarray of float32, shape (128,), optional
        All 0 if not given.

    Returns
    -------
    ndarray of uint8, shape (..., 16)
        Most significant bit first (:func:`numpy.packbits`).
    """
    if logits.shape[-1] != CODE_BITS:
        raise ValueError(f"expected {CODE_BITS} logits, got {logits.shape[-1]}")
    return np.packbits(logits > (0 if thresholds is None else thresholds), axis=-1)


def hamming(a: CodeArray, b: CodeArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Count the bits in which packed codes differ, over the last axis, with broadcasting."""
    distance: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = np.bitwise_count(a ^ b).sum(
        axis=-1, dtype=np.int64
    )
    return distance


def distinct_windows(encoded: EncodedFrame) -> EncodedFrame:
    """Leave out windows whose code an earlier window of the same frame has.

    No answer changes: the frame is as near to any query as before, and of equally near windows the first is
    shown.
    """
    _, first = np.unique(encoded.window_codes, axis=0, return_index=True)
    if len(first) == len(encoded.window_codes):
        return encoded
    kept = np.sort(first)
    return replace(encoded, window_codes=encoded.window_codes[kept], window_ids=encoded.window_ids[kept])


def without_windows(encoded: EncodedFrame) -> EncodedFrame:
    """Leave out all windows: the frame is found by its global code alone."""
    return replace(encoded, window_codes=encoded.window_codes[:0], window_ids=encoded.window_ids[:0])
