"""Binary codes: logits to bits to bytes. The only place that knows the bit order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hmar.types import CodeArray, EncodedFrame, FloatArray

CODE_BITS = 128
CODE_BYTES = CODE_BITS // 8


def pack_logits(logits: FloatArray) -> CodeArray:
    """Turn logits into packed codes.

    Parameters
    ----------
    logits : ndarray of float32, shape (..., 128)
        A bit is 1 where the logit is above 0; a logit of exactly 0 gives 0.

    Returns
    -------
    ndarray of uint8, shape (..., 16)
        Most significant bit first (:func:`numpy.packbits`).
    """
    if logits.shape[-1] != CODE_BITS:
        raise ValueError(f"expected {CODE_BITS} logits, got {logits.shape[-1]}")
    return np.packbits(logits > 0, axis=-1)


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
