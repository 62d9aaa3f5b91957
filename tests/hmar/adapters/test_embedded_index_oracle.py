"""The embedded index against plain loops, on codes with so few bits set that ties abound."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryIndex
from hmar.properties.table import TABLE
from hmar.values.codes import WEIGHTS_OF_HALF, Bits, BitWeights, CodeArray, EncodedFrame, Query
from hmar.values.entries import LogRow
from hmar.values.groups import GroupQuery
from hmar.values.selection import GroupBy, Selection
from tests.contract.examples import MODEL, OTHER_MODEL, bits_code, info
from tests.samples import conditions, samples

pytestmark = pytest.mark.slow

COLLECTIONS = ("a", "b")
T = TypeVar("T")

_PLACES = (0, 1, 62, 63, 64, 65, 126, 127)


def code_with(pattern: int) -> CodeArray:
    """Set those of eight places, half of them in the first 64 bits, that the pattern says."""
    return bits_code(*(place for i, place in enumerate(_PLACES) if pattern >> i & 1))


def codes() -> st.SearchStrategy[CodeArray]:
    return st.integers(0, 255).map(code_with)


infos = st.builds(
    lambda **known: info(**known),
    **{item.name: st.sampled_from([*samples(item), item.unknown]) for item in TABLE.values()},
    patient_key=st.sampled_from(["p", "q", None]),
    study_uid=st.sampled_from(["1", "2", "3"]),
    series_uid=st.sampled_from(["1.1", "1.2", "2.1", "3.1"]),
)


@st.composite
def frames(draw: st.DrawFn) -> EncodedFrame:
    windows = draw(st.lists(codes(), max_size=4))
    return EncodedFrame(
        draw(infos),
        draw(codes()),
        np.array(windows, np.uint8).reshape(-1, 16),
        np.arange(len(windows), dtype=np.uint32) * 7,
        (0.5, 0.5),
        draw(st.sampled_from([MODEL, MODEL, MODEL, OTHER_MODEL])),
    )


@st.composite
def logs(draw: st.DrawFn) -> list[LogRow]:
    rows: list[LogRow] = []
    for seq in range(1, draw(st.integers(0, 25)) + 1):
        if rows and draw(st.integers(0, 3)) == 0:
            rows.append(LogRow(seq, "delete", draw(st.integers(1, seq)), "a", "m", None))
        else:
            collection = draw(st.sampled_from(COLLECTIONS))
            rows.append(LogRow(seq, "add", seq, collection, "m", draw(st.none() | frames())))
    return rows


@st.composite
def weights(draw: st.DrawFn) -> BitWeights:
    """Weigh the places that differ, and give the rest of each half's sum to another bit."""
    of_bits = np.zeros(128, np.uint8)
    for first, places in ((0, _PLACES[:4]), (64, _PLACES[4:])):
        of_bits[[*places]] = draw(st.lists(st.integers(0, 30), min_size=4, max_size=4))
        of_bits[first + 30] = WEIGHTS_OF_HALF - int(of_bits[[*places]].sum())
    return of_bits


@st.composite
def queries(draw: st.DrawFn) -> Query:
    regions = draw(st.integers(0, 3))
    each = draw(st.integers(1, 3)) * regions
    windows = draw(st.lists(codes(), min_size=each, max_size=each or 4))
    weight = draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
    refined = draw(st.booleans())
    return Query(
        draw(codes()),
        np.array(windows, np.uint8).reshape(-1, 16),
        (weight, 1 - weight),
        region_typicality=(None,) * regions,
        global_weights=draw(weights()) if refined else None,
        window_weights=np.array([draw(weights()) for _ in windows], np.uint8).reshape(-1, 128)
        if refined
        else None,
    )


@st.composite
def group_queries(draw: st.DrawFn) -> GroupQuery:
    several = draw(st.lists(codes(), min_size=1, max_size=3))
    windows = [np.array(draw(st.lists(codes(), max_size=3)), np.uint8).reshape(-1, 16) for _ in several]
    aggregation = draw(st.sampled_from(["late_interaction", "mean"]))
    mode = "global" if aggregation == "mean" else draw(st.sampled_from(["global", "local"]))
    return GroupQuery(np.stack(several), windows, aggregation, mode)


def maybe(wanted: st.SearchStrategy[T], otherwise: T) -> st.SearchStrategy[T]:
    """Ask for something once in four times, so that a selection is seldom of nothing."""
    return st.integers(0, 3).flatmap(lambda lot: wanted if lot == 0 else st.just(otherwise))


# Of one property or two, so that a selection is seldom of nothing.
filters = st.lists(st.sampled_from(list(TABLE.values())), max_size=2, unique=True).flatmap(
    lambda items: st.fixed_dictionaries({item.name: st.sampled_from(conditions(item)) for item in items})
)
selections = st.builds(
    Selection,
    maybe(st.sampled_from([*COLLECTIONS, "c"]), None),
    st.frozensets(st.integers(1, 30), max_size=10),
    filters=filters,
    not_patient=maybe(st.sampled_from(["p", "nobody"]), None),
    not_studies=maybe(st.frozensets(st.sampled_from(["1", "2", "9"])), frozenset()),
    not_series=maybe(st.frozensets(st.sampled_from(["1.1", "2.1", "9.9"])), frozenset()),
    only_series=maybe(st.frozensets(st.sampled_from(["1.1", "2.1", "9.9"])), None),
    group_by=st.sampled_from([None, "series", "study", "patient"]),
    as_of=maybe(st.integers(0, 26), None),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=logs(),
    cut=st.integers(0, 25),
    query=queries(),
    k=st.integers(1, 30),
    selection=selections,
)
@pytest.mark.parametrize("bits", [64, 128])
def test_every_answer_equals_that_of_plain_loops(
    tmp_path_factory: pytest.TempPathFactory,
    bits: Bits,
    rows: list[LogRow],
    cut: int,
    query: Query,
    k: int,
    selection: Selection,
) -> None:
    oracle = MemoryIndex(MODEL)
    oracle.apply(rows)
    index = EmbeddedIndex(tmp_path_factory.getbasetemp() / "no-snapshot", MODEL)
    index.apply(rows[:cut])
    index.apply(rows)
    for chosen in (selection, replace(selection, group_by=None), Selection(group_by=selection.group_by)):
        assert index.count(chosen) == oracle.count(chosen)
        for search in ("search_global", "search_windows", "search_fused"):
            expected = getattr(oracle, search)(query, k, bits, chosen)
            assert getattr(index, search)(query, k, bits, chosen) == expected
    assert index.stats() == oracle.stats()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=logs(),
    query=group_queries(),
    k=st.integers(1, 9),
    selection=selections,
    group_by=st.sampled_from(["series", "study", "patient"]),
)
@pytest.mark.parametrize("bits", [64, 128])
def test_every_group_found_equals_that_of_plain_loops(
    bits: Bits, rows: list[LogRow], query: GroupQuery, k: int, selection: Selection, group_by: GroupBy
) -> None:
    oracle, index = MemoryIndex(MODEL), EmbeddedIndex(None, MODEL)
    for each in (oracle, index):
        each.apply(rows)
    for chosen in (replace(selection, group_by=group_by), Selection(group_by=group_by)):
        expected = oracle.search_groups(query, k, bits, chosen)
        assert index.search_groups(query, k, bits, chosen) == expected


@settings(max_examples=15, deadline=None)
@given(rows=logs(), cut=st.integers(0, 25), query=queries(), selection=selections)
def test_an_index_that_starts_from_a_snapshot_goes_on_like_one_that_never_stopped(
    rows: list[LogRow], cut: int, query: Query, selection: Selection
) -> None:
    oracle = MemoryIndex(MODEL)
    oracle.apply(rows)
    with tempfile.TemporaryDirectory() as folder:
        first = EmbeddedIndex(Path(folder), MODEL)
        first.apply(rows[:cut])
        first.snapshot()
        second = EmbeddedIndex(Path(folder), MODEL)
        assert second.stats() == first.stats()
        second.apply(rows)
        for search in ("search_global", "search_windows", "search_fused"):
            for chosen in (selection, Selection()):
                expected = getattr(oracle, search)(query, 10, 64, chosen)
                assert getattr(second, search)(query, 10, 64, chosen) == expected
