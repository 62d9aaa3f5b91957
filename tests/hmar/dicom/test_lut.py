"""Lookup tables of every layout that files have, against the table written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from hmar.dicom.lut import read_lut, white_of
from hmar.errors import DecodeError
from tests.hmar.dicom.build import image, lut, only, ramp, write


@pytest.mark.parametrize("implicit", [False, True])
def test_a_modality_lut_maps_stored_values(implicit: bool) -> None:
    # Stored 0..19; the table begins at 5 and has 8 entries: below and above, the ends repeat.
    table = [10, 20, 40, 80, 120, 160, 200, 250]
    data = image(ramp(), ModalityLUTSequence=[lut([8, 5, 8], table)], implicit=implicit)
    expected = np.array([table[min(max(x - 5, 0), 7)] for x in range(20)])
    np.testing.assert_allclose(only(data).values.ravel(), (expected - 10) / 240, atol=1e-6)


def test_a_modality_lut_may_begin_below_zero() -> None:
    stored = ramp(np.int16) - 10
    data = image(stored.astype(np.int16), ModalityLUTSequence=[lut([16, -8, 16], list(range(0, 160, 10)))])
    expected = [10 * min(max(x + 8, 0), 15) / 150 for x in range(-10, 10)]
    np.testing.assert_allclose(only(data).values.ravel(), expected, atol=1e-6)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_voi_lut_is_preferred_to_a_window_and_scaled_by_its_depth(implicit: bool) -> None:
    table = [0, 100, 300, 1023]
    data = image(
        ramp(), VOILUTSequence=[lut([4, 3, 10], table)], WindowCenter=1, WindowWidth=2, implicit=implicit
    )
    expected = [table[min(max(x - 3, 0), 3)] / 1023 for x in range(20)]
    np.testing.assert_allclose(only(data).values.ravel(), expected, atol=1e-6)


def table(descriptor: list[int], data: bytes | list[int], vr: str = "OW", **elements: Any) -> Dataset:
    """Return an item whose data has any VR, and whose descriptor is of unsigned numbers."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", vr, data)
    item.update(elements)
    return item


def words(entries: Any, order: str = "<") -> bytes:
    return np.asarray(entries).astype(f"{order}u2").tobytes()


def shown(data: bytes) -> list[float]:
    return [round(float(value), 6) for value in only(data).values.ravel()]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
def test_a_table_has_up_to_65536_entries_whatever_the_sign_of_the_pixels(
    implicit: bool, signed: bool
) -> None:
    entries = np.arange(40_000)
    stored = ramp(np.int16 if signed else np.uint16)
    data = image(stored, implicit=implicit, VOILUTSequence=[table([40_000, 0, 16], words(entries))])
    assert shown(data) == [round(value / 65535, 6) for value in range(20)]


def test_a_count_of_0_means_65536_entries() -> None:
    item = table([0, 0, 16], words(np.arange(65536)))
    found = read_lut(item, "LUT", "VOI LUT", signed=False, order="<")
    assert len(found.entries) == 65536
    assert found.entries[-1] == 65535


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("vr", ["OW", "US"])
def test_8_bit_entries_lie_in_bytes_or_in_words_as_the_length_tells(vr: str, packed: bool) -> None:
    entries = np.arange(255, -1, -1)
    data = entries.astype(np.uint8).tobytes() if packed else words(entries)
    value = data if vr == "OW" else np.frombuffer(data, "<u2").tolist()
    found = shown(image(ramp(np.uint8), VOILUTSequence=[table([256, 0, 8], value, vr)]))
    assert found == [round((255 - x) / 255, 6) for x in range(20)]


def test_an_odd_number_of_8_bit_entries_is_padded() -> None:
    data = image(ramp(np.uint8), VOILUTSequence=[table([3, 0, 8], bytes([0, 51, 255, 0]))])
    assert shown(data)[:3] == [0, 0.2, 1]


@pytest.mark.parametrize("first", [64512, -1024])
def test_the_first_input_of_a_voi_lut_is_signed_if_the_rescale_may_give_negative_values(first: int) -> None:
    item = table([2048, first % 65536, 12], words(np.arange(2048) * 2))
    data = image(
        ramp(), BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024, Modality="MR", VOILUTSequence=[item]
    )
    assert shown(data) == [round(2 * x / 4095, 6) for x in range(20)]


def test_the_first_input_of_a_voi_lut_is_unsigned_if_no_value_is_negative() -> None:
    stored = ramp() + np.uint16(64_512)
    data = image(stored, VOILUTSequence=[table([256, 64_512, 8], words(np.arange(256)))])
    assert shown(data) == [round(x / 255, 6) for x in range(20)]


@pytest.mark.parametrize(("signed", "expected"), [(True, [0, 1]), (False, [0, 0])])
def test_the_first_input_of_a_modality_lut_has_the_sign_of_the_pixels(
    signed: bool, expected: list[int]
) -> None:
    stored = np.array([[-2, -1]], np.int16)
    stored = stored if signed else np.array([[0, 1]], np.uint16)
    data = image(stored, ModalityLUTSequence=[table([2, 65534, 8], words([10, 20]))])
    assert shown(data) == expected


@pytest.mark.parametrize(
    ("bits", "largest", "white"),
    [
        (16, 4095, 4095),  # 12 bits declared as 16: CR
        (16, 1023, 1023),
        (16, 4000, 4095),
        (16, 65535, 65535),
        (16, 20_000, 65535),  # dim, but more than a quarter
        (12, 4095, 4095),
        (12, 2047, 4095),
        (12, 65_280, 65535),  # more than declared
        (8, 255, 255),
        (8, 3, 255),  # dark colours
        (8, 65_535, 65535),  # 16 bits declared as 8
        (16, 200, 255),  # 8 bits declared as 16
        (16, 0, 65535),
    ],
)
def test_white_is_the_declared_range_unless_the_entries_have_another(
    bits: int, largest: int, white: int
) -> None:
    item = table([2, 0, bits], words([0, largest]))
    assert white_of([read_lut(item, "LUT", "VOI LUT", signed=False, order="<")]) == white


def test_12_bit_entries_declared_as_16_bits_are_shown_over_the_full_range() -> None:
    data = image(ramp(), BitsStored=12, VOILUTSequence=[table([4096, 0, 16], words(np.arange(4096)))])
    assert shown(data) == [round(x / 4095, 6) for x in range(20)]


@pytest.mark.parametrize(
    ("descriptor", "data", "reason"),
    [
        ([4, 0, 16], words([1, 2, 3]), "VOI LUT declares 4 entries of 16 bits and has 6 bytes"),
        ([4, 0, 12], bytes(4), "declares 4 entries of 12 bits and has 4 bytes"),
        ([4, 0, 17], words([1, 2, 3, 4]), "entries of 17 bits"),
        ([4, 0, 4], words([1, 2, 3, 4]), "entries of 4 bits"),
        ([4, 0], words([1, 2, 3, 4]), "no LUTDescriptor of three values"),
        ([4, 0, 16], b"", "no LUTData"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_with_its_numbers(
    descriptor: list[int], data: bytes, reason: str
) -> None:
    with pytest.raises(DecodeError, match=reason):
        only(image(ramp(), VOILUTSequence=[table(descriptor, data)]))


def test_words_of_big_endian_files_are_read_in_their_order() -> None:
    dataset = Dataset()
    dataset.update({"Modality": "OT", "PhotometricInterpretation": "MONOCHROME2", "SOPInstanceUID": "1.2.3"})
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 5, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.VOILUTSequence = [table([32, 0, 10], words(np.arange(32) * 33, ">"))]
    dataset.add(DataElement("PixelData", "OW", ramp().astype(">u2").tobytes()))
    data = write(dataset, syntax=ExplicitVRBigEndian)
    assert shown(data) == [round(33 * x / 1023, 6) for x in range(20)]


@pytest.mark.slow
@given(st.integers(1, 300), st.integers(-400, 400), st.integers(8, 16), st.data())
def test_every_table_maps_as_a_plain_loop_does(
    count: int, first: int, bits: int, data: st.DataObject
) -> None:
    entries = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=count, max_size=count))
    item = table([count, first % 65536, bits], words(entries))
    found = read_lut(item, "LUT", "VOI LUT", signed=True, order="<")
    inputs = np.arange(-500, 800)
    expected = [entries[min(max(x - first, 0), count - 1)] for x in inputs.tolist()]
    assert found.look_up(inputs, found.entries).tolist() == expected
    assert found.look_up(inputs.astype(np.float64) + 0.25, found.entries).tolist() == expected
