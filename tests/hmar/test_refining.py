from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.refining import refined
from hmar.values.codes import WEIGHTS_OF_HALF, CodeArray, Query
from hmar.values.groups import FrameCodes
from tests.contract.examples import bits_code

ALPHA, BETA, GAMMA = Fraction(1), Fraction(4), Fraction(1, 2)


def frame(number: int, rng: np.random.Generator, windows: int) -> FrameCodes:
    codes = rng.integers(0, 256, (windows + 1, 16), np.uint8)
    return FrameCodes(number, codes[0], codes[1:], np.arange(windows, dtype=np.uint32))


def expected(
    code: CodeArray, relevant: list[CodeArray], others: list[CodeArray]
) -> tuple[list[int], list[int]]:
    """Rocchio's formula in fractions, and weights by largest remainders."""

    def signs(each: CodeArray) -> list[int]:
        return [1 if bit else -1 for bit in np.unpackbits(each)]

    own = signs(code)
    values = [ALPHA * sign for sign in own]
    for weight, frames in ((BETA, relevant), (-GAMMA, others)):
        for each in frames:
            values = [v + weight * sign / len(frames) for v, sign in zip(values, signs(each), strict=True)]
    bits = [int(value > 0 if value else own[i] > 0) for i, value in enumerate(values)]
    weights: list[int] = []
    for first in (0, 64):
        shares = [abs(value) for value in values[first : first + 64]]
        shares = [WEIGHTS_OF_HALF * share / sum(shares) for share in shares]
        half = [int(share) for share in shares]
        by_rest = sorted(range(64), key=lambda i: (half[i] - shares[i], i))
        for place in by_rest[: WEIGHTS_OF_HALF - sum(half)]:
            half[place] += 1
        weights += half
    return bits, weights


@settings(max_examples=40, deadline=None)
@given(
    relevant=st.integers(0, 4), others=st.integers(0, 4), windows=st.integers(0, 3), seed=st.integers(0, 999)
)
def test_codes_and_weights_follow_the_formula_in_fractions(
    relevant: int, others: int, windows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    asked = rng.integers(0, 256, (3, 16), np.uint8)
    query = Query(asked[0], asked[1:], (0.5, 0.5))
    good = [frame(n, rng, windows) for n in range(relevant)]
    bad = [frame(n, rng, windows) for n in range(others)]
    found = refined(query, good, bad)

    def nearest(window: CodeArray, frames: list[FrameCodes]) -> list[CodeArray]:
        return [
            min(each.window_codes, key=lambda code: int(np.bitwise_count(code ^ window).sum()))
            for each in frames
            if len(each.window_codes)
        ]

    assert found.global_weights is not None
    assert found.window_weights is not None
    whole = expected(asked[0], [each.global_code for each in good], [each.global_code for each in bad])
    assert (np.unpackbits(found.global_code).tolist(), found.global_weights.tolist()) == whole
    for number, window in enumerate(asked[1:]):
        of_window = expected(window, nearest(window, good), nearest(window, bad))
        code, weights = found.window_codes[number], found.window_weights[number]
        assert (np.unpackbits(code).tolist(), weights.tolist()) == of_window


def test_bits_on_which_all_agree_weigh_most_and_a_majority_turns_a_bit() -> None:
    query = Query(bits_code(0, 1), bits_code(0, 1)[None], (0.5, 0.5))
    good = [
        FrameCodes(number, bits_code(0, *more), bits_code(0, *more)[None], np.zeros(1, np.uint32))
        for number, more in enumerate([(2,), (2,), ()])
    ]
    found = refined(query, good, [])
    bits, weights = np.unpackbits(found.window_codes[0]), found.window_weights
    assert weights is not None
    assert bits[:4].tolist() == [1, 0, 1, 0]
    assert weights[0, 0] == weights[0, 3] > weights[0, 1] > weights[0, 2]


@pytest.mark.parametrize("others", [0, 1])
def test_judging_does_not_change_the_query(others: int) -> None:
    rng = np.random.default_rng(4)
    query = Query(rng.integers(0, 256, 16, np.uint8), rng.integers(0, 256, (2, 16), np.uint8), (0.5, 0.5))
    before = query.to_dict()
    refined(query, [frame(0, rng, 2)], [frame(n, rng, 2) for n in range(others)])
    assert query.to_dict() == before
