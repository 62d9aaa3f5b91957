"""Spacing from whichever element has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from hmar.values.frames import FrameInfo
from hmar.values.geometry import Spacing
from tests.hmar.dicom.build import image, opened, ramp


def info(**elements: Any) -> FrameInfo:
    return opened(image(ramp(), **elements)).infos[0]


def region(**elements: Any) -> Dataset:
    """Return an ultrasound region that covers all of a 4 x 5 frame."""
    item = Dataset()
    defaults = {
        "RegionSpatialFormat": 1,
        "RegionLocationMinX0": 0,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": 4,
        "RegionLocationMaxY1": 3,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": -0.05,
    }
    for keyword, value in {**defaults, **elements}.items():
        setattr(item, keyword, value)
    return item


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [1, 1]}, Spacing(0.5, 0.25)),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1)),
        ({"PixelSpacing": [0, 0.25], "ImagerPixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1)),
        ({"PixelSpacing": [-1, 0.25]}, None),
        ({"ImagerPixelSpacing": [0.2, 0.1], "NominalScannedPixelSpacing": [9, 9]}, Spacing(0.2, 0.1)),
        ({"NominalScannedPixelSpacing": [0.17, 0.18]}, Spacing(0.17, 0.18)),
        ({"NominalScannedPixelSpacing": [0.17, 0]}, None),
    ],
)
def test_spacing_is_that_of_the_pixels_then_of_the_detector_then_of_the_scanner(
    elements: dict[str, Any], spacing: Spacing | None
) -> None:
    assert info(**elements).spacing == spacing


@pytest.mark.parametrize(
    ("factor", "row_mm"), [(2, 0.1), (1, 0.2), (1.25, 0.16), (0.5, 0.2), (0, 0.2), (-2, 0.2), (1000, 0.2)]
)
def test_the_detectors_spacing_is_divided_by_a_magnification_that_can_be(
    factor: float, row_mm: float
) -> None:
    found = info(ImagerPixelSpacing=[0.2, 0.2], EstimatedRadiographicMagnificationFactor=factor)
    assert found.spacing == pytest.approx((row_mm, row_mm))


def test_the_magnification_does_not_touch_calibrated_pixels() -> None:
    found = info(PixelSpacing=[0.2, 0.2], EstimatedRadiographicMagnificationFactor=2)
    assert found.spacing == (0.2, 0.2)


@pytest.mark.parametrize("factor", [None, 2])
def test_an_enhanced_xa_has_its_spacing_in_the_properties_of_each_frame(factor: float | None) -> None:
    groups = []
    for number in (1, 2):
        properties, geometry, group = Dataset(), Dataset(), Dataset()
        properties.ImagerPixelSpacing = [0.2 * number, 0.4]
        group.FramePixelDataPropertiesSequence = [properties]
        if factor:
            geometry.EstimatedRadiographicMagnificationFactor = factor
            group.XRayGeometrySequence = [geometry]
        groups.append(group)
    data = image(np.stack([ramp()] * 2), Modality="XA", PerFrameFunctionalGroupsSequence=groups)
    found = [item.spacing for item in opened(data).infos]
    assert found == [
        Spacing(0.2 / (factor or 1), 0.4 / (factor or 1)),
        Spacing(0.4 / (factor or 1), 0.4 / (factor or 1)),
    ]


def test_ultrasound_has_the_spacing_of_the_one_region_that_covers_the_frame() -> None:
    found = info(Modality="US", SequenceOfUltrasoundRegions=[region()])
    assert found.spacing == pytest.approx((0.5, 0.2))


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [region(), region()],
        [region(RegionLocationMaxX1=3)],
        [region(RegionLocationMinY0=1)],
        [region(RegionSpatialFormat=2)],  # M-mode
        [region(PhysicalUnitsXDirection=4)],  # seconds
        [region(PhysicalDeltaX=0)],
    ],
)
def test_ultrasound_is_of_unknown_spacing_otherwise(regions: list[Dataset]) -> None:
    elements = {"SequenceOfUltrasoundRegions": regions} if regions else {}
    assert info(Modality="US", PixelSpacing=[0.5, 0.5], **elements).spacing is None


@pytest.mark.parametrize(
    ("elements", "aspect"),
    [
        ({"PixelAspectRatio": [2, 1]}, 2),
        ({"PixelAspectRatio": [1, 4]}, 0.25),
        ({}, None),
        ({"PixelAspectRatio": [0, 1]}, None),
        ({"PixelAspectRatio": [1000, 1]}, None),
        ({"PixelAspectRatio": [2, 1], "PixelSpacing": [1, 1]}, None),
        ({"PixelAspectRatio": [2, 1], "Modality": "US"}, 2),
    ],
)
def test_the_aspect_ratio_of_pixels_counts_where_their_spacing_is_unknown(
    elements: dict[str, Any], aspect: float | None
) -> None:
    assert info(**elements).pixel_aspect == aspect
