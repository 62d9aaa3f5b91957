"""Digests of what a frame was made of: its file's bytes, its pixels, and what is kept of its header."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from hmar.contents import Content, digest_of
from hmar.values.frames import Frame, FrameInfo

_UNCOVERED = frozenset(
    {"sop_instance_uid", "frame_number", "uids_derived", "label", "series_description", "stack", "along_mm"}
)
"""What the header digest leaves out: the frame's UID and number, what the header does not say, what people
type, for a corrected description makes no other image, and what follows from the position."""
_COVERED = sorted({item.name for item in fields(FrameInfo)} - _UNCOVERED)
_TAG_LENGTH = 8
_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Digests:
    """What a frame was made of. Each digest is a SHA-256 in hexadecimal, of at most 64 characters.

    Parameters
    ----------
    pixels : str
        Of the decoded pixels, see :func:`pixel_digest`.
    header : str
        Of what is kept of the header, see :func:`header_digest`.
    file_sha256 : str or None
        Of the file's bytes, None for a frame that was given as a value.
    file_frames : int or None
        Number of frames in the file, None for a frame that was given as a value.
    """

    pixels: str
    header: str
    file_sha256: str | None = None
    file_frames: int | None = None

    @classmethod
    def of(cls, frame: Frame, file_sha256: str | None = None, file_frames: int | None = None) -> Digests:
        """Return the digests of a decoded frame."""
        return cls(pixel_digest(frame), header_digest(frame.info), file_sha256, file_frames)


def file_digest(data: Content) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return digest_of(data)


def pixel_digest(frame: Frame) -> str:
    """Return the digest of decoded pixels: their units, their size, and their values as float32.

    Two files with the same pixels have the same digest, however they are compressed.
    """
    rows, columns = frame.values.shape
    digest = hashlib.sha256(f"{frame.units.value} {rows} {columns}\n".encode())
    digest.update(np.ascontiguousarray(frame.values, "<f4").data)
    return digest.hexdigest()


def header_digest(info: FrameInfo) -> str:
    """Return the digest of what is kept of a header, without the frame's own UID, its number and its label.

    It begins with a tag made of the names of the fields that it covers: digests whose tags differ are of
    versions that keep other fields, and are not comparable.
    """
    values = json.dumps([_plain(getattr(info, name)) for name in _COVERED], separators=(",", ":"))
    return _TAG + hashlib.sha256(values.encode()).hexdigest()[: _DIGEST_LENGTH - _TAG_LENGTH]


def comparable(header: str, other: str) -> bool:
    """Return whether two header digests cover the same fields."""
    return header[:_TAG_LENGTH] == other[:_TAG_LENGTH]


def rekeyed_header(header: str, info: FrameInfo, rekeyed: FrameInfo, step: bytes) -> str:
    """Return the header digest of a frame whose patient has another key.

    A digest of another version, or of other values, could be tried with a key from before: it becomes one
    that nobody can try without ``step``, and differs from every header as before.

    Parameters
    ----------
    header : str
        The digest before.
    info, rekeyed : FrameInfo
        The frame with its key before, and with the next one.
    step : bytes
        What the rotation has drawn.
    """
    if header == header_digest(info):
        return header_digest(rekeyed)
    rest = hmac.new(step, f"header {header}".encode(), hashlib.sha256).hexdigest()
    return header[:_TAG_LENGTH] + rest[: _DIGEST_LENGTH - _TAG_LENGTH]


def differing_fields(info: FrameInfo, other: FrameInfo) -> list[str]:
    """Return the names of the fields under the header digest in which two frames differ."""
    return [name for name in _COVERED if _plain(getattr(info, name)) != _plain(getattr(other, name))]


def _plain(value: object) -> object:
    """Return a field's value as JSON writes it: numbers that are equal are written alike."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) + 0.0  # -0.0 becomes 0.0
    return value


def _tag(names: list[str]) -> str:
    return hashlib.sha256(",".join(names).encode()).hexdigest()[:_TAG_LENGTH]


_TAG = _tag(_COVERED)
