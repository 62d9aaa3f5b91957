"""Refining a search: a better query from hits that were judged.

Each code of the query moves towards those of relevant frames and away from those of others, as Rocchio's
query does (in Salton, The SMART Retrieval System, 1971), and each of its bits weighs as much as these agree
on it. All of it is whole numbers, so that every machine refines to the same query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import (
    CODE_BITS,
    WEIGHTS_OF_HALF,
    BitWeights,
    CodeArray,
    Query,
    hamming,
)
from hmar.values.groups import FrameCodes

_QUERY, _RELEVANT, _NOT_RELEVANT = 2, 8, 1
"""What the query counts, the mean of relevant codes, and that of the others, taken away: 1, 4 and 1/2."""

Signs = NDArray[np.int64]


def refined(query: Query, relevant: Sequence[FrameCodes], not_relevant: Sequence[FrameCodes]) -> Query:
    """Return a query that is nearer to some frames, and farther from others.

    Parameters
    ----------
    query : Query
        As it was asked, not refined.
    relevant, not_relevant : sequence of FrameCodes
        At least one altogether. Of each frame count its global code and, for each window of the query, its
        nearest window; of frames without windows the global code alone.
    """
    whole = query.global_code[None]
    global_code, global_weights = _moved(whole, _wholes(relevant), _wholes(not_relevant))
    windows = query.window_codes
    codes, weights = _moved(windows, _nearest(windows, relevant), _nearest(windows, not_relevant))
    return replace(
        query,
        global_code=global_code[0],
        window_codes=codes,
        global_weights=global_weights[0],
        window_weights=weights,
    )


def _wholes(frames: Sequence[FrameCodes]) -> list[CodeArray]:
    return [frame.global_code[None] for frame in frames]


def _nearest(windows: CodeArray, frames: Sequence[FrameCodes]) -> list[CodeArray]:
    """Return each frame's windows that are nearest to the query's, (Q, 16); the first of those that tie."""
    return [
        frame.window_codes[np.argmin(hamming(windows[:, None], frame.window_codes[None]), axis=1)]
        for frame in frames
        if len(frame.window_codes)
    ]


def _moved(
    codes: CodeArray, relevant: Sequence[CodeArray], not_relevant: Sequence[CodeArray]
) -> tuple[CodeArray, BitWeights]:
    """Return codes (Q, 16) moved by as many of each frame, and the weights of their bits (Q, 128)."""
    many, few = max(1, len(relevant)), max(1, len(not_relevant))
    signs = _QUERY * many * few * _signs(codes)
    for each in relevant:
        signs += _RELEVANT * few * _signs(each)
    for each in not_relevant:
        signs -= _NOT_RELEVANT * many * _signs(each)
    ones = np.where(signs == 0, _signs(codes) > 0, signs > 0)
    return np.packbits(ones, axis=1), _weights(np.abs(signs))


def _signs(codes: CodeArray) -> Signs:
    """Return bits as 1 and -1, (Q, 128)."""
    return 2 * np.unpackbits(codes, axis=1).astype(np.int64) - 1


def _weights(amounts: Signs) -> BitWeights:
    """Return weights in proportion to amounts (Q, 128), which sum to ``WEIGHTS_OF_HALF`` in each half.

    What is left over by rounding down goes to the largest remainders, the first of those that tie.
    """
    halves = amounts.reshape(-1, CODE_BITS // 2)
    halves = np.where(halves.sum(axis=1, keepdims=True) == 0, 1, halves)
    whole, left = np.divmod(halves * WEIGHTS_OF_HALF, halves.sum(axis=1, keepdims=True))
    order = np.argsort(-left, axis=1, kind="stable")
    missing = WEIGHTS_OF_HALF - whole.sum(axis=1, keepdims=True)
    more = np.arange(halves.shape[1]) < missing
    np.put_along_axis(whole, order, np.take_along_axis(whole, order, axis=1) + more, axis=1)
    return whole.astype(np.uint8).reshape(-1, CODE_BITS)
