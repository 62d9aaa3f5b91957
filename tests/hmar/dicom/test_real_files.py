"""The real and difficult files of pydicom and pydicom-data.

Each one decodes to what pydicom's own pipeline gives, or is refused with a true reason.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, pixel_array

from hmar.dicom.pixels import stored_frame
from hmar.dicom.read import DicomFile, read_dicom
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError
from hmar.values.frames import Frame, Units
from tests.hmar.dicom.build import HASHER
from tests.hmar.dicom.sequential_jpeg import decode

data_store = pytest.importorskip("data_store", reason="pydicom-data is not installed (extra dev)")

FOLDERS = (Path(pydicom.__file__).parent / "data", Path(data_store.__file__).parent / "data")
FILES = {
    path.name: path
    for folder in FOLDERS
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path.suffix not in (".py", ".pyc")
}

MUST_DECODE = """
# JPEG 2000
693_J2KI.dcm 693_J2KR.dcm GDCMJ2K_TextGBR.dcm J2K_pixelrep_mismatch.dcm JPEG2000.dcm JPEG2000_UNC.dcm
MR2_J2KI.dcm MR2_J2KR.dcm MR_small_jp2klossless.dcm RG1_J2KI.dcm RG1_J2KR.dcm RG3_J2KI.dcm RG3_J2KR.dcm
SC_rgb_gdcm2k_uncompressed.dcm SC_rgb_gdcm_KY.dcm US1_J2KI.dcm US1_J2KR.dcm emri_small_jpeg_2k_lossless.dcm
examples_jpeg2k.dcm explicit_VR-UN.dcm
# JPEG-LS
JPEGLSNearLossless_08.dcm JPEGLSNearLossless_16.dcm MR_small_jpeg_ls_lossless.dcm SC_rgb_jls_lossy_line.dcm
SC_rgb_jls_lossy_sample.dcm emri_small_jpeg_ls_lossless.dcm
# JPEG
JPEG-LL.dcm JPGLosslessP14SV1_1s_1f_8b.dcm SC_jpeg_no_color_transform.dcm SC_jpeg_no_color_transform_2.dcm
SC_rgb_dcmtk_+eb+cr.dcm SC_rgb_dcmtk_+eb+cy+n1.dcm SC_rgb_dcmtk_+eb+cy+n2.dcm SC_rgb_dcmtk_+eb+cy+np.dcm
SC_rgb_dcmtk_+eb+cy+s2.dcm SC_rgb_dcmtk_+eb+cy+s4.dcm SC_rgb_jpeg.dcm SC_rgb_jpeg_app14_dcmd.dcm
SC_rgb_jpeg_dcmd.dcm SC_rgb_jpeg_dcmtk.dcm SC_rgb_jpeg_gdcm.dcm SC_rgb_jpeg_lossy_gdcm.dcm
SC_rgb_small_odd_jpeg.dcm bad_sequence.dcm color3d_jpeg_baseline.dcm examples_ybr_color.dcm
JPEG-lossy.dcm JPGExtended.dcm
# RLE
MR_small_RLE.dcm OBXXXX1A_rle.dcm OBXXXX1A_rle_2frame.dcm SC_rgb_rle.dcm SC_rgb_rle_16bit.dcm
SC_rgb_rle_16bit_2frame.dcm SC_rgb_rle_2frame.dcm SC_rgb_rle_32bit.dcm SC_rgb_rle_32bit_2frame.dcm
emri_small_RLE.dcm rtdose_rle.dcm rtdose_rle_1frame.dcm
# big-endian
ExplVR_BigEnd.dcm MR_small_bigendian.dcm MR_small_expb.dcm OBXXXX1A_expb.dcm OBXXXX1A_expb_2frame.dcm
SC_rgb_expb.dcm SC_rgb_expb_16bit.dcm SC_rgb_expb_16bit_2frame.dcm SC_rgb_expb_2frame.dcm
SC_rgb_expb_32bit.dcm SC_rgb_expb_32bit_2frame.dcm SC_rgb_small_odd_big_endian.dcm emri_small_big_endian.dcm
gdcm-US-ALOKA-16_big.dcm liver_expb.dcm rtdose_expb.dcm rtdose_expb_1frame.dcm
# deflated, implicit, without meta information, padded
MR_small_implicit.dcm MR_small_padded.dcm OT-PAL-8-face.dcm image_dfl.dcm
# palette
OBXXXX1A.dcm OBXXXX1A_2frame.dcm examples_palette.dcm gdcm-US-ALOKA-16.dcm
# other
693_UNCI.dcm 693_UNCR.dcm CT_small.dcm MR-SIEMENS-DICOM-WithOverlays.dcm MR2_UNCI.dcm MR2_UNCR.dcm
MR_small.dcm RG1_UNCI.dcm RG1_UNCR.dcm RG3_UNCI.dcm RG3_UNCR.dcm SC_rgb.dcm SC_rgb_16bit.dcm
SC_rgb_16bit_2frame.dcm SC_rgb_2frame.dcm SC_rgb_32bit.dcm SC_rgb_32bit_2frame.dcm
SC_rgb_dcmtk_ebcr_dcmd.dcm SC_rgb_dcmtk_ebcyn1_dcmd.dcm SC_rgb_dcmtk_ebcyn2_dcmd.dcm
SC_rgb_dcmtk_ebcynp_dcmd.dcm SC_rgb_dcmtk_ebcys2_dcmd.dcm SC_rgb_dcmtk_ebcys4_dcmd.dcm SC_rgb_small_odd.dcm
SC_ybr_full_422_uncompressed.dcm SC_ybr_full_uncompressed.dcm US1_UNCI.dcm US1_UNCR.dcm color-pl.dcm
color-px.dcm eCT_Supplemental.dcm emri_small.dcm examples_overlay.dcm examples_rgb_color.dcm liver.dcm
mlut_18.dcm rtdose.dcm rtdose_1frame.dcm vlut_04.dcm
# in other character sets
chrArab.dcm chrFren.dcm chrFrenMulti.dcm chrGerm.dcm chrGreek.dcm chrH31.dcm chrH32.dcm chrHbrw.dcm chrI2.dcm
chrRuss.dcm chrX1.dcm chrX2.dcm
# without suffix, in the folders of a DICOMDIR
2062 2392 2693 3023 3353 4467 4528 4558 4588 4618 4648 4678 4919 4950 4981 5011 5641 6154 6247 6273 6278
6293 6605 6924 6935 15820 15970 17106 17136 17166 17196
"""

DECODABLE = [name for line in MUST_DECODE.splitlines() if line[:1] != "#" for name in line.split()]

# What each one must be told. All others hold no pixels, and are told so.
MUST_BE_REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "1024 x 3722445056 pixels, the header says 1024 x 256",
    "MR_truncated.dcm": "truncated: 8130 bytes of 8192",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "ends within its compressed pixel data",
    "badVR.dcm": "NumberOfFrames is not a positive number",
    "liver_1frame.dcm": "1 frames but 3 per-frame functional groups",
    "liver_expb_1frame.dcm": "1 frames but 3 per-frame functional groups",
    "meta_missing_tsyntax.dcm": "Rows is missing",
    "nested_priv_SQ.dcm": "Rows is missing",
}
NOT_DICOM = """
FileInfo.txt README README.md README.txt crayons.icc hashes.json no_meta.dcm rtplan.dump rtstruct.dump
test1.json test_PN.json urls.json zipMR.gz
"""
MUST_BE_REFUSED |= dict.fromkeys(NOT_DICOM.split(), "The file is not DICOM")
REFUSED = [name for name in FILES if name not in DECODABLE]

# What pydicom does not decode itself.
NO_PYDICOM = {"JPEG-lossy.dcm", "JPGExtended.dcm"}

# The same pixels, stored without loss in other ways.
SAME_PIXELS = [
    ("693_UNCR.dcm", "693_J2KR.dcm"),
    ("MR2_UNCR.dcm", "MR2_J2KR.dcm"),
    ("US1_UNCR.dcm", "US1_J2KR.dcm"),
    ("MR_small.dcm", "MR_small_RLE.dcm"),
    ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
    ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    ("MR_small.dcm", "MR_small_bigendian.dcm"),
    ("MR_small.dcm", "MR_small_implicit.dcm"),
    ("MR_small.dcm", "MR_small_padded.dcm"),
    ("emri_small.dcm", "emri_small_RLE.dcm"),
    ("emri_small.dcm", "emri_small_jpeg_2k_lossless.dcm"),
    ("emri_small.dcm", "emri_small_jpeg_ls_lossless.dcm"),
    ("emri_small.dcm", "emri_small_big_endian.dcm"),
    ("OBXXXX1A_2frame.dcm", "OBXXXX1A_rle_2frame.dcm"),
    ("OBXXXX1A_2frame.dcm", "OBXXXX1A_expb_2frame.dcm"),
    ("gdcm-US-ALOKA-16.dcm", "gdcm-US-ALOKA-16_big.dcm"),
    ("SC_rgb_32bit_2frame.dcm", "SC_rgb_rle_32bit_2frame.dcm"),
    ("SC_rgb_16bit_2frame.dcm", "SC_rgb_expb_16bit_2frame.dcm"),
    ("rtdose.dcm", "rtdose_rle.dcm"),
    ("liver.dcm", "liver_expb.dcm"),
]


def read(path: Path) -> DicomFile:
    return read_dicom(path.read_bytes(), 400_000_000, HASHER)


def check(frame: Frame, source: DicomFile) -> None:
    assert frame.values.dtype == np.float32
    assert frame.values.shape == (source.dataset.Rows, source.dataset.Columns)
    assert np.isfinite(frame.values).all()
    if frame.units is Units.PRESENTATION:
        assert frame.values.min() >= 0
        assert frame.values.max() <= 1


def own(dataset: pydicom.Dataset, frame_number: int, *, raw: bool = False) -> NDArray[Any]:
    """Return what pydicom's own pipeline gives for a frame, with which it may warn of padding."""
    with warnings.catch_warnings(action="ignore"):
        return pixel_array(dataset, index=frame_number - 1, raw=raw)


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODABLE)
def test_a_file_that_can_be_decoded_is(name: str) -> None:
    source = read(FILES[name])
    check(source.frame(1), source)
    check(source.frame(len(source.infos)), source)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DECODABLE if name not in NO_PYDICOM])
def test_the_stored_values_are_those_of_pydicoms_own_pipeline(name: str) -> None:
    source = read(FILES[name])
    for number in sorted({1, len(source.infos)}):
        expected = own(source.dataset, number, raw=True)
        with translated("It fails", "Mend it."):
            found, _ = stored_frame(source.dataset, number, source.streams)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODABLE)
def test_colours_and_hounsfield_units_are_plain_arithmetic_on_pydicoms_pixels(name: str) -> None:
    source = read(FILES[name])
    dataset = source.dataset
    if name in NO_PYDICOM or "PerFrameFunctionalGroupsSequence" in dataset:
        pytest.skip("the oracle is for classic images that pydicom decodes")
    frame, pixels = source.frame(1), own(dataset, 1)
    if frame.units is Units.HU:
        expected = pixels * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        np.testing.assert_array_equal(frame.values, np.maximum(expected, -1024))
    elif dataset.SamplesPerPixel == 3:
        white = 2**dataset.BitsStored - 1
        np.testing.assert_allclose(frame.values, pixels @ [0.299, 0.587, 0.114] / white, atol=1e-6)
    elif dataset.PhotometricInterpretation == "PALETTE COLOR":
        if not dataset.file_meta.TransferSyntaxUID.is_little_endian:
            pytest.skip("pydicom reads palettes of big-endian files in the wrong order")
        colours = apply_color_lut(pixels, dataset)
        expected = colours[..., :3] @ [0.299, 0.587, 0.114] / np.iinfo(colours.dtype).max
        np.testing.assert_allclose(frame.values, expected, atol=1e-6)


@pytest.mark.parametrize("name", sorted(NO_PYDICOM))
def test_12_bit_jpeg_decodes_as_the_standard_says(name: str) -> None:
    source = read(FILES[name])
    assert source.streams is not None
    found, _ = stored_frame(source.dataset, 1, source.streams)
    expected = decode(source.streams[1]).astype(int)
    assert np.abs(found.astype(int) - expected).max() <= 1  # the inverse transform may round either way


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_file_is_refused_with_its_true_reason(name: str) -> None:
    with pytest.raises(DecodeError, match=MUST_BE_REFUSED.get(name, "holds no pixels")) as refusal:
        read(FILES[name]).frame(1)
    assert refusal.value.remedy
    if name not in MUST_BE_REFUSED:
        with warnings.catch_warnings(action="ignore"):
            dataset = pydicom.dcmread(FILES[name], force=True)
        assert not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & set(dataset.dir())


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), SAME_PIXELS)
def test_the_same_pixels_decode_equally_whatever_their_encoding(one: str, other: str) -> None:
    left, right = read(FILES[one]), read(FILES[other])
    assert len(left.infos) == len(right.infos)
    for number in range(1, len(left.infos) + 1):
        np.testing.assert_array_equal(left.frame(number).values, right.frame(number).values)


def test_hounsfield_units_of_a_real_slice_equal_plain_arithmetic_on_its_bytes() -> None:
    dataset = pydicom.dcmread(FILES["CT_small.dcm"])
    stored = np.frombuffer(dataset.PixelData, "<i2").reshape(128, 128).astype(np.float64)
    expected = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    frame = read(FILES["CT_small.dcm"]).frame(1)
    assert frame.units is Units.HU
    np.testing.assert_array_equal(frame.values, expected)
