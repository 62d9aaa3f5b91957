"""How an image was made, as headers of classic and of enhanced images have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from hmar.answers import properties_json
from hmar.values.frames import FrameInfo
from tests.hmar.dicom.build import image, opened, ramp

FRAMES = np.arange(12, dtype=np.uint16).reshape(3, 2, 2)


def infos(stored: Any = None, **elements: Any) -> tuple[FrameInfo, ...]:
    return opened(image(ramp() if stored is None else stored, **elements)).infos


def group(sequence: str, *items: dict[str, object]) -> Dataset:
    """Return the item of a functional group."""
    holder, inner = Dataset(), []
    for elements in items:
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        inner.append(item)
    setattr(holder, sequence, inner)
    return holder


@pytest.mark.parametrize(
    ("name", "elements", "kept"),
    [
        ("convolution_kernel", {"ConvolutionKernel": "STANDARD"}, "STANDARD"),
        ("convolution_kernel", {"ConvolutionKernel": ["I31f", "3"]}, "I31F 3"),
        ("convolution_kernel", {"ConvolutionKernel": ""}, None),
        ("slice_thickness_mm", {"SliceThickness": "2.500000"}, 2.5),
        ("slice_thickness_mm", {"SliceThickness": "0"}, None),
        ("contrast", {"ContrastBolusAgent": "Omnipaque 350"}, True),
        ("contrast", {"ContrastBolusAgent": "NONE"}, False),
        ("contrast", {"ContrastBolusAgent": "no"}, False),
        ("contrast", {"ContrastBolusAgent": ""}, None),
        ("view_position", {"ViewPosition": "ap"}, "AP"),
        ("view_position", {"ViewPosition": DataElement("ViewPosition", "LO", "Doe, John")}, None),
        ("laterality", {"ImageLaterality": "R", "Laterality": "L"}, "R"),
        ("laterality", {"Laterality": "L"}, "L"),
        ("laterality", {"ImageLaterality": "U"}, "U"),
        ("laterality", {"ImageLaterality": "X", "Laterality": "B"}, "B"),
    ],
)
def test_a_classic_header_says_it_or_leaves_it_unknown(
    name: str, elements: dict[str, Any], kept: object
) -> None:
    (info,) = infos(**elements)
    assert getattr(info, name) == kept
    assert properties_json(info)[name] == kept


@pytest.mark.parametrize(
    "name", ["convolution_kernel", "slice_thickness_mm", "contrast", "view_position", "laterality"]
)
def test_a_header_without_it_leaves_it_unknown(name: str) -> None:
    (info,) = infos()
    assert getattr(info, name) is None


@pytest.mark.parametrize(
    ("name", "sequence", "keyword", "image_keyword", "values", "kept"),
    [
        (
            "convolution_kernel",
            "CTReconstructionSequence",
            "ConvolutionKernel",
            "ConvolutionKernel",
            ("B30f", ["Qr40", "3"], "whole"),
            ("B30F", "QR40 3", "WHOLE"),
        ),
        (
            "slice_thickness_mm",
            "PixelMeasuresSequence",
            "SliceThickness",
            "SliceThickness",
            (1, 2.5, 5),
            (1, 2.5, 5),
        ),
        (
            "contrast",
            "ContrastBolusUsageSequence",
            "ContrastBolusAgentAdministered",
            "ContrastBolusAgent",
            ("YES", "NO", "Omnipaque"),
            (True, False, True),
        ),
        (
            "laterality",
            "FrameAnatomySequence",
            "FrameLaterality",
            "ImageLaterality",
            ("L", "R", "B"),
            ("L", "R", "B"),
        ),
    ],
)
def test_a_frames_own_group_comes_before_the_shared_one_and_that_before_the_image(
    name: str,
    sequence: str,
    keyword: str,
    image_keyword: str,
    values: tuple[object, object, object],
    kept: tuple[object, object, object],
) -> None:
    own, shared, whole = values
    groups = {
        "SharedFunctionalGroupsSequence": [group(sequence, {keyword: shared})],
        "PerFrameFunctionalGroupsSequence": [group(sequence, {keyword: own}), Dataset(), Dataset()],
    }
    found = infos(FRAMES, **groups, **{image_keyword: whole})
    assert [getattr(info, name) for info in found] == [kept[0], kept[1], kept[1]]
    groups["SharedFunctionalGroupsSequence"] = [Dataset()]
    found = infos(FRAMES, **groups, **{image_keyword: whole})
    assert [getattr(info, name) for info in found] == [kept[0], kept[2], kept[2]]


def test_one_of_several_agents_is_enough_and_a_group_that_says_nothing_leaves_it_to_the_next() -> None:
    administered = "ContrastBolusAgentAdministered"
    both = group("ContrastBolusUsageSequence", {administered: "NO"}, {administered: "YES"})
    silent = group("ContrastBolusUsageSequence", {administered: ""})
    none = group("ContrastBolusUsageSequence", {administered: "NO"})
    found = infos(
        FRAMES,
        SharedFunctionalGroupsSequence=[none],
        PerFrameFunctionalGroupsSequence=[both, silent, none],
    )
    assert [info.contrast for info in found] == [True, False, False]


def test_what_is_no_group_is_passed_over() -> None:
    shared = Dataset()
    shared.add(DataElement("FrameAnatomySequence", "LO", "no sequence"))
    (info,) = infos(SharedFunctionalGroupsSequence=[shared], Laterality="L")
    assert info.laterality == "L"


def test_the_name_of_an_agent_is_kept_nowhere() -> None:
    (info,) = infos(ContrastBolusAgent="Given by Dr. Doe")
    assert "DOE" not in repr(info).upper()
