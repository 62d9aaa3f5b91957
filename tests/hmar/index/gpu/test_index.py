"""The product's index with the card's scan answers as it does with the processor's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.index.gallery import GrowingGallery
from hmar.index.gpu.scanner import GpuScanner
from hmar.index.projection import Projection, gallery_of, snapshot_of
from hmar.index.scan import Scanner
from hmar.index.snapshot import SnapshotStore
from hmar.values.codes import WEIGHTS_OF_HALF, Bits, Query
from hmar.values.deletion import Selector
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, ORIGIN, encoded, query


def weighted(plain: Query) -> Query:
    rng = np.random.default_rng(1)
    shape = (len(plain.window_codes), 2)
    weights = rng.multinomial(WEIGHTS_OF_HALF, np.full(64, 1 / 64), shape).reshape(-1, 128).astype(np.uint8)
    return replace(plain, global_weights=weights[0], window_weights=weights)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [64, 128])
def test_hits_are_the_same_through_inserts_deletions_and_snapshots(tmp_path: Path, bits: Bits) -> None:
    catalogue = MemoryCatalogue()
    catalogue.append(
        "default", [encoded(f"1.{i}", windows=i % 4, series_uid=f"s{i % 3}") for i in range(9)], ORIGIN
    )
    on_card = EmbeddedIndex(tmp_path, MODEL, scanner=GpuScanner(Scanner(), few_frames=0))
    plain = EmbeddedIndex(None, MODEL)

    def compared() -> None:
        for asked in (query(2), weighted(query(2))):
            for selection in (Selection(), Selection(group_by="series")):
                found = on_card.search_windows(asked, 3, bits, selection)
                assert found == plain.search_windows(asked, 3, bits, selection)
        assert on_card.search_fused(query(1), 3, bits, Selection()) == plain.search_fused(
            query(1), 3, bits, Selection()
        )

    def followed() -> None:
        for index in (on_card, plain):
            index.apply(catalogue.tail(index.stats().last_seq, 99))

    followed()
    compared()
    held = on_card.stats()
    assert held.gpu_windows == held.windows > 0
    on_card.snapshot()
    catalogue.append("default", [encoded("2.1", windows=3, series_uid="s9")], ORIGIN)
    followed()
    compared()
    catalogue.delete(Selector("series", "s0"))
    followed()
    compared()
    assert plain.stats().gpu_windows == 0
    for index in (on_card, plain):
        index.close()


def test_a_fast_search_that_began_before_the_card_held_the_codes_copies_no_skim_in_their_place(
    tmp_path: Path,
) -> None:
    growing = GrowingGallery.empty()
    frames = [encoded(f"1.{at}", windows=3, series_uid=f"s{at // 5}") for at in range(10)]
    growing.add([(at, "default", frame) for at, frame in enumerate(frames, start=1)])
    store = SnapshotStore(tmp_path, MODEL)
    store.write(snapshot_of(Projection(growing.frozen(), 10, "mark", 0)))
    generation = store.load()
    assert generation is not None
    gallery, scanner, asked = gallery_of(generation).frozen(), GpuScanner(Scanner(), few_frames=0), query(2)
    scanner.sums(gallery.windows, asked.window_codes, 128)
    assert scanner.gpu_windows() == 30
    every = np.arange(10)
    estimates = gallery.estimated_distances(scanner, every, asked.window_codes, 128)
    assert scanner.gpu_windows() == 30
    assert (
        estimates.tolist() == gallery.estimated_distances(Scanner(), every, asked.window_codes, 128).tolist()
    )
    scanner.close()
