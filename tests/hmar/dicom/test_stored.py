"""Stored values against PS3.5 8.1.1 written out for one sample at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.dicom.stored import stored_values
from tests.hmar.dicom.build import image, only, opened, ramp

CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}


def plain(cell: int, bits_stored: int, high_bit: int, signed: bool) -> int:
    value = (cell >> (high_bit + 1 - bits_stored)) % 2**bits_stored
    return value - 2**bits_stored if signed and value >= 2 ** (bits_stored - 1) else value


@pytest.mark.slow
@given(st.sampled_from(["u1", "<u2", ">u2", "<u4", "<u8"]), st.booleans(), st.data())
def test_values_are_placed_by_the_high_bit_and_nothing_is_assumed_of_other_bits(
    dtype: str, signed: bool, data: st.DataObject
) -> None:
    width = np.dtype(dtype).itemsize * 8
    bits_stored = data.draw(st.integers(1, width))
    high_bit = data.draw(st.integers(bits_stored - 1, width - 1))
    cells = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=1, max_size=8))
    found = stored_values(np.array(cells, dtype), bits_stored, high_bit, signed)
    assert found.tolist() == [plain(cell, bits_stored, high_bit, signed) for cell in cells]
    assert found.dtype == np.dtype(f"{'i' if signed else 'u'}{width // 8}")


@pytest.mark.parametrize("overlay", [0, 0b1011])
def test_a_ct_in_the_upper_twelve_bits_keeps_its_hounsfield_units(overlay: int) -> None:
    stored = (ramp() << np.uint16(4)) | np.uint16(overlay)
    values = only(image(stored, BitsStored=12, HighBit=15, **CT)).values
    assert values.ravel().tolist() == [x - 1024 for x in range(20)]


@pytest.mark.slow
def test_frames_of_single_bits_need_not_begin_on_bytes() -> None:
    # One stream of bits for all frames (PS3.5 annex D), for every size from 1 x 1 to 7 x 7.
    generator = np.random.default_rng(0)
    for rows in range(1, 8):
        for columns in range(1, 8):
            bits = generator.integers(0, 2, (5, rows, columns), dtype=np.uint8)
            packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
            data = image(
                bits,
                Modality="SEG",
                BitsAllocated=1,
                BitsStored=1,
                HighBit=0,
                WindowCenter=0.5,
                WindowWidth=1,
                VOILUTFunction="LINEAR_EXACT",
                PixelData=packed + b"\0" * (len(packed) % 2),
            )
            file = opened(data)
            found = [file.frame(number).values.tolist() for number in range(1, 6)]
            assert found == bits.tolist()
