"""Values as JSON: what an answer tells, and what it keeps to itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hmar.values.codes import Query
from hmar.values.entries import EntryInfo, Origin
from hmar.values.geometry import Box, Spacing
from hmar.values.hits import Hit
from hmar.values.judged import Refinement
from hmar.values.results import Results
from tests.contract.examples import encoded
from tests.frames import frame_info

INFO = replace(frame_info(), patient_key="5ec2e7")
HIT = Hit(
    rank=1,
    entry=EntryInfo(7, "default", INFO, "model", Origin("local", "ward/Mustermann/1.dcm")),
    distance=21.25,
    global_distance=10,
    local_distance=21.25,
    global_score=0.921875,
    local_score=float("nan"),
    gate=(0.75, 0.25),
    bits=128,
    box=Box(1.0, 2.5, 30.0, 40.0),
    box_mm=None,
    model="a model",
    query_typicality=0.001,
)


def results(*hits: Hit, region: Box | None = None) -> Results:
    regions = () if region is None else (region,)
    return Results(hits, INFO, regions, "local", 128, "a model", 12, 3.14159, (0.5,) * len(regions))


def test_results_are_a_sequence_of_hits() -> None:
    other = replace(HIT, rank=2)
    found = results(HIT, other)
    assert (len(found), found[0], found[-1], found[1:]) == (2, HIT, other, (other,))
    assert list(found) == [HIT, other]


def test_a_hit_tells_numbers_as_json_can_hold_them() -> None:
    told = HIT.to_dict()
    assert told["box"] == {"x": 1, "y": 2.5, "width": 30, "height": 40}
    assert told["experts"] == {
        "global": {"distance": 10, "score": 0.921875},
        "local": {"distance": 21.25, "score": None},
    }
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_no_answer_tells_where_a_file_lies_or_whose_it_is() -> None:
    for value in (HIT, HIT.entry, INFO, encoded(patient_key="5ec2e7"), results(HIT)):
        told = json.dumps(value.to_dict())
        assert "Mustermann" not in told
        assert "5ec2e7" not in told


def test_the_query_is_repeated_in_pixels_and_millimetres() -> None:
    found = replace(results(HIT, region=Box(10, 20, 30, 40)), frame=replace(INFO, spacing=Spacing(0.5, 2.0)))
    told = found.query_dict()
    assert told["region_mm"] == {"x": 20, "y": 10, "width": 60, "height": 20}
    assert told["spacing_mm"] == [0.5, 2]
    assert (told["gate"], told["typicality"], told["out_of_distribution"]) == (
        {"global": 0.75, "local": 0.25},
        0.001,
        True,
    )


def test_several_regions_are_repeated_each_with_its_typicality() -> None:
    boxes = (Box(10, 20, 30, 40), Box(1, 2, 3, 4))
    found = replace(results(HIT), regions=boxes, region_typicality=(0.25, 0.001))
    told = found.query_dict()
    assert (found.region, told["region"], told["region_mm"]) == (None, None, None)
    assert [each["region"]["x"] for each in told["regions"]] == [10, 1]
    assert [each["typicality"] for each in told["regions"]] == [0.25, 0.001]
    assert [each["out_of_distribution"] for each in told["regions"]] == [False, True]


def test_without_hits_nothing_is_known_of_the_query_but_its_frame() -> None:
    told = results().to_dict()
    assert told["hits"] == []
    assert told["took_ms"] == 3.1
    query = results().query_dict()
    assert [query[name] for name in ("region", "region_mm", "gate", "typicality")] == [None] * 4


def test_a_refined_search_says_by_how_many_frames_and_is_read_back() -> None:
    found = replace(results(HIT), refined=Refinement(3, 1))
    told = found.to_dict()
    assert told["refined"] == {"relevant": 3, "not_relevant": 1}
    assert Results.from_dict(told).refined == found.refined
    assert Results.from_dict(results(HIT).to_dict()).refined is None


def test_codes_are_told_in_hexadecimal() -> None:
    code = np.arange(16, dtype=np.uint8)
    told = Query(code, code[None], (0.5, 0.5)).to_dict()
    assert told["global_code"] == "000102030405060708090a0b0c0d0e0f"
    assert told["window_codes"] == [told["global_code"]]
    assert told["typicality"] is None


def test_windows_that_cannot_be_shared_out_among_the_regions_are_refused() -> None:
    codes = np.zeros((3, 16), np.uint8)
    assert [len(part) for part in Query(codes[0], codes, (1.0, 0.0), None, (None,) * 3).parts] == [1, 1, 1]
    with pytest.raises(ValueError, match="3 windows for 2 regions"):
        Query(codes[0], codes, (1.0, 0.0), None, (None, None))
