"""An indexed frame and the file that it was indexed from."""

from __future__ import annotations

from hmar.errors import NotFoundError
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, ImageFile


def holds(file: ImageFile, entry: EntryInfo) -> bool:
    """Return whether a file still holds the image that was indexed from it."""
    number = entry.info.frame_number
    return (
        number <= len(file.infos) and file.infos[number - 1].sop_instance_uid == entry.info.sop_instance_uid
    )


def frame_of(file: ImageFile, entry: EntryInfo) -> Frame:
    """Decode an indexed frame from its file; raises NotFoundError if the file holds another image by now."""
    if not holds(file, entry):
        raise NotFoundError(
            "The file of this frame holds another image by now.", "Put the file back, or index it again."
        )
    return file.frame(entry.info.frame_number)
