"""Another question about a frame that was seen runs no backbone, and is answered alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.serving.maps import KeptMaps
from hmar.model.serving.runtime import BackboneRuntime
from hmar.values.codes import Query
from hmar.values.frames import FloatArray, Frame
from hmar.values.geometry import Box, Spacing
from tests.frames import textured_frame

REGIONS = [Box(100, 100, 24, 24), Box(60, 140, 30, 20)]
ROOM = 16 << 20


class Passes:
    """Counts the passes of the backbone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        runs = BackboneRuntime.map

        def counted(runtime: BackboneRuntime, image: FloatArray) -> FloatArray:
            self.count += 1
            return runs(runtime, image)

        monkeypatch.setattr(BackboneRuntime, "map", counted)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch)


def encoder(kept_bytes: int) -> HmarEncoder:
    return HmarEncoder.load(shipped_bundle(), maps=KeptMaps(kept_bytes))


def queries(encoder: HmarEncoder, frame: Frame) -> list[Query]:
    return [encoder.image_query(frame), *(encoder.region_query(frame, region) for region in REGIONS)]


def equal(first: Query, second: Query) -> bool:
    codes = (first.global_code, second.global_code), (first.window_codes, second.window_codes)
    return all(np.array_equal(*pair) for pair in codes) and first.gate == second.gate


def test_queries_of_a_frame_that_was_seen_are_equal_and_run_no_backbone(passes: Passes) -> None:
    frame = textured_frame(1)
    alike = replace(frame, values=frame.values.copy())
    seen, fresh = encoder(ROOM), encoder(0)
    expected = queries(fresh, frame)
    assert passes.count == len(expected)
    found = queries(seen, frame) + queries(seen, alike)
    assert passes.count == len(expected) + 1
    assert all(map(equal, found, expected * 2))


def test_other_pixels_another_spacing_and_what_is_forgotten_are_read_anew(passes: Passes) -> None:
    frame = textured_frame(1)
    brighter = replace(frame, values=frame.values + 1)
    smaller = replace(frame, info=replace(frame.info, spacing=Spacing(1.0, 1.0)))
    maps = KeptMaps(ROOM)
    seen = HmarEncoder.load(shipped_bundle(), maps=maps)
    for number, asked in enumerate((frame, brighter, smaller), start=1):
        seen.image_query(asked)
        assert passes.count == number
    maps.forget(unused_for_s=3600)
    seen.image_query(frame)
    assert passes.count == 3
    maps.forget()
    seen.image_query(frame)
    assert passes.count == 4


def test_tags_that_weigh_the_experts_count_though_the_pixels_were_seen(passes: Passes) -> None:
    frame = textured_frame(1)
    tagged = replace(frame, info=replace(frame.info, modality="MR", body_part="HEAD"))
    seen, fresh = encoder(ROOM), encoder(0)
    expected = queries(fresh, tagged)
    untagged = queries(seen, frame)
    assert all(map(equal, queries(seen, tagged), expected))
    assert passes.count == len(expected) + 1
    assert untagged[0].gate != expected[0].gate


def test_requests_that_wait_for_the_same_frame_share_one_pass(passes: Passes) -> None:
    frame, seen = textured_frame(1), encoder(ROOM)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: seen.image_query(frame), range(8)))
    assert passes.count == 1
    assert all(equal(query, found[0]) for query in found)


def test_what_is_indexed_is_not_kept(passes: Passes) -> None:
    frame, seen = textured_frame(1), encoder(ROOM)
    seen.encode(frame)
    seen.image_query(frame)
    assert passes.count == 2
