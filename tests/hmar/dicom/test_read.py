from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import DecodeError, LimitError, ParameterError
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Spacing
from tests.hmar.dicom.build import HASHER, image, only, opened, ramp, write

DEFLATED = "1.2.840.10008.1.2.1.99"


def info(**elements: Any) -> FrameInfo:
    return opened(image(ramp(), **elements)).infos[0]


def test_what_is_known_of_a_frame_comes_from_the_header() -> None:
    found = info(
        Modality="MR",
        BodyPartExamined="partialbody",
        IssuerOfPatientID="ISSUER",
        SeriesNumber=3,
        InstanceNumber=7,
        PixelSpacing=[0.5, 0.25],
        ImagePositionPatient=[1, -2, 3.5],
    )
    assert found == FrameInfo(
        study_uid="1.2.3",
        series_uid="1.2.3.4",
        sop_instance_uid="1.2.3.4.5",
        frame_number=1,
        modality="MR",
        body_part="PARTIALBODY",
        patient_key=HASHER.key("P-17", "ISSUER"),
        rows=4,
        columns=5,
        spacing=Spacing(0.5, 0.25),
        series_number=3,
        instance_number=7,
        position=(1, -2, 3.5),
    )


def test_what_is_unknown_is_none() -> None:
    found = info(PatientID=None, Modality=None)
    assert (found.modality, found.body_part, found.patient_key, found.spacing) == ("OT", None, None, None)
    assert (found.series_number, found.instance_number, found.position) == (None, None, None)


@pytest.mark.parametrize("typed", ["Mustermann^Erika", "see: E. Mustermann", "CHEST" * 4])
def test_what_is_typed_in_place_of_a_code_is_not_repeated(typed: str) -> None:
    # With a VR that permits the text: pydicom refuses to write it as CS.
    found = info(**{name: DataElement(name, "LO", typed) for name in ("Modality", "BodyPartExamined")})
    assert (found.modality, found.body_part) == ("OT", None)


@pytest.mark.parametrize("typed", ["chest", "HEAD/NECK", "L-SPINE", "ABDOMEN & PELVIS"])
def test_a_body_part_as_files_write_it_is_kept_in_upper_case(typed: str) -> None:
    assert info(BodyPartExamined=DataElement("BodyPartExamined", "LO", typed)).body_part == typed.upper()


def test_a_classic_multi_frame_image_gives_its_frames_but_no_positions() -> None:
    stored = np.stack([ramp(), ramp()[::-1], ramp() + np.uint16(1)])
    file = opened(image(stored, ImagePositionPatient=[1, 2, 3], WindowCenter=10, WindowWidth=21))
    assert [item.frame_number for item in file.infos] == [1, 2, 3]
    assert {item.position for item in file.infos} == {None}
    for number, expected in enumerate(stored, start=1):
        shown = file.frame(number).values
        np.testing.assert_allclose(shown, np.clip((expected - 9.5) / 20 + 0.5, 0, 1), atol=1e-6)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_frame_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ParameterError, match=f"Frame number {number}"):
        opened(image(ramp())).frame(number)


def test_the_limit_counts_rows_columns_and_frames_and_is_named() -> None:
    data = image(np.stack([ramp(), ramp()]))
    assert len(read_dicom(data, 40, HASHER).infos) == 2
    with pytest.raises(LimitError, match=r"4 x 5 x 2 = 40 pixels, HMAR_MAX_PIXELS allows 39"):
        read_dicom(data, 39, HASHER)


def test_the_limit_is_checked_before_the_pixels_are_looked_at() -> None:
    data = image(ramp(), Rows=60000, Columns=60000, NumberOfFrames=1000)
    with pytest.raises(LimitError, match="3600000000000 pixels"):
        opened(data)


def test_very_many_tiny_frames_are_refused() -> None:
    with pytest.raises(LimitError, match="100001 frames"):
        opened(image(ramp(), Rows=1, Columns=1, NumberOfFrames=100_001))


def test_a_compressed_frame_may_not_claim_another_size_than_the_header() -> None:
    # JPEG 2000: SOC and a SIZ segment that claims 60000 x 60000.
    siz = struct.pack(">4H8IH", 0xFF4F, 0xFF51, 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1) + b"\7\1\1"
    siz += struct.pack(">2H", 0xFF52, 12) + bytes([0, 0, 0, 1, 0, 5, 4, 4, 0, 1])
    with pytest.raises(DecodeError, match="60000 x 60000 pixels, the header says 4 x 5"):
        only(_encapsulated(siz, "1.2.840.10008.1.2.4.90"))


def test_compressed_garbage_is_refused_naming_frame_and_transfer_syntax() -> None:
    with pytest.raises(DecodeError, match="compressed frame 1 is no stream of JPEG 2000"):
        only(_encapsulated(b"no codestream at all", "1.2.840.10008.1.2.4.90"))


@pytest.mark.parametrize(
    ("named", "little"),
    [("1.2.840.10008.1.2.2", True), ("1.2.840.10008.1.2.1", False), ("1.2.840.10008.1.2.4.90", False)],
)
def test_a_data_set_in_the_other_byte_order_than_the_file_names_is_refused_for_it(
    named: str, little: bool
) -> None:
    with pytest.raises(DecodeError, match="not in the transfer syntax that the file names, "):
        opened(_swapped(named, little))


def _swapped(named: str, little: bool) -> bytes:
    """Return a file whose data set has the byte order given, and not that of the transfer syntax named."""
    body, head, fresh = io.BytesIO(), Dataset(), Dataset()
    for element in pydicom.dcmread(io.BytesIO(image(ramp()))):
        fresh.add(element)
    fresh.save_as(body, implicit_vr=False, little_endian=little, enforce_file_format=False)
    head.Rows = 1
    start = write(head, syntax=named)
    return start[: 144 + struct.unpack_from("<I", start, 140)[0]] + body.getvalue()


def test_a_text_in_the_place_of_the_transfer_syntax_is_not_repeated() -> None:
    data = _swapped("1.2.840.10008.1.2.1", False).replace(
        b"1.2.840.10008.1.2.1\0", b"Mustermann^Erika\0\0\0\0"
    )
    with pytest.raises(DecodeError, match="its bytes are swapped") as caught:
        opened(data)
    assert "Mustermann" not in str(caught.value)


def _encapsulated(frame: bytes, syntax: str) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(image(ramp())))
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return write(dataset, syntax=syntax)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_file_without_preamble_and_meta_information_is_read(implicit: bool) -> None:
    bare = image(ramp(), implicit=implicit, meta=False)
    assert bare[128:132] != b"DICM"
    assert is_dicom(bare)
    assert (only(bare).values == only(image(ramp())).values).all()


@pytest.mark.parametrize(
    ("data", "claims"),
    [
        (b"", False),
        (b"hello, this is a text file and no image", False),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), False),
        (b"\xff\xd8\xff\xe0" + bytes(200), False),
        (b"\x08\x00", False),
        (b"\x08\x00" + bytes(range(256)), False),
        (bytes(128) + b"DICM", True),
        (bytes(128) + b"DICM" + b"\xff" * 64, True),
    ],
)
def test_what_is_no_image_is_refused(data: bytes, claims: bool) -> None:
    assert is_dicom(data) is claims
    with pytest.raises(DecodeError):
        opened(data)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"Rows": None}, "Rows is missing"),
        ({"Columns": 0}, "Columns is missing or not positive"),
        ({"PhotometricInterpretation": None}, "photometric interpretation is missing or unknown"),
        ({"PhotometricInterpretation": "CMYK"}, "photometric interpretation is missing or unknown"),
        ({"PhotometricInterpretation": "RGB"}, "RGB needs 3 samples"),
        ({"PixelData": b""}, "truncated: 0 bytes of 40"),
        ({"PixelData": bytes(38)}, "truncated: 38 bytes of 40"),
        ({"NumberOfFrames": 0}, "NumberOfFrames"),
        ({"NumberOfFrames": 2}, "truncated: 40 bytes of 80"),
        ({"BitsAllocated": None}, "BitsAllocated is missing"),
        ({"BitsAllocated": 12}, "BitsAllocated is 12"),
        ({"BitsStored": None}, "BitsStored is missing"),
        ({"BitsStored": 17}, "BitsStored is 17, BitsAllocated is 16"),
        ({"BitsStored": 0}, "BitsStored is 0"),
        ({"HighBit": 7}, "HighBit is 7, BitsStored is 16, BitsAllocated is 16"),
        ({"HighBit": 16}, "HighBit is 16"),
        ({"PixelRepresentation": None}, "PixelRepresentation is missing"),
        ({"PixelRepresentation": 2}, "PixelRepresentation is 2"),
        ({"SamplesPerPixel": None}, "SamplesPerPixel is missing"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "PlanarConfiguration is missing"),
    ],
)
def test_an_image_that_is_not_complete_is_refused(elements: dict[str, Any], message: str) -> None:
    with pytest.raises(DecodeError, match=message) as refusal:
        opened(image(ramp(), **elements))
    assert refusal.value.remedy


@pytest.mark.parametrize("length", range(0, 900, 37))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    data = image(ramp(), RescaleSlope=1, RescaleIntercept=0)
    with pytest.raises(DecodeError):
        only(data[: min(length, len(data) - 1)])


def test_a_transfer_syntax_that_nothing_decodes_is_refused() -> None:
    data = _encapsulated(b"a video", "1.2.840.10008.1.2.4.102")
    with pytest.raises(DecodeError, match="transfer syntax is not one that can be decoded"):
        opened(data)
