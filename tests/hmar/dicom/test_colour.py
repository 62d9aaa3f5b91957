"""Palettes, and colour of more than 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hmar.errors import DecodeError
from tests.hmar.dicom.build import image, only

LUMA = (0.299, 0.587, 0.114)
STORED = np.arange(256, dtype=np.uint8).reshape(16, 16)
TABLES = (np.arange(256), np.arange(255, -1, -1), np.arange(256) // 2)
EXPECTED = sum(table[STORED] * weight for table, weight in zip(TABLES, LUMA, strict=True)) / 255


def palette(data: list[bytes], bits: int, *, segmented: bool = False, count: int = 256) -> dict[str, Any]:
    prefix = "Segmented" if segmented else ""
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, one in zip(("Red", "Green", "Blue"), data, strict=True):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [count, 0, bits]
        elements[f"{prefix}{colour}PaletteColorLookupTableData"] = one
    return elements


@pytest.mark.parametrize(
    ("dtype", "bits", "factor"),
    [
        ("u1", 8, 1),  # entries of 8 bits in bytes
        ("<u2", 8, 1),  # and in words
        ("<u2", 8, 257),  # 16 bits declared as 8
        ("<u2", 16, 257),
        ("<u2", 16, 1),  # 8 bits declared as 16
    ],
)
def test_a_palette_has_its_brightness_however_its_entries_are_laid_out(
    dtype: str, bits: int, factor: int
) -> None:
    data = [(table * factor).astype(dtype).tobytes() for table in TABLES]
    np.testing.assert_allclose(only(image(STORED, **palette(data, bits))).values, EXPECTED, atol=1e-5)


@pytest.mark.parametrize("dtype", ["u1", "<u2"])
def test_a_segmented_palette_is_expanded(dtype: str) -> None:
    segments = [[0, 1, 0, 1, 255, 255], [0, 1, 255, 1, 255, 0], [0, 2, 0, 0, 1, 254, 127]]
    data = [np.array(one, dtype).tobytes() for one in segments]
    data = [one + b"\0" * (len(one) % 2) for one in data]
    found = only(image(STORED, **palette(data, 8, segmented=True))).values
    np.testing.assert_allclose(found, EXPECTED, atol=0.003)


def test_channels_of_different_length_are_read_each_on_its_own() -> None:
    elements = palette([table.astype("<u2").tobytes() for table in TABLES], 8)
    elements["BluePaletteColorLookupTableDescriptor"] = [1, 0, 8]
    elements["BluePaletteColorLookupTableData"] = b"\0\0"
    expected = (TABLES[0][STORED] * LUMA[0] + TABLES[1][STORED] * LUMA[1]) / 255
    np.testing.assert_allclose(only(image(STORED, **elements)).values, expected, atol=1e-5)


@pytest.mark.parametrize(
    "dropped", ["GreenPaletteColorLookupTableData", "RedPaletteColorLookupTableDescriptor"]
)
def test_a_palette_without_an_element_is_refused_with_its_name(dropped: str) -> None:
    elements = palette([table.astype("<u2").tobytes() for table in TABLES], 8)
    del elements[dropped]
    with pytest.raises(DecodeError, match=dropped):
        only(image(STORED, **elements))


def test_the_luminance_of_ybr_of_16_bits_is_its_first_sample() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (3, 4, 3), dtype=np.uint16)
    data = image(
        samples[..., 0],
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL",
        PlanarConfiguration=0,
        PixelData=samples.tobytes(),
    )
    np.testing.assert_allclose(only(data).values, samples[..., 0] / 65535, atol=1e-6)
