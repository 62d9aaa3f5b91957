"""The first part of a multipart answer (RFC 2387), found by the bytes whatever the headers say of them."""

from __future__ import annotations

from hmar.contents import Content

_END_OF_HEADERS = b"\r\n\r\n"
_PREAMBLE = 128
"""Bytes before "DICM" in a DICOM file (PS3.10 7.1)."""
LONGEST_HEAD = 4096


def is_dicom(data: Content) -> bool:
    """Whether bytes are a DICOM file."""
    return data[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def dicom_file(data: Content) -> Content | None:
    """Return the DICOM file of an answer, which is all of it or its first part; None where there is none.

    Servers send single files as multipart and the other way round, and name boundaries wrongly. The boundary
    is therefore the first line that begins with two hyphens.
    """
    if is_dicom(data):
        return data
    start = 0 if data[:2] == b"--" else data.find(b"\r\n--", 0, LONGEST_HEAD) + 2
    if start == 1:
        return None
    line_end = data.find(b"\r\n", start, start + LONGEST_HEAD)
    head_end = data.find(_END_OF_HEADERS, line_end, line_end + LONGEST_HEAD) if line_end > 0 else -1
    if head_end < 0:
        return None
    boundary = data[start:line_end].rstrip(b" \t")
    begin = head_end + len(_END_OF_HEADERS)
    end = data.find(b"\r\n" + boundary, begin)
    if end < 0 or not is_dicom(data[begin : begin + _PREAMBLE + 4]):
        return None
    return data[begin:end] if isinstance(data, bytes) else data.part(begin, end)
