"""An indexed frame and the file that it was indexed from."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hmar.decoding.contained import ContainedFile
from hmar.errors import NotFoundError
from hmar.values.digests import pixel_digest
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, FrameInfo
from hmar.values.headers import FileHeader
from hmar.values.stored import StoredFrame

_REMEDY = "Put the file back, or index it again."


def frame_of(file: ContainedFile, entry: EntryInfo) -> Frame:
    """Decode an indexed frame from its file.

    Its pixels are compared with those that were indexed, unless the file's bytes are those that were.

    Raises
    ------
    NotFoundError
        If the file holds another image, or other pixels, by now.
    DecodeError
        If it cannot be decoded.
    """
    unaltered = _is_unaltered(file, entry)
    if not (unaltered or _has_frame(file, entry)):
        raise NotFoundError("The file of this frame holds another image by now.", _REMEDY)
    frame = file.frame(entry.info.frame_number)
    if entry.digests is not None and not unaltered and pixel_digest(frame) != entry.digests.pixels:
        raise NotFoundError("The file of this frame holds other pixels by now.", _REMEDY)
    return replace(frame, info=_named(frame.info, entry))


def stored_of(file: ContainedFile, entry: EntryInfo) -> StoredFrame:
    """Read an indexed frame as its file stores it; compared and refused as by :func:`frame_of`."""
    if not _is_unaltered(file, entry):
        frame_of(file, entry)
    frame = file.stored(entry.info.frame_number)
    return replace(frame, info=_named(frame.info, entry))


class DicomContent(NamedTuple):
    """A DICOM file as it is, and the transfer syntax that it is stored in."""

    data: bytes
    transfer_syntax_uid: str


def header_of(file: ContainedFile, entry: EntryInfo) -> FileHeader:
    """Return what a viewer is told of an indexed frame; pixels are compared when they are asked for.

    Raises
    ------
    NotFoundError
        If the file holds another image by now.
    DecodeError
        If it cannot be read.
    """
    if not (_is_unaltered(file, entry) or _has_frame(file, entry)):
        raise NotFoundError("The file of this frame holds another image by now.", _REMEDY)
    return file.header(entry.info.frame_number)


def content_of(file: ContainedFile, entry: EntryInfo) -> DicomContent:
    """Return the DICOM file of an indexed frame as it is; compared and refused as by :func:`frame_of`.

    A file that is no DICOM, or says another UID than the frame is indexed under, is refused, too: nobody asks
    for it by its own name.
    """
    if not _is_unaltered(file, entry):
        frame_of(file, entry)
    syntax = file.header(entry.info.frame_number).transfer_syntax_uid
    if not syntax:
        raise NotFoundError("The file of this instance is no DICOM.", "Ask for its frames.")
    if entry.info.uids_derived:
        raise NotFoundError(
            "The file says other UIDs than it is indexed under: none, or those of another image.",
            "Ask for its frames.",
        )
    return DicomContent(file.data, syntax)


def _is_unaltered(file: ContainedFile, entry: EntryInfo) -> bool:
    return entry.digests is not None and entry.digests.file_sha256 == file.sha256


def _has_frame(file: ContainedFile, entry: EntryInfo) -> bool:
    number = entry.info.frame_number
    return (
        number <= len(file.infos) and file.infos[number - 1].sop_instance_uid == entry.info.sop_instance_uid
    )


def _named(info: FrameInfo, entry: EntryInfo) -> FrameInfo:
    """Return what is known under the UID that a frame is indexed by, where its own was another image's."""
    uid = entry.info.sop_instance_uid
    if info.sop_instance_uid == uid:
        return info
    return replace(info, sop_instance_uid=uid, uids_derived=True)
