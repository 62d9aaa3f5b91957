"""Ways to make a better query of hits that were judged.

A method gives values of bits, (Q, 128): the sign is the bit that is asked for, the size what it costs to have
the other. A window's cost is the sum of these; a slice's distance is the mean over the Q rows of the least
cost among its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.refining import refined
from hmar.values.codes import CodeArray, Query
from hmar.values.groups import FrameCodes

Values = NDArray[np.float64]
Judged = Sequence[Values]
"""The windows of each judged slice that are nearest to the query's, as bits of 1 and -1."""
Method = Callable[[Values, Judged, Judged], Values]

NONE, PRODUCT = "none", "product"


def signs_of(codes: CodeArray) -> Values:
    """Return bits (N, 128) as 1 and -1."""
    signs: Values = 2 * np.unpackbits(codes, axis=1).astype(np.float64) - 1
    return signs


def _none(query: Values, _relevant: Judged, _others: Judged) -> Values:
    return query


def _extra_queries(query: Values, relevant: Judged, _others: Judged) -> Values:
    return np.concatenate([query, *relevant])


def _moved_bits(query: Values, relevant: Judged, others: Judged) -> Values:
    moved = query + 2 * _mean(relevant, query) - _mean(others, query) / 2
    return np.where(moved == 0, query, np.sign(moved))


def _bit_weights(query: Values, relevant: Judged, others: Judged) -> Values:
    agreed = 1 + query * _mean(relevant, query) - query * _mean(others, query) / 2
    return query * np.maximum(agreed, 0)


def _log_odds(query: Values, relevant: Judged, others: Judged) -> Values:
    values = _logit([query, *relevant])
    return values - _logit(others) if others else values


def _real_valued(query: Values, relevant: Judged, others: Judged) -> Values:
    return query + 4 * _mean(relevant, query) - _mean(others, query) / 2


def _product(query: Values, relevant: Judged, others: Judged) -> Values:
    codes = _packed(query)
    asked = refined(Query(codes[0], codes, (0.5, 0.5)), _frames(relevant), _frames(others))
    if asked.window_weights is None:
        raise ValueError("the query was not refined")
    return signs_of(asked.window_codes) * asked.window_weights


@dataclass(frozen=True, slots=True)
class Way:
    """One method, and what it does in words."""

    what: str
    values: Method


METHODS: Mapping[str, Way] = {
    NONE: Way("the query as it was", _none),
    "extra-queries": Way("the mean of the distances to the query and to each relevant hit", _extra_queries),
    "moved-bits": Way("bits by majority of query + 2 relevant - 1/2 others, all alike", _moved_bits),
    "bit-weights": Way("the query's bits, weighed by 1 + agreement - 1/2 that with others", _bit_weights),
    "log-odds": Way("naive Bayes over bits, smoothed by one of each", _log_odds),
    "real-valued": Way("query + 4 relevant - 1/2 others, as real numbers", _real_valued),
    PRODUCT: Way("the same in whole weights that sum to 120 in each 64 bits, as the product does", _product),
}


def _mean(judged: Judged, like: Values) -> Values:
    return np.mean(judged, axis=0) if judged else np.zeros_like(like)


def _logit(judged: Judged) -> Values:
    ones = np.sum([values > 0 for values in judged], axis=0)
    values: Values = np.log((ones + 1) / (len(judged) - ones + 1))
    return values


def _packed(signs: Values) -> CodeArray:
    return np.packbits(signs > 0, axis=1)


def _frames(judged: Judged) -> list[FrameCodes]:
    ids = np.arange(len(judged[0]) if judged else 0, dtype=np.uint32)
    return [
        FrameCodes(number, codes[0], codes, ids) for number, codes in enumerate(map(_packed, judged), start=1)
    ]
