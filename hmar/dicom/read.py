"""DICOM bytes to an image file: what it is, whether it may be opened, and its frames one at a time."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pydicom
from pydicom.dataset import Dataset

from hmar.dicom.checks import (
    check_byte_order,
    check_image,
    check_inflated_size,
    check_pixel_bytes,
    complete_transfer_syntax,
    frame_count,
)
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.dicom.header import frame_header, frame_position, integer, text
from hmar.dicom.pixels import decode_frame
from hmar.dicom.properties import frame_properties
from hmar.dicom.remedies import CHECK_COMPLETE, SEND_AGAIN
from hmar.dicom.spacing import frame_spacing, pixel_aspect
from hmar.dicom.uids import instance_uids
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError, ParameterError
from hmar.values.frames import Frame, FrameInfo

_PREAMBLE = 128
# Without preamble, a data set begins with group 0002 or 0008 in either byte order.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
_IMAGE_OR_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "Modality", "Rows")


def is_dicom(data: bytes) -> bool:
    """Whether bytes claim to be DICOM: by the prefix of PS3.10 7.1, or as a bare data set that parses."""
    if data[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    if data[:2] not in _FIRST_GROUPS:
        return False
    try:
        with translated("The header cannot be read", SEND_AGAIN):
            dataset = pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=True)
            return any(keyword in dataset for keyword in _IMAGE_OR_IDENTITY)
    except DecodeError:
        return False


def read_dicom(data: bytes, max_pixels: int, hasher: PatientHasher) -> DicomFile:
    """Open a DICOM file. No pixel is decoded yet.

    Parameters
    ----------
    data : bytes
        The whole file, with or without the preamble of PS3.10.
    max_pixels : int
        Largest rows x columns x frames.
    hasher : PatientHasher
        Makes the patient key.

    Returns
    -------
    DicomFile
        An :class:`hmar.values.frames.ImageFile`.

    Raises
    ------
    LimitError
        If the image is larger than ``max_pixels``, or has more than 100,000 frames.
    DecodeError
        If the bytes are not DICOM, hold no pixels, fewer pixels than they declare, or pixels in a form
        that is not understood.
    """
    if not is_dicom(data):
        raise DecodeError("The file is not DICOM.", "Send a DICOM file.")
    with translated("The DICOM header cannot be read", CHECK_COMPLETE):
        check_inflated_size(data, max_pixels)
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        check_byte_order(dataset)
        check_image(dataset, data)
        complete_transfer_syntax(dataset)
        frames = frame_count(dataset, max_pixels)
        check_pixel_bytes(dataset, frames)
        compressed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
        streams = EncapsulatedFrames(dataset, frames) if compressed else None
        return DicomFile(dataset, _frame_infos(dataset, data, frames, hasher), streams)


@dataclass(frozen=True, slots=True, eq=False)
class DicomFile:
    """An opened DICOM image; build it with :func:`read_dicom`."""

    dataset: Dataset = field(repr=False)
    infos: tuple[FrameInfo, ...] = field(repr=False)
    streams: EncapsulatedFrames | None = field(default=None, repr=False)

    def frame(self, frame_number: int) -> Frame:
        """Decode one frame.

        Raises
        ------
        ParameterError
            If ``frame_number`` is not from 1 to the number of frames.
        DecodeError
            If its pixels cannot be decoded.
        """
        frames = len(self.infos)
        if not 1 <= frame_number <= frames:
            raise ParameterError(
                f"Frame number {frame_number} does not exist.", f"Give a number from 1 to {frames}."
            )
        info = self.infos[frame_number - 1]
        syntax = self.dataset.file_meta.TransferSyntaxUID.name
        with translated(
            f"Frame {frame_number} cannot be decoded from transfer syntax {syntax}",
            "Check that the file is complete; else store it as JPEG 2000, JPEG-LS, RLE or uncompressed.",
        ):
            header = frame_header(self.dataset, frame_number, frames)
            return Frame(info, *decode_frame(self.dataset, header, frame_number, self.streams))


def _frame_infos(dataset: Dataset, data: bytes, frames: int, hasher: PatientHasher) -> tuple[FrameInfo, ...]:
    uids = instance_uids(dataset, data)
    patient_key = hasher.key(text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID"))
    series_number, instance_number = integer(dataset, "SeriesNumber"), integer(dataset, "InstanceNumber")
    headers = (frame_header(dataset, number, frames) for number in range(1, frames + 1))
    return tuple(
        FrameInfo(
            study_uid=uids.study,
            series_uid=uids.series,
            sop_instance_uid=uids.sop_instance,
            frame_number=number,
            patient_key=patient_key,
            rows=dataset.Rows,
            columns=dataset.Columns,
            spacing=(spacing := frame_spacing(header)),
            pixel_aspect=pixel_aspect(header) if spacing is None else None,
            series_number=series_number,
            instance_number=instance_number,
            position=frame_position(header),
            uids_derived=uids.derived,
            **properties,
        )
        for number, (header, properties) in enumerate(
            zip(headers, frame_properties(dataset, frames), strict=True), start=1
        )
    )
