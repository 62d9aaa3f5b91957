"""An indexed frame and the file that it was indexed from."""

from __future__ import annotations

from dataclasses import replace

from hmar.decoding.contained import ContainedFile
from hmar.errors import NotFoundError
from hmar.values.digests import pixel_digest
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame

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
    digests = entry.digests
    unaltered = digests is not None and digests.file_sha256 == file.sha256
    if not (unaltered or _has_frame(file, entry)):
        raise NotFoundError("The file of this frame holds another image by now.", _REMEDY)
    frame = file.frame(entry.info.frame_number)
    if digests is not None and not unaltered and pixel_digest(frame) != digests.pixels:
        raise NotFoundError("The file of this frame holds other pixels by now.", _REMEDY)
    return _named(frame, entry)


def _has_frame(file: ContainedFile, entry: EntryInfo) -> bool:
    number = entry.info.frame_number
    return (
        number <= len(file.infos) and file.infos[number - 1].sop_instance_uid == entry.info.sop_instance_uid
    )


def _named(frame: Frame, entry: EntryInfo) -> Frame:
    """Return a frame under the UID that it is indexed by, not its own where that was another image's."""
    uid = entry.info.sop_instance_uid
    if frame.info.sop_instance_uid == uid:
        return frame
    return replace(frame, info=replace(frame.info, sop_instance_uid=uid, uids_derived=True))
