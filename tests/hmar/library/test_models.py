"""Models by name and by folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hmar
from hmar.encoder import DEFAULT_MODEL, shipped_bundle
from hmar.errors import ModelError, RegionError
from hmar.thumbnail import ThumbnailEncoder
from tests.frames import textured_frame

FRAME = textured_frame(0)


@pytest.mark.slow
def test_the_shipped_model_has_a_name_and_a_folder() -> None:
    models = [hmar.load_model(), hmar.load_model(DEFAULT_MODEL), hmar.load_model(shipped_bundle())]
    assert {model.name for model in models} == {DEFAULT_MODEL}
    assert len({model.fingerprint for model in models}) == 1
    codes = [model.encode(FRAME).global_code.tobytes() for model in models]
    assert len(set(codes)) == 1


def test_a_model_makes_what_its_encoder_makes() -> None:
    model, encoder = hmar.load_model("thumbnail"), ThumbnailEncoder()
    assert (model.name, model.fingerprint) == (encoder.name, encoder.fingerprint)
    mine, its = model.encode(FRAME), encoder.encode(FRAME)
    np.testing.assert_array_equal(mine.window_codes, its.window_codes)
    assert model.image_query(FRAME).to_dict() == encoder.image_query(FRAME).to_dict()
    window = int(mine.window_ids[0])
    assert model.window_box(FRAME.info, window) == encoder.window_box(FRAME.info, window)


def test_a_region_may_be_four_numbers() -> None:
    model = hmar.load_model("thumbnail")
    box = hmar.Box(60, 70, 50, 40)
    assert model.region_query(FRAME, (60, 70, 50, 40)).to_dict() == model.region_query(FRAME, box).to_dict()
    with pytest.raises(RegionError):
        model.region_query(FRAME, (250, 250, 50, 40))
    with pytest.raises(RegionError, match="four finite numbers"):
        model.region_query(FRAME, (60, 70, 50))  # type: ignore[arg-type]


def test_a_region_may_be_an_outline() -> None:
    model = hmar.load_model("thumbnail")
    corners = ((60.0, 70.0), (110.0, 70.0), (110.0, 110.0))
    outline = hmar.Outline(corners)
    expected = ThumbnailEncoder().region_query(FRAME, outline)
    assert model.region_query(FRAME, outline).to_dict() == expected.to_dict()
    for points in (corners[:2], (*corners, (float("nan"), 80.0))):
        with pytest.raises(RegionError, match="points"):
            model.region_query(FRAME, hmar.Outline(points))


@pytest.mark.parametrize("name", ["hmar-ct-64", "absent/folder"])
def test_for_any_other_name_the_error_says_which_there_are(name: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{name}'.*{DEFAULT_MODEL}, thumbnail, or a model's"):
        hmar.load_model(name)


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lacks SHA256SUMS"):
        hmar.load_model(tmp_path)
