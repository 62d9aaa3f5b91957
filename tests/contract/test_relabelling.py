"""Other labels for what is indexed, in every catalogue."""

from __future__ import annotations

from dataclasses import replace

from hmar.ports import Catalogue
from hmar.values.deletion import Selector
from hmar.values.entries import LogRow
from tests.contract.examples import MODEL, ORIGIN, OTHER_MODEL, encoded, same_codes

SERIES = Selector("series", "s1")


def labels(catalogue: Catalogue) -> dict[str, str | None]:
    """Return the label of each live instance, by collection and UID."""
    live = catalogue.entries(range(1, 200))
    return {f"{one.collection} {one.info.sop_instance_uid}": one.info.label for one in live.values()}


def live_rows(catalogue: Catalogue) -> list[LogRow]:
    return [row for row in catalogue.tail(0, 100) if row.encoded is not None]


def test_a_frame_with_another_label_is_a_new_entry_with_the_same_codes(catalogue: Catalogue) -> None:
    frames = [
        encoded("1.1", windows=3, series_uid="s1", label="old"),
        encoded("1.2", windows=0, series_uid="s1", label=None),
        encoded("1.3", windows=1, series_uid="s2", label="old"),
    ]
    catalogue.append("a", frames, ORIGIN)
    before = {row.entry_id: row for row in live_rows(catalogue)}
    assert catalogue.relabel(SERIES, "new") == 2
    assert labels(catalogue) == {"a 1.1": "new", "a 1.2": "new", "a 1.3": "old"}
    changes = [(row.kind, row.entry_id) for row in catalogue.tail(3, 10)]
    assert changes == [("delete", 1), ("delete", 2), ("add", 6), ("add", 7)]
    after = {row.encoded.info.sop_instance_uid: row for row in live_rows(catalogue) if row.encoded}
    for old in before.values():
        assert old.encoded is not None
        new = after[old.encoded.info.sop_instance_uid].encoded
        assert new is not None
        info = replace(old.encoded.info, label=new.info.label)
        assert same_codes(new, replace(old.encoded, info=info))
        assert new.digests == old.encoded.digests
    [entry] = catalogue.find("1.1", MODEL)
    assert entry.origin == ORIGIN


def test_what_has_the_label_already_stays_as_it_is(catalogue: Catalogue) -> None:
    catalogue.append("a", [encoded("1.1", series_uid="s1", label="x")], ORIGIN)
    assert catalogue.relabel(SERIES, "x") == 0
    assert catalogue.relabel(Selector("series", "none"), "y") == 0
    assert catalogue.last_seq() == 1
    assert catalogue.relabel(SERIES, None) == 1
    assert catalogue.relabel(SERIES, None) == 0
    assert labels(catalogue) == {"a 1.1": None}


def test_labels_change_in_some_collections_and_for_every_model(catalogue: Catalogue) -> None:
    for collection in "abc":
        catalogue.append(collection, [encoded("1.1", series_uid="s1", label="old")], ORIGIN)
    catalogue.append("a", [encoded("1.1", series_uid="s1", model=OTHER_MODEL)], ORIGIN)
    assert catalogue.relabel(SERIES, "x", "a") == 1, "a frame under two models is one frame"
    assert catalogue.relabel(SERIES, "x", frozenset({"b", "z"})) == 1
    assert catalogue.relabel(SERIES, "x", frozenset()) == 0
    assert labels(catalogue) == {"a 1.1": "x", "b 1.1": "x", "c 1.1": "old"}


def test_a_series_of_many_frames_is_relabelled(catalogue: Catalogue) -> None:
    frames = [encoded("1.1", number, windows=0, series_uid="s1") for number in range(1, 1202)]
    catalogue.append("a", frames, ORIGIN)
    assert catalogue.relabel(SERIES, "x") == 1201
    assert {entry.info.label for entry in catalogue.frames("a", "s1", MODEL)} == {"x"}
    assert len(catalogue.frames("a", "s1", MODEL)) == 1201
    assert catalogue.append("a", frames, ORIGIN).added == 0
