"""Which rescaled values are Hounsfield units."""

from __future__ import annotations

from typing import Any

import pytest

from hmar.errors import DecodeError
from hmar.values.frames import Frame, Units
from tests.hmar.dicom.build import image, only, ramp

CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}


def frame(**elements: Any) -> Frame:
    return only(image(ramp(), **{**CT, **elements}))


SPELLINGS = [
    *("HU", "hu", " HU ", "US", "HU_MOD", "H.U.", "H", "HUs", None),
    *(
        "Hounsfield Unit",
        "Hounsfield Units",
        "Houndsfield Unit",
        "HOUNSFIELD",
        "Hounsfeld units",
        "Housfield",
    ),
]


@pytest.mark.parametrize("written", SPELLINGS)
def test_hounsfield_units_are_known_however_files_spell_them(written: str | None) -> None:
    found = frame(RescaleType=written)
    assert found.units is Units.HU
    assert found.units_note is None
    assert found.values.ravel().tolist() == [x - 1024 for x in range(20)]


@pytest.mark.parametrize(
    ("elements", "note"),
    [
        ({"RescaleType": "Z_EFF"}, "RescaleType is Z_EFF"),
        ({"RescaleType": "ED"}, "RescaleType is ED"),
        ({"RescaleType": "DOE^JANE"}, "RescaleType is unknown"),
        ({"RescaleType": "normalized"}, "RescaleType is unknown"),
        ({"RescaleType": "Houndsfield", "RescaleSlope": 0.00001}, "are not those of a CT"),
        ({"RescaleType": "Houndsfield", "RescaleIntercept": 5000}, "are not those of a CT"),
    ],
)
def test_a_rescaled_ct_in_other_units_says_why(elements: dict[str, Any], note: str) -> None:
    found = frame(**elements)
    assert found.units is Units.PRESENTATION
    assert found.units_note is not None
    assert note in found.units_note


@pytest.mark.parametrize("elements", [{"Modality": "MR"}, {"RescaleSlope": None, "RescaleIntercept": None}])
def test_what_nobody_takes_for_hounsfield_units_needs_no_word(elements: dict[str, Any]) -> None:
    assert frame(**elements).units_note is None


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"RescaleSlope": [1, 1]}, "RescaleSlope has 2 values; it may have one"),
        ({"RescaleIntercept": [0, 1, 2]}, "RescaleIntercept has 3 values"),
        ({"RescaleSlope": 0}, "RescaleSlope is 0"),
    ],
)
def test_a_rescale_that_cannot_be_used_is_refused_with_its_true_reason(
    elements: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DecodeError, match=reason):
        frame(**elements)
