"""Slabs in every catalogue: who is held back, whatever comes, goes and changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any, NamedTuple

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryModelStore, MemorySlabStore
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.models import SqlModelStore
from hmar.adapters.sql.slabs import SqlSlabStore
from hmar.ports import Catalogue, ModelStore, SlabStore
from hmar.values.codes import EncodedFrame, without_windows
from hmar.values.deletion import Selector
from hmar.values.models import ModelName
from hmar.values.slabs import Slab
from tests.contract.conftest import STORES
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, Clock, encoded, same_codes

STACK = "0123456789abcdef"


class Stores(NamedTuple):
    catalogue: Catalogue
    slabs: SlabStore
    models: ModelStore


@pytest.fixture(params=STORES)
def stores(request: pytest.FixtureRequest, clock: Clock) -> Stores:
    if request.param == "memory":
        held = MemoryCatalogue(clock)
        return Stores(held, MemorySlabStore(held), MemoryModelStore(held))
    database = request.getfixturevalue(request.param)
    return Stores(
        SqlCatalogue(database, clock), SqlSlabStore(database, clock), SqlModelStore(database, clock)
    )


def slice_of(along_mm: float, stack: str | None = STACK, series: str = "s1", **more: Any) -> EncodedFrame:
    """Return a slice whose UID tells where it lies."""
    place = None if stack is None else along_mm
    return encoded(f"{series}.{stack}.{along_mm:g}", series_uid=series, stack=stack, along_mm=place, **more)


def searched(catalogue: Catalogue, model: str = MODEL) -> dict[str, int]:
    """Return the number of windows that the log tells of each live instance."""
    frames = [row.encoded for row in catalogue.tail(0, 10_000) if row.encoded is not None]
    return {
        frame.info.sop_instance_uid: len(frame.window_codes)
        for frame in frames
        if frame.model_fingerprint == model
    }


def searched_places(catalogue: Catalogue, model: str = MODEL) -> list[float]:
    """Return where the slices lie that have windows in the log."""
    kept = [row.encoded for row in catalogue.tail(0, 10_000) if row.encoded is not None]
    return sorted(
        frame.info.along_mm or 0.0
        for frame in kept
        if len(frame.window_codes) and frame.model_fingerprint == model
    )


def add(catalogue: Catalogue, along_mm: Sequence[float], collection: str = "a", **more: Any) -> None:
    for at in along_mm:
        catalogue.append(collection, [slice_of(at, **more)], ORIGIN)


def test_without_slabs_every_slice_is_searched(stores: Stores) -> None:
    add(stores.catalogue, (0.5, 1.5, 2.5))
    assert searched_places(stores.catalogue) == [0.5, 1.5, 2.5]
    assert stores.slabs.sizes() == {}
    assert stores.slabs.slabs([1, 2, 3]) == {}


def test_one_slice_of_a_slab_is_searched_whatever_order_slices_come_in(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    for number, order in enumerate(permutations((0.5, 1.5, 2.5, 3.5))):
        series = f"o{number}"
        add(stores.catalogue, order, series=series)
        here = {
            uid: windows
            for uid, windows in searched(stores.catalogue).items()
            if uid.startswith(f"{series}.")
        }
        kept = {f"{series}.{STACK}.{at:g}" for at in (1.5, 3.5)}
        assert {uid for uid, windows in here.items() if windows} == kept
        assert len(here) == 4, "each slice is live, once"


def test_slices_that_come_together_are_logged_once(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    stores.catalogue.append("a", [slice_of(at) for at in (0.5, 1.5, 2.5)], ORIGIN)
    assert searched_places(stores.catalogue) == [1.5]
    assert [row.kind for row in stores.catalogue.tail(0, 100)] == ["add"] * 3


def test_a_slice_that_comes_again_changes_nothing(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.5))
    seq = stores.catalogue.last_seq()
    add(stores.catalogue, (2.5, 0.5, 1.5))
    assert stores.catalogue.last_seq() == seq


def test_all_codes_are_kept_and_read(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.5))
    for at in (0.5, 1.5, 2.5):
        frame = slice_of(at)
        [entry] = stores.catalogue.find(frame.info.sop_instance_uid, MODEL)
        [codes] = stores.slabs.codes([entry.entry_id])
        assert codes.entry_id == entry.entry_id
        assert codes.window_codes.tolist() == frame.window_codes.tolist()
        assert codes.window_ids.tolist() == frame.window_ids.tolist()
        assert codes.global_code.tolist() == frame.global_code.tolist()
    assert stores.slabs.codes([10_000]) == []


def test_a_slab_names_its_slices_in_order(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (2.5, 0.5, 1.5, 7.0))
    ids = {}
    for at in (0.5, 1.5, 2.5, 7.0):
        [entry] = stores.catalogue.find(slice_of(at).info.sop_instance_uid, MODEL)
        ids[at] = entry.entry_id
    slab = Slab(3.0, (ids[0.5], ids[1.5], ids[2.5]))
    found = stores.slabs.slabs([ids[1.5], ids[7.0], ids[2.5]])
    assert found == {ids[1.5]: slab, ids[2.5]: slab}, "a slice alone in its slab stands for no other"


def test_another_slice_takes_the_place_of_one_that_is_deleted(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.0))
    stores.catalogue.delete(Selector("instance", slice_of(1.5).info.sop_instance_uid))
    assert searched_places(stores.catalogue) == [2.0]
    stores.catalogue.delete(Selector("instance", slice_of(0.5).info.sop_instance_uid))
    assert searched_places(stores.catalogue) == [2.0]
    stores.catalogue.delete(Selector("series", "s1"))
    assert searched(stores.catalogue) == {}


def test_another_slice_takes_the_place_of_one_that_is_replaced_by_one_elsewhere(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.0))
    [gone] = stores.catalogue.find(slice_of(1.5).info.sop_instance_uid, MODEL)
    stores.catalogue.append("a", [slice_of(8.5)], ORIGIN, replaced=[gone.entry_id])
    assert searched_places(stores.catalogue) == [2.0, 8.5]


def test_all_that_is_replaced_goes_in_however_many_statements(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.adapters.sql.parts._AT_ONCE", 1)
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.0, 2.5))
    gone = [row.entry_id for row in stores.catalogue.tail(0, 100) if row.encoded is not None]
    stores.catalogue.append("a", [slice_of(8.5)], ORIGIN, replaced=gone)
    assert searched(stores.catalogue).keys() == {f"s1.{STACK}.8.5"}


def test_frames_of_no_stack_and_of_other_stacks_series_and_collections_stand_for_themselves(
    stores: Stores,
) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5))
    add(stores.catalogue, (0.5, 1.5), stack=None)
    add(stores.catalogue, (0.6,), stack="f" * 16)
    add(stores.catalogue, (0.7,), series="s2")
    assert searched_places(stores.catalogue) == [0.0, 0.0, 0.6, 0.7, 1.5]
    add(stores.catalogue, (0.5, 1.5), "b", series="s3")
    assert len(searched_places(stores.catalogue)) == 7


def test_two_frames_at_one_place_keep_their_windows(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5))
    stores.catalogue.append("a", [encoded("phase 2", series_uid="s1", stack=STACK, along_mm=1.5)], ORIGIN)
    assert searched_places(stores.catalogue) == [0.5, 1.5, 1.5]


def test_a_collection_changes_its_slabs_and_gives_them_up(stores: Stores) -> None:
    add(stores.catalogue, (0.5, 1.5, 2.5, 3.5, 4.5))
    add(stores.catalogue, (0.5, 1.5), "b", series="s2")
    assert stores.slabs.change("a", 3.0) == 3
    assert stores.slabs.sizes() == {"a": 3.0}
    assert searched_places(stores.catalogue) == [0.5, 1.5, 1.5, 4.5]
    assert stores.slabs.change("a", 3.0) == 0, "it is so already"
    assert stores.slabs.change("a", 5.0) == 3
    assert searched_places(stores.catalogue) == [0.5, 1.5, 2.5]
    assert stores.slabs.change("a", None) == 4
    assert searched_places(stores.catalogue) == [0.5, 0.5, 1.5, 1.5, 2.5, 3.5, 4.5]
    assert stores.slabs.sizes() == {}


def test_a_label_changes_nothing_of_who_is_held_back(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.5), label="old")
    stores.catalogue.relabel(Selector("series", "s1"), "new")
    assert searched_places(stores.catalogue) == [1.5]
    [entry] = stores.catalogue.find(slice_of(0.5).info.sop_instance_uid, MODEL)
    [codes] = stores.slabs.codes([entry.entry_id])
    assert len(codes.window_codes) == len(slice_of(0.5).window_codes)


def test_under_each_model_one_slice_is_searched(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5, 2.5))
    stores.models.begin(ModelName(MODEL, "one"), ModelName(OTHER_MODEL, "two"))
    for at in (0.5, 2.5, 1.5):
        [entry] = stores.catalogue.find(slice_of(at).info.sop_instance_uid, MODEL)
        stores.models.carry({entry.entry_id: slice_of(at, model=OTHER_MODEL)})
    assert searched_places(stores.catalogue) == [1.5]
    assert searched_places(stores.catalogue, OTHER_MODEL) == [1.5]
    [held] = stores.catalogue.collections(OTHER_MODEL)
    assert (held.frames, held.held_back, held.windows, held.slab_mm) == (3, 2, 3, 3.0)
    stores.models.use(ModelName(OTHER_MODEL, "two"))
    assert stores.models.forget(MODEL, 100) >= 3
    assert searched(stores.catalogue) == {}


def test_collections_are_counted_by_what_is_searched(stores: Stores) -> None:
    add(stores.catalogue, (0.5, 1.5, 2.5))
    [before] = stores.catalogue.collections(MODEL)
    assert (before.frames, before.held_back, before.windows, before.slab_mm) == (3, 0, 9, None)
    stores.slabs.change("a", 3.0)
    [after] = stores.catalogue.collections(MODEL)
    assert (after.frames, after.held_back, after.windows, after.slab_mm) == (3, 2, 3, 3.0)
    assert after.code_bytes == before.code_bytes, "all codes are kept"


def test_what_comes_out_of_the_log_is_what_went_in_but_for_the_windows_held_back(stores: Stores) -> None:
    stores.slabs.change("a", 3.0)
    add(stores.catalogue, (0.5, 1.5))
    live = {
        row.encoded.info.sop_instance_uid: row.encoded
        for row in stores.catalogue.tail(0, 100)
        if row.encoded is not None
    }
    held, kept = live[slice_of(0.5).info.sop_instance_uid], live[slice_of(1.5).info.sop_instance_uid]
    assert same_codes(kept, slice_of(1.5))
    assert same_codes(held, without_windows(slice_of(0.5)))
