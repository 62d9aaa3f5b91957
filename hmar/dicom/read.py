"""DICOM bytes to an image file: what it is, whether it may be opened, and its frames one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydicom.dataset import Dataset

from hmar.contents import Content
from hmar.dicom.checks import (
    check_burned_in,
    check_byte_order,
    check_image,
    check_pixel_bytes,
    complete_transfer_syntax,
    frame_count,
)
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.dicom.header import frame_header, frame_position, integer, text
from hmar.dicom.parse import parse
from hmar.dicom.pixels import decode_frame
from hmar.dicom.properties import frame_properties
from hmar.dicom.remedies import CHECK_COMPLETE, SEND_AGAIN
from hmar.dicom.spacing import frame_spacing, pixel_aspect
from hmar.dicom.stacks import stack_of
from hmar.dicom.stored_frame import stored_pixels
from hmar.dicom.told_header import told_header
from hmar.dicom.uids import instance_uids
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError, LimitError, ParameterError
from hmar.values.frames import Frame, FrameInfo, FrameInfos
from hmar.values.headers import FileHeader
from hmar.values.stored import StoredFrame

UNREADABLE = "The DICOM header cannot be read"
_PREAMBLE = 128
# Without preamble, a data set begins with group 0002 or 0008 in either byte order.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
# A bare data set is only looked at to begin with: if it inflates to more than any limit allows, it is one.
_BARE_PIXELS = 1
_IMAGE_OR_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "Modality", "Rows")


def is_dicom(data: Content) -> bool:
    """Whether bytes claim to be DICOM: by the prefix of PS3.10 7.1, or as a bare data set that parses."""
    if data[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    if data[:2] not in _FIRST_GROUPS:
        return False
    try:
        with translated("The header cannot be read", SEND_AGAIN):
            dataset = parse(data, _BARE_PIXELS, pixels=False)
            return any(keyword in dataset for keyword in _IMAGE_OR_IDENTITY)
    except LimitError:
        return True
    except DecodeError:
        return False


def read_dicom(
    data: Content, max_pixels: int, hasher: PatientHasher, refuses_burned_in: bool = False
) -> DicomFile:
    """Open a DICOM file. No pixel is decoded yet.

    Parameters
    ----------
    data : bytes or FileBytes
        The whole file, with or without the preamble of PS3.10.
    max_pixels : int
        Largest rows x columns x frames.
    hasher : PatientHasher
        Makes the patient key.
    refuses_burned_in : bool
        Whether an image is refused whose header says that text is burned into its pixels.

    Returns
    -------
    DicomFile
        An :class:`hmar.values.frames.ImageFile`.

    Raises
    ------
    LimitError
        If the image is larger than ``max_pixels``, has more frames than that allows, or inflates to more
        than an image can.
    DecodeError
        If the bytes are not DICOM, hold no pixels, fewer pixels than they declare, or pixels in a form
        that is not understood.
    """
    if not is_dicom(data):
        raise DecodeError("The file is not DICOM.", "Send a DICOM file.")
    with translated(UNREADABLE, CHECK_COMPLETE):
        dataset = parse(data, max_pixels)
        check_byte_order(dataset)
        check_image(dataset, data)
        if refuses_burned_in:
            check_burned_in(dataset)
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
    infos: FrameInfos = field(repr=False)
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
        with self._header(frame_number) as header:
            pixels = decode_frame(self.dataset, header, frame_number, self.streams)
            return Frame(self.infos[frame_number - 1], *pixels)

    def stored(self, frame_number: int) -> StoredFrame:
        """Read one frame as it is stored; raises as :meth:`frame`."""
        with self._header(frame_number) as header:
            pixels = stored_pixels(self.dataset, header, frame_number, self.streams)
            return StoredFrame(self.infos[frame_number - 1], *pixels)

    def header(self, frame_number: int) -> FileHeader:
        """Return what a viewer is told of the header; raises as :meth:`frame`."""
        with self._header(frame_number) as header:
            return told_header(self.dataset, header, frame_number, self.streams)

    @contextmanager
    def _header(self, frame_number: int) -> Iterator[Dataset]:
        """Give the header of a frame that is decoded meanwhile, and name the frame in what is raised."""
        frames = len(self.infos)
        if not 1 <= frame_number <= frames:
            raise ParameterError(
                f"Frame number {frame_number} does not exist.", f"Give a number from 1 to {frames}."
            )
        syntax = self.dataset.file_meta.TransferSyntaxUID.name
        with translated(
            f"Frame {frame_number} cannot be decoded from transfer syntax {syntax}",
            "Check that the file is complete; else store it as JPEG 2000, JPEG-LS, RLE or uncompressed.",
        ):
            yield frame_header(self.dataset, frame_number, frames)


def _frame_infos(dataset: Dataset, data: Content, frames: int, hasher: PatientHasher) -> FrameInfos:
    """Return the infos of the frames; without per-frame functional groups they are alike."""
    uids = instance_uids(dataset, data)
    properties_of = frame_properties(dataset)

    def varying(frame_number: int) -> dict[str, Any]:
        header = frame_header(dataset, frame_number, frames)
        lying = stack_of(dataset, header)
        return {
            "frame_number": frame_number,
            "spacing": (spacing := frame_spacing(header)),
            "pixel_aspect": pixel_aspect(header) if spacing is None else None,
            "position": frame_position(header),
            "stack": lying and lying.stack,
            "along_mm": lying and lying.along_mm,
            **properties_of(frame_number),
        }

    first = FrameInfo(
        study_uid=uids.study,
        series_uid=uids.series,
        sop_instance_uid=uids.sop_instance,
        patient_key=hasher.key(text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID")),
        rows=dataset.Rows,
        columns=dataset.Columns,
        series_number=integer(dataset, "SeriesNumber"),
        instance_number=integer(dataset, "InstanceNumber"),
        uids_derived=uids.derived,
        **varying(1),
    )

    def made(frame_number: int) -> FrameInfo:
        with translated(UNREADABLE, CHECK_COMPLETE):
            return replace(first, **varying(frame_number))

    return FrameInfos(first, frames, made if dataset.get("PerFrameFunctionalGroupsSequence") else None)
