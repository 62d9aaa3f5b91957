"""What a viewer is told of a data set's header; see :mod:`hmar.values.headers`."""

from __future__ import annotations

from pydicom.dataset import Dataset

from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.dicom.header import numbers, texts
from hmar.dicom.stored_frame import stored_form
from hmar.values.headers import TOLD, FileHeader, told_values


def told_header(
    dataset: Dataset, header: Dataset, frame_number: int, streams: EncapsulatedFrames | None
) -> FileHeader:
    """Return what is told of an image and one of its frames.

    Parameters
    ----------
    dataset : Dataset
        The image.
    header : Dataset
        What holds for this frame, see :func:`hmar.dicom.header.frame_header`.
    frame_number : int
        Which frame, from 1.
    streams : EncapsulatedFrames or None
        The image's compressed frames.

    Raises
    ------
    DecodeError
        If the form of the stored values cannot be told without decoding, and they cannot be decoded.
    """
    kind, bits, meaning = stored_form(dataset, header, frame_number, streams)
    found = {keyword: _read(dataset, keyword) for keyword in TOLD}
    return FileHeader(
        kind,
        bits,
        meaning,
        str(dataset.file_meta.TransferSyntaxUID),
        {keyword: values for keyword, values in found.items() if values},
    )


def _read(dataset: Dataset, keyword: str) -> tuple[str | int | float, ...]:
    of_text = TOLD[keyword].vr in ("UI", "CS")
    return told_values(keyword, texts(dataset, keyword) if of_text else numbers(dataset, keyword))
