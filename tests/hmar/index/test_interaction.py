"""Distances between groups of frames, against values that can be computed by hand and plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from hmar.index.interaction import Members, late_interaction, mean_codes, mean_distances
from hmar.values.codes import CodeArray, hamming
from hmar.values.groups import GroupQuery
from tests.contract.examples import bits_code


def members_of(*groups: int) -> Members:
    return Members.of(np.arange(len(groups)), np.array(groups, np.uint64))


def query_of(*codes: CodeArray, mode: str = "global", aggregation: str = "late_interaction") -> GroupQuery:
    windows = [code[None] for code in codes]
    return GroupQuery(np.stack(codes), windows, aggregation, mode)  # type: ignore[arg-type]


def test_members_lie_side_by_side_in_their_order() -> None:
    members = members_of(9, 4, 9, 4, 4)
    assert members.slots.tolist() == [1, 3, 4, 0, 2]
    assert (members.starts.tolist(), members.counts.tolist()) == ([0, 3], [3, 2])
    assert (members.oldest.tolist(), members.numbers().tolist()) == ([1, 0], [0, 0, 0, 1, 1])
    other = members.kept(np.array([1, 0]))
    assert (other.slots.tolist(), other.starts.tolist()) == ([0, 2, 1, 3, 4], [0, 2])


def test_late_interaction_is_the_mean_over_query_frames_of_the_least_distance_in_a_group() -> None:
    distances = np.array([[4.0, 1.0, 9.0, 2.0], [np.inf, 3.0, 5.0, np.inf]])
    members = members_of(7, 7, 3, 5)
    result = late_interaction(
        members, query_of(bits_code(), bits_code()), 128, lambda frame, slots, _bits: distances[frame][slots]
    )
    # Groups in order of their numbers: 3, 5 and 7.
    assert result.tolist() == [(9 + 5) / 2, np.inf, (1 + 3) / 2]


def test_a_bit_of_a_mean_code_is_set_where_more_than_half_of_the_codes_have_it() -> None:
    codes = np.stack([bits_code(0, 5), bits_code(0, 127), bits_code(64), bits_code(1, 2), bits_code(2)])
    means = mean_codes(codes, np.array([0, 3]))
    assert np.array_equal(means, np.stack([bits_code(0), bits_code(2)]))


@pytest.mark.parametrize("bits", [64, 128])
def test_mean_codes_are_compared_at_the_bits_asked_for(bits: int) -> None:
    codes = np.stack([bits_code(0, 70), bits_code(1, 70)])
    query = query_of(bits_code(5), bits_code(5), bits_code(), aggregation="mean")
    found = mean_distances(members_of(1, 2), query, bits, codes)  # type: ignore[arg-type]
    assert found.tolist() == ([2, 2] if bits == 64 else [3, 3])


def test_mean_codes_of_many_groups_are_those_of_plain_loops() -> None:
    generator = np.random.default_rng(3)
    codes = generator.integers(0, 256, (300, 16), np.uint8)
    starts = np.array([0, 1, 3, 120, 299])
    for mean, first, last in zip(mean_codes(codes, starts), starts, [*starts[1:], 300], strict=True):
        bits = np.unpackbits(codes[first:last], axis=1).astype(int)
        expected = [2 * int(column.sum()) > last - first for column in bits.T]
        assert np.unpackbits(mean).astype(bool).tolist() == expected
    assert hamming(mean_codes(codes[:1], np.array([0]))[0], codes[0]) == 0
