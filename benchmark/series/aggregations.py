"""From the codes of a query and of a part to one distance: what ``hmar bench series`` compares.

A query has items: whole frames, or boxes on slices. Each item has one code or several (the nine windows of a
box, or those that stand for a frame). A part has frames, each with one code or many. The distance of an item
to a frame is the mean over the item's codes of that to the frame's nearest code, as the product ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.index.interaction import mean_codes
from hmar.values.codes import CodeArray, hamming

Items = Sequence[CodeArray]
"""The codes of each item, or of each frame: (C, B) packed."""
Values = NDArray[np.float64]
OfDistances = Callable[[Sequence[Values]], Values]
"""The distances (Q, F) of a query's items to the frames of each part, to one for each part (P,)."""
OfCodes = Callable[[Items, Sequence[Items]], Values]
"""Query and parts to one distance for each part, (P,)."""

TEMPERATURE = 0.05
"""Of the attention: a share of all bits."""


def late_interaction(to_frames: Sequence[Values]) -> Values:
    """Return the mean over items of the distance to the part's nearest frame (the product's default)."""
    return np.array([distances.min(axis=1).mean() for distances in to_frames])


def nearest(to_frames: Sequence[Values]) -> Values:
    """Return the least distance of any item to any frame."""
    return np.array([distances.min() for distances in to_frames])


def voting(to_frames: Sequence[Values]) -> Values:
    """Return minus the number of items whose nearest frame of all lies in the part; ties are shared."""
    least = np.stack([distances.min(axis=1) for distances in to_frames], axis=1)  # (Q, P)
    won = least == least.min(axis=1, keepdims=True)
    votes: Values = (won / won.sum(axis=1, keepdims=True)).sum(axis=0)
    return -votes


def mean(query: Items, parts: Sequence[Items]) -> Values:
    """Return the distance of mean codes, whose bits are 1 where they are in more than half of the codes."""
    asked = _mean_code(query)
    return np.array([float(hamming(_mean_code(frames), asked)) for frames in parts])


def attention(query: Items, parts: Sequence[Items]) -> Values:
    """Return the distance of the query's mean to a part's codes, weighed by how near they are to it.

    Weights are a softmax of the agreement with the query's mean; the distance is that of floats from -1 to 1,
    in bits.
    """
    asked = _signs(np.concatenate(list(query))).mean(axis=0)
    distances = []
    for frames in parts:
        codes = _signs(np.concatenate(list(frames)))
        agreement = codes @ asked / (TEMPERATURE * len(asked))
        weights = np.exp(agreement - agreement.max())
        pooled = weights @ codes / weights.sum()
        distances.append(float(np.abs(pooled - np.sign(asked)).sum() / 2))
    return np.array(distances)


OF_DISTANCES: dict[str, OfDistances] = {
    "late-interaction": late_interaction,
    "nearest": nearest,
    "voting": voting,
}
OF_CODES: dict[str, OfCodes] = {"mean": mean, "attention": attention}


def item_distances(query: Items, frames: Items) -> Values:
    """Return the distance of each item to each frame, (Q, F)."""
    asked, there = np.concatenate(list(query)), np.concatenate(list(frames))
    least = np.minimum.reduceat(hamming(asked[:, None], there[None]), _starts(frames), axis=1)
    counts = np.array([len(codes) for codes in query])
    distances: Values = np.add.reduceat(least, _starts(query), axis=0) / counts[:, None]
    return distances


def _starts(items: Items) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(codes) for codes in items[:-1])])


def _mean_code(items: Items) -> CodeArray:
    codes = np.concatenate(list(items))
    padded = np.zeros((len(codes), 16), np.uint8)
    padded[:, : codes.shape[1]] = codes
    means = mean_codes(padded, np.zeros(1, np.int64))
    return means[0, : codes.shape[1]]


def _signs(codes: CodeArray) -> Values:
    """Return packed bits as -1 and 1, (N, bits)."""
    return np.unpackbits(codes, axis=1).astype(np.float64) * 2 - 1
