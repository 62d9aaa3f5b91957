"""Digests: the same for the same pixels and header, and for nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from hmar.values import digests
from hmar.values.digests import Digests, comparable, differing_fields, header_digest, pixel_digest
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Spacing
from tests.contract.examples import info
from tests.frames import textured_frame

FRAME = textured_frame(1, 20, 30)


def test_pixels_are_digested_with_their_size_and_units() -> None:
    written = b"HU 20 30\n" + FRAME.values.astype("<f4").tobytes()
    assert pixel_digest(FRAME) == hashlib.sha256(written).hexdigest()


def test_one_bit_of_one_pixel_changes_the_digest() -> None:
    changed = FRAME.values.copy()
    changed.view(np.uint32)[7, 9] ^= 1
    assert pixel_digest(replace(FRAME, values=changed)) != pixel_digest(FRAME)


def test_the_same_numbers_in_other_units_or_of_another_shape_are_other_pixels() -> None:
    others = [
        replace(FRAME, units=Units.PRESENTATION),
        replace(FRAME, values=FRAME.values.reshape(30, 20)),
        replace(FRAME, values=FRAME.values.reshape(10, 60)),
    ]
    assert len({pixel_digest(frame) for frame in [FRAME, *others]}) == 4


def test_how_an_array_lies_in_memory_changes_nothing() -> None:
    laid_out = [np.asfortranarray(FRAME.values), FRAME.values.astype(">f4"), FRAME.values[::-1][::-1]]
    assert {pixel_digest(Frame(FRAME.info, values, FRAME.units)) for values in laid_out} == {
        pixel_digest(FRAME)
    }


CHANGES: dict[str, Any] = {
    "study_uid": "8",
    "series_uid": "8",
    "patient_key": None,
    "rows": 9,
    "columns": 9,
    "spacing": Spacing(0.7, 0.9),
    "series_number": None,
    "instance_number": 8,
    "position": (1.0, 2.0, 3.6),
    "pixel_aspect": None,
    "modality": "MR",
    "body_part": None,
    "sex": "M",
    "age_years": 1,
    "study_date": date(1999, 1, 1),
    "manufacturer": "other",
    "convolution_kernel": "other",
    "slice_thickness_mm": 0.123,
    "contrast": None,
    "view_position": "LATERAL",
    "laterality": None,
}
UNCOVERED = {
    "sop_instance_uid": "8",
    "frame_number": 8,
    "uids_derived": True,
    "label": "other",
    "series_description": "LUNG",
    "stack": "0" * 16,
    "along_mm": 3.5,
}


def test_every_field_of_a_frame_is_covered_or_left_out_on_purpose() -> None:
    assert {*CHANGES, *UNCOVERED} == {item.name for item in fields(FrameInfo)}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_covered_field_changes_the_digest_and_is_named(name: str) -> None:
    changed = info(**{name: CHANGES[name]})
    assert header_digest(changed) != header_digest(info())
    assert comparable(header_digest(changed), header_digest(info()))
    assert differing_fields(changed, info()) == [name]


def test_the_name_and_the_label_of_a_frame_are_left_out() -> None:
    changed = info(**UNCOVERED)
    assert header_digest(changed) == header_digest(info())
    assert differing_fields(changed, info()) == []


def test_equal_numbers_are_digested_alike() -> None:
    whole = info(spacing=Spacing(1, 2), position=(-0.0, 1, 2), pixel_aspect=1, slice_thickness_mm=1)
    exact = info(
        spacing=Spacing(1.0, 2.0), position=(0.0, 1.0, 2.0), pixel_aspect=1.0, slice_thickness_mm=1.0
    )
    assert header_digest(whole) == header_digest(exact)


def test_digests_over_other_fields_are_not_comparable(monkeypatch: pytest.MonkeyPatch) -> None:
    now = header_digest(info())
    fewer = [name for name in digests._COVERED if name != "laterality"]
    monkeypatch.setattr(digests, "_COVERED", fewer)
    monkeypatch.setattr(digests, "_TAG", digests._tag(fewer))
    assert not comparable(header_digest(info()), now)


def test_a_digest_is_64_hexadecimal_digits() -> None:
    known = Digests.of(FRAME, "f" * 64, 3)
    assert (known.file_sha256, known.file_frames) == ("f" * 64, 3)
    assert all(len(text) == 64 and int(text, 16) for text in (known.pixels, known.header))
