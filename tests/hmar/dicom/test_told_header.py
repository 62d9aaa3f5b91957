"""What a viewer is told of a header: what is on the list, and the form in which frames are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from hmar.dicom.read import read_dicom
from hmar.errors import HmarError
from hmar.values.headers import TOLD, FileHeader
from tests.hmar.dicom.build import HASHER, MAX_PIXELS, image, ramp
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ct_file

PHOTOMETRIC = "PhotometricInterpretation"


def header(values: Any, **elements: Any) -> FileHeader:
    return read_dicom(image(values, **elements), MAX_PIXELS, HASHER).header(1)


def test_what_is_on_the_list_is_told_and_nothing_else() -> None:
    told = header(
        ramp(),
        PatientName=PATIENT_NAME,
        SeriesDescription=PATIENT_NAME,
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        FrameOfReferenceUID="1.2.7",
        SpacingBetweenSlices="2.5",
        ImagerPixelSpacing=[0.2, 0.25],
        AcquisitionNumber="3",
    )
    assert told.transfer_syntax_uid == ExplicitVRLittleEndian
    assert told.attributes == {
        "SOPClassUID": ("1.2.840.10008.5.1.4.1.1.2",),
        "ImageType": ("ORIGINAL", "PRIMARY", "AXIAL"),
        "FrameOfReferenceUID": ("1.2.7",),
        "SpacingBetweenSlices": (2.5,),
        "ImagerPixelSpacing": (0.2, 0.25),
        "AcquisitionNumber": (3,),
    }


def test_what_is_no_value_of_its_kind_is_not_told() -> None:
    told = header(ramp(), ImageType=["ORIGINAL", "FOR DR. MUSTERMANN ONLY"], PatientPosition="lying, E.M.")
    assert set(told.attributes) == {"SOPClassUID"}


def test_a_file_with_a_patient_tells_nothing_of_the_patient() -> None:
    told = repr(read_dicom(ct_file(1, 1), MAX_PIXELS, HASHER).header(1))
    assert PATIENT_NAME not in told
    assert PATIENT_ID not in told
    assert not any(keyword.startswith("Patient") and keyword != "PatientPosition" for keyword in TOLD)


@pytest.mark.parametrize(
    ("elements", "form"),
    [
        ({"BitsStored": 12}, ("uint16", 12)),
        ({"BitsStored": 16, "PixelRepresentation": 1}, ("int16", 16)),
        ({"BitsStored": 12, "RescaleSlope": "0", "Modality": "OT"}, None),
    ],
)
def test_the_form_of_grey_is_that_of_the_file(elements: dict[str, Any], form: tuple[str, int] | None) -> None:
    values = np.arange(12, dtype=np.uint16).reshape(3, 4)
    if form is None:
        with pytest.raises(HmarError):
            header(values, **elements)
    else:
        told = header(values, **elements)
        assert (told.type, told.bits) == form


def test_the_form_of_real_files_is_that_of_their_frames() -> None:
    seen = set()
    for path in sorted((Path(pydicom.data.__path__[0]) / "test_files").glob("*.dcm")):
        try:
            file = read_dicom(path.read_bytes(), MAX_PIXELS, HASHER)
            frame, told = file.stored(1), file.header(1)
        except HmarError:
            continue
        assert (told.type, told.meaning) == (frame.type, frame.meaning), path.name
        assert int(np.abs(frame.values.astype(np.int64)).max()) < 2**told.bits, path.name
        seen.add(told.type)
    assert seen == {"int16", "uint16", "rgb8"}
