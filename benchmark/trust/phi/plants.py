"""Identifiers that nobody has, and files that hold them wherever a file can."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from benchmark.trust.material.dicom import dicom, stored_slice, written
from benchmark.trust.material.pictures import picture
from benchmark.trust.material.streams import compressed_files

NAME = "Zwölfschuh^Quirinia"
PLANTED = {
    "patient id": ("QX7-PLANTED-0815",),
    "patient name": ("Zwölfschuh", "Quirinia"),
    "birth date": ("19031122",),
    "accession number": ("ACC-PLANTED-9",),
    "physician": ("Doktorow", "Xaverius"),
    "address": ("Planetenstrasse 77",),
    "private element": ("Privatplantage",),
    "comment": ("Kommentarpflanze",),
}
"""What is looked for, by what it is."""
FILE_NAME = "Dateinamenpflanze"
"""In the names of files: the one thing that may be kept and shown, docs/security.md says where."""

_ELEMENTS = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientID": "QX7-PLANTED-0815",
    "IssuerOfPatientID": "QX7-PLANTED-0815",
    "OtherPatientIDs": "QX7-PLANTED-0815",
    "PatientName": NAME,
    "PatientBirthDate": "19031122",
    "AccessionNumber": "ACC-PLANTED-9",
    "ReferringPhysicianName": "Doktorow^Xaverius",
    "OperatorsName": "Doktorow^Xaverius",
    "PatientAddress": "Planetenstrasse 77",
    "PatientComments": "Kommentarpflanze",
    "ImageComments": "Kommentarpflanze",
    "StudyDescription": f"CT {NAME} THORAX",
    "SeriesDescription": f"THORAX {NAME} LUNGE 1.25mm",
    "ProtocolName": f"LUNG_{NAME}_QX7-PLANTED-0815",
    "StationName": "Quirinia",
}
# Texts in elements that are compared, computed with or named in errors: each file has one.
_MISPLACED = (
    "PhotometricInterpretation",
    "RescaleType",
    "RescaleSlope",
    "RescaleIntercept",
    "NumberOfFrames",
    "BodyPartExamined",
    "Modality",
    "ImageType",
    "VOILUTFunction",
    "WindowCenter",
    "PixelSpacing",
    "PixelAspectRatio",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "PatientAge",
    "PatientSex",
    "StudyDate",
    "InstanceNumber",
    "Laterality",
    "ViewPosition",
    "SliceThickness",
    "ContrastBolusAgent",
    "SeriesDescription",
    "ProtocolName",
)


def good_file(number: int) -> bytes:
    """Return an image that holds every planted text where it belongs."""
    return _with_private(dicom(stored_slice(number), number=number, **_ELEMENTS))


def odd_files() -> Iterator[bytes]:
    """Go through files that hold planted texts where something else belongs, and ones that cannot be read."""
    for number, keyword in enumerate(_MISPLACED, start=1000):
        dataset = pydicom.dcmread(io.BytesIO(good_file(number)))
        tag = Tag(keyword)
        text = f"{NAME} {_ELEMENTS['PatientID']}"
        dataset[tag] = pydicom.DataElement(tag, dictionary_VR(tag), text, already_converted=True)
        with warnings.catch_warnings(
            action="ignore"
        ):  # pydicom says that the value is wrong, as it should be
            misplaced = written(dataset, str(dataset.file_meta.TransferSyntaxUID))
        yield misplaced
    whole = good_file(900)
    yield whole[: len(whole) // 2]
    yield whole.replace(b"1.2.840.10008.1.2.1\0", b"QX7-PLANTED-0815\0\0\0\0")
    yield b"Zw\xf6lfschuh^Quirinia QX7-PLANTED-0815, no image"
    for data in compressed_files().values():
        yield _damaged(data)
    for kind in ("PNG", "JPEG"):
        sent = picture(kind, text=f"{NAME} QX7-PLANTED-0815 19031122", orientation=6)
        yield sent
        yield sent[: len(sent) * 3 // 4]


def _damaged(data: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in _ELEMENTS.items():
        setattr(dataset, keyword, value)
    pixels = bytearray(dataset.PixelData)
    pixels[40:60] = b"Quirinia Zw\xf6lfschuh "[:20]
    dataset.PixelData = bytes(pixels)
    return written(dataset, str(dataset.file_meta.TransferSyntaxUID))


def _with_private(data: bytes) -> bytes:
    dataset: Dataset = pydicom.dcmread(io.BytesIO(data))
    block = dataset.private_block(0x0011, "PLANTED", create=True)
    block.add_new(0x01, "LO", "Privatplantage")
    return written(dataset, str(dataset.file_meta.TransferSyntaxUID))
