from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from hmar.errors import DecodeError
from hmar.values.frames import Units
from tests.hmar.dicom.build import image, only, opened, ramp

CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
BRIGHT = {"RescaleIntercept": 2000}


@pytest.mark.slow
@given(
    st.lists(st.integers(-(2**15), 2**15 - 1), min_size=6, max_size=6),
    st.sampled_from([0.5, 1, 2]),
    st.integers(-2000, 100),
)
def test_hounsfield_units_are_slope_times_stored_plus_intercept_and_never_below_minus_1024(
    stored: list[int], slope: float, intercept: int
) -> None:
    data = image(
        np.array(stored, np.int16).reshape(2, 3),
        Modality="CT",
        RescaleSlope=slope,
        RescaleIntercept=intercept,
        WindowCenter=[40, 50],
        WindowWidth=[400, 350],
    )
    frame = only(data)
    assert frame.units is Units.HU
    assert frame.display_window == (40, 400)
    assert frame.values.dtype == np.float32
    assert frame.values.ravel().tolist() == [max(-1024, x * slope + intercept) for x in stored]


@pytest.mark.parametrize(
    ("padding", "implicit"),
    [(DataElement("PixelPaddingValue", "US", 63536), False), (-2000, False), (-2000, True)],
)
def test_padding_of_signed_pixels_becomes_minus_1024_even_if_written_unsigned(
    padding: DataElement | int, implicit: bool
) -> None:
    stored = np.array([[-2000, 1], [0, 100]], np.int16)
    values = only(image(stored, PixelPaddingValue=padding, implicit=implicit, **CT | BRIGHT)).values
    assert values.tolist() == [[-1024, 2001], [2000, 2100]]


@pytest.mark.parametrize(("value", "limit"), [(10, 12), (12, 10)])
def test_a_padding_range_includes_both_ends_whichever_is_given_first(value: int, limit: int) -> None:
    stored = np.array([[9, 10, 11], [12, 13, 50]], np.uint16)
    values = only(image(stored, PixelPaddingValue=value, PixelPaddingRangeLimit=limit, **CT)).values
    assert values.tolist() == [[-1015, -1024, -1024], [-1024, -1011, -974]]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_in_presentation_and_outside_the_full_range(photometric: str) -> None:
    stored = np.array([[9999, 100], [150, 200]], np.uint16)
    data = image(stored, PixelPaddingValue=9999, PhotometricInterpretation=photometric)
    expected = [[0, 0], [0.5, 1]] if photometric == "MONOCHROME2" else [[0, 1], [0.5, 0]]
    assert only(data).values.tolist() == expected


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": None, "RescaleIntercept": None},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"RescaleType": "Z_EFF"},
        {"Modality": "PT"},
    ],
)
def test_only_a_rescaled_ct_image_is_in_hounsfield_units(elements: dict[str, object]) -> None:
    frame = only(image(ramp(), **{**CT, **elements}))
    assert frame.units is Units.PRESENTATION
    np.testing.assert_allclose(frame.values.ravel(), np.arange(20) / 19, atol=1e-6)


def test_a_ct_in_monochrome1_keeps_its_hounsfield_units() -> None:
    plain = only(image(ramp(), **CT)).values
    assert (only(image(ramp(), PhotometricInterpretation="MONOCHROME1", **CT)).values == plain).all()


def test_bits_above_bits_stored_are_ignored() -> None:
    stored = ramp() | np.uint16(0xF000)
    assert (only(image(stored, BitsStored=12, **CT)).values == ramp().astype(np.float32) - 1024).all()


def test_signed_values_of_twelve_bits_are_extended() -> None:
    stored = np.array([[0x0FFF, 0x0800], [0x07FF, 0]], np.uint16)
    values = only(image(stored, BitsStored=12, PixelRepresentation=1, **CT | BRIGHT)).values
    assert values.tolist() == [[1999, -48], [4047, 2000]]


@pytest.mark.parametrize(("bits", "white"), [(8, 255), (16, 65535)])
def test_rgb_becomes_luminance(bits: int, white: int) -> None:
    colours = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]]) * white
    data = image(
        np.zeros((2, 2), f"uint{bits}"),
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="RGB",
        PixelData=colours.astype(f"uint{bits}").tobytes(),
    )
    np.testing.assert_allclose(only(data).values, [[0.299, 0.587], [0.114, 1]], atol=1e-6)


def test_palette_colours_become_luminance() -> None:
    tables = {"Red": [0, 65535, 0, 0], "Green": [0, 0, 65535, 0], "Blue": [0, 0, 0, 65535]}
    elements: dict[str, object] = {}
    for colour, table in tables.items():
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 10, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = np.array(table, "<u2").tobytes()
    stored = np.array([[0, 10, 11], [12, 13, 200]], np.uint8)
    data = image(stored, PhotometricInterpretation="PALETTE COLOR", **elements)
    np.testing.assert_allclose(only(data).values, [[0, 0, 0.299], [0.587, 0.114, 0.114]], atol=1e-6)


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
def test_float_pixels_are_shown_over_their_finite_range(keyword: str, dtype: str) -> None:
    stored = np.array([[np.nan, 0.25], [0.5, 0.75]], dtype)
    data = image(
        stored, BitsStored=None, HighBit=None, PixelRepresentation=None, **{keyword: stored.tobytes()}
    )
    assert only(data).values.tolist() == [[0, 0], [0.5, 1]]


@pytest.mark.parametrize("slope", [0, 1e300])
def test_a_slope_that_gives_no_usable_values_is_refused(slope: float) -> None:
    data = image(ramp(), **{**CT, "RescaleSlope": slope})
    with pytest.raises(DecodeError):
        only(data)


def test_an_unknown_voi_lut_function_is_refused() -> None:
    with pytest.raises(DecodeError, match="VOI LUT Function"):
        only(image(ramp(), WindowCenter=1, WindowWidth=2, VOILUTFunction="CUBIC"))


def test_frames_of_an_enhanced_image_have_their_own_rescale_and_window() -> None:
    shared, groups = Dataset(), []
    measures = Dataset()
    measures.PixelSpacing = [0.5, 0.25]
    shared.PixelMeasuresSequence = [measures]
    for number in (1, 2):
        transform, voi, position, group = Dataset(), Dataset(), Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = number, -1000, "HU"
        voi.WindowCenter, voi.WindowWidth = 40 * number, 400
        position.ImagePositionPatient = [1, 2, 3 * number]
        group.PixelValueTransformationSequence = [transform]
        group.FrameVOILUTSequence, group.PlanePositionSequence = [voi], [position]
        groups.append(group)
    stored = np.stack([ramp(), ramp()])
    file = opened(
        image(
            stored,
            Modality="CT",
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=groups,
        )
    )
    for number in (1, 2):
        frame = file.frame(number)
        assert frame.units is Units.HU
        assert (frame.values == ramp().astype(np.float32) * number - 1000).all()
        assert frame.display_window == (40 * number, 400)
        assert frame.info.frame_number == number
        assert frame.info.spacing == (0.5, 0.25)
        assert frame.info.position == (1, 2, 3 * number)


def test_functional_groups_that_do_not_number_the_frames_are_refused() -> None:
    data = image(np.stack([ramp(), ramp()]), PerFrameFunctionalGroupsSequence=[Dataset()])
    with pytest.raises(DecodeError, match="2 frames but 1 per-frame"):
        opened(data)


def test_header_values_never_reach_warnings_logs_or_messages(caplog: pytest.LogCaptureFixture) -> None:
    secret = "DOE^JANE"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom objects while the test writes what it must not write
        data = image(ramp(), PhotometricInterpretation=secret, PatientName=secret, AccessionNumber=secret * 4)
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        with pytest.raises(DecodeError) as refusal:
            opened(data)
    assert secret not in str(refusal.value)
    assert secret not in "".join(str(item.message) for item in caught) + caplog.text
