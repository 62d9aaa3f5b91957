"""Which way up a picture is, by its Exif (a TIFF directory, CIPA DC-008)."""

from __future__ import annotations

import struct

_HEADER = b"Exif\0\0"
_ORIENTATION, _SHORT = 0x0112, 3
_ENTRY = 12
UPRIGHT = 1


def orientation(exif: bytes) -> int:
    """Return Orientation, 1 to 8, of the first directory; 1 where there is none that can be read."""
    tiff = exif.removeprefix(_HEADER)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}L", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for number in range(entries):
            tag, kind, count, value = struct.unpack_from(
                f"{order}HHLH", tiff, directory + 2 + _ENTRY * number
            )
            if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT
