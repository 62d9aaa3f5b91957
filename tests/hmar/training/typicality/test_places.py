from collections import Counter

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.typicality import places as module
from hmar.training.typicality.places import Place, chosen, places_of_volumes, spread
from hmar.values.frames import Units


def volume(modality: str, slices: int, patient: str | None = None) -> Volume:
    values = np.random.default_rng(0).normal(40, 300, (slices, 70, 80)).astype(np.int16)
    regions = constant_regions(slices, "CHEST")
    return Volume("v", values, (3.0, 2.0, 1.5), modality, regions, patient=patient)


def test_slices_are_looked_at_as_the_product_would():
    found = places_of_volumes([volume("CT", 2), volume("MR", 1)])
    assert [(place.person, place.modality) for place in found] == [
        ("scan 0", "CT"),
        ("scan 0", "CT"),
        ("scan 1", "MR"),
    ]
    ct, mr = found[1].read(), found[2].read()
    assert ct.units is Units.HU
    assert (ct.info.rows, ct.info.columns, ct.info.spacing) == (70, 80, (2.0, 1.5))
    assert mr.units is Units.PRESENTATION
    assert (mr.values.min(), mr.values.max()) == (0, 1)


def test_scans_of_one_patient_are_of_one_person():
    found = places_of_volumes([volume("CT", 1, "a"), volume("CT", 1, "b"), volume("CT", 1, "a")])
    assert [place.person for place in found] == ["a", "b", "a"]


def test_of_everybody_as_many_are_taken_in_even_distances():
    items = [("long", i) for i in range(101)] + [("short", 0), ("short", 1)]
    found = spread(items, lambda item: item[0], 10)
    assert found == [("long", i) for i in (0, 25, 50, 75, 100)] + [("short", 0), ("short", 1)]


def test_of_more_people_than_places_some_are_taken():
    found = spread([(person, i) for person in range(9) for i in range(2)], lambda item: item[0], 3)
    assert found == [(0, 0), (4, 0), (8, 0)]


def test_nothing_is_spread_over_nobody():
    assert chosen([]) == []


def test_modalities_do_not_share_their_number(monkeypatch):
    monkeypatch.setattr(module, "MOST_FRAMES", 4)

    def nothing():
        raise AssertionError("choosing reads no frame")

    places = [Place(f"p{i % 2}", modality, nothing) for modality in ("CT", "DX", "CR") for i in range(10)]
    assert Counter(place.modality for place in chosen(places)) == {"CT": 4, "DX": 2, "CR": 2}
