from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.dicom_series import as_integers, from_feet_to_head, series_volume
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Spacing


def frame(z: float | None, value: float = 0.0, modality: str = "CT") -> Frame:
    info = FrameInfo(
        study_uid="2.25.1",
        series_uid="2.25.2",
        sop_instance_uid=f"2.25.3.{z}",
        frame_number=1,
        modality=modality,
        body_part=None,
        patient_key=None,
        rows=2,
        columns=3,
        spacing=Spacing(2.0, 1.5),
        position=None if z is None else (0.0, 0.0, z),
    )
    return Frame(info, np.full((2, 3), value, np.float32), Units.HU)


def volume_of(*frames: Frame):
    return series_volume("series", frames, np.full(len(frames), -1))


def test_slices_are_put_in_order_by_their_height():
    frames = [frame(z, z) for z in (7.5, -2.5, 2.5)]
    ordered = from_feet_to_head(frames, lambda one: one.info)
    volume = volume_of(*ordered)
    assert volume.values[:, 0, 0].tolist() == [-2, 2, 8]  # halves to even
    assert volume.spacing_mm == (5.0, 2.0, 1.5)


def test_one_missing_slice_does_not_change_the_spacing():
    assert volume_of(*(frame(z) for z in (0.0, 3.0, 6.0, 12.0))).spacing_mm[0] == 3.0


def test_values_without_units_are_kept_as_thousandths():
    values = np.array([[0.0, 0.2504, 1.0]], np.float32)
    assert as_integers(values, "MR").tolist() == [[0, 250, 1000]]
    assert as_integers(values * 1000, "CT").tolist() == [[0, 250, 1000]]


def test_slices_without_a_place_or_a_size_form_no_volume():
    with pytest.raises(ValueError, match="no position"):
        volume_of(frame(0.0), frame(None))
    sizeless = [replace(one, info=replace(one.info, spacing=None)) for one in (frame(0.0), frame(3.0))]
    with pytest.raises(ValueError, match="no pixel spacing"):
        volume_of(*sizeless)
