"""The real and difficult files of pydicom and pydicom-data: each one decodes, or is refused politely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from hmar.dicom.read import DicomFile, read_dicom
from hmar.errors import DecodeError
from hmar.values.frames import Frame, Units
from tests.hmar.dicom.build import HASHER

data_store = pytest.importorskip("data_store", reason="pydicom-data is not installed (extra dev)")

FOLDERS = (Path(pydicom.__file__).parent / "data" / "test_files", Path(data_store.__file__).parent / "data")
FILES = {path.name: path for folder in FOLDERS for path in sorted(folder.glob("*")) if path.is_file()}
DIRECTORY = sorted(path for path in (FOLDERS[0] / "dicomdirtests").rglob("*") if path.is_file())

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
"""

DECODABLE = [name for line in MUST_DECODE.splitlines() if line[:1] != "#" for name in line.split()]

# What each one must be told.
MUST_BE_REFUSED = {
    "ExplVR_BigEndNoMeta.dcm": "holds no pixels",
    "JPEG-lossy.dcm": "Frame 1 cannot be decoded from transfer syntax JPEG Extended",
    "JPEG2000-embedded-sequence-delimiter.dcm": "the header says 1024 x 256",
    "JPGExtended.dcm": "Frame 1 cannot be decoded from transfer syntax JPEG Extended",
    "MR_truncated.dcm": "truncated: 8130 bytes of 8192",
    "README.txt": "not DICOM",
    "badVR.dcm": "NumberOfFrames is not a positive number",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "holds no pixels",
    "liver_1frame.dcm": "1 frames but 3 per-frame functional groups",
    "meta_missing_tsyntax.dcm": "Rows is missing",
    "no_meta.dcm": "not DICOM",
    "rtplan_truncated.dcm": "holds no pixels",
    "rtstruct.dcm": "holds no pixels",
    "test-SR.dcm": "holds no pixels",
    "waveform_ecg.dcm": "holds no pixels",
    "zipMR.gz": "not DICOM",
}

OTHERS = [path for name, path in FILES.items() if name not in {*DECODABLE, *MUST_BE_REFUSED}] + DIRECTORY

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


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODABLE)
def test_a_file_that_can_be_decoded_is(name: str) -> None:
    source = read(FILES[name])
    check(source.frame(1), source)
    check(source.frame(len(source.infos)), source)


@pytest.mark.parametrize(("name", "reason"), MUST_BE_REFUSED.items())
def test_a_file_that_cannot_be_decoded_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as refusal:
        read(FILES[name]).frame(1)
    assert refusal.value.remedy


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_no_other_file_raises_anything_but_a_decode_error(path: Path) -> None:
    try:
        source = read(path)
        frame = source.frame(1)
    except DecodeError as refusal:
        assert refusal.remedy  # noqa: PT017 - either outcome is right
    else:
        check(frame, source)


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
