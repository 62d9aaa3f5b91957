"""PNG masks beside images: ``mask_NAME.png`` or ``NAME_mask.png`` is a mask of the image ``NAME``."""

from __future__ import annotations

import re

_NAMES = re.compile(r"(?:mask_(?P<after>.+)|(?P<before>.+)_mask)\.png", re.IGNORECASE | re.DOTALL)
_EXTENSIONS = ("", ".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg")


def masked_names(name: str) -> list[str]:
    """Return the names that the image of a mask may have in the same folder; none for a file that is no mask.

    Parameters
    ----------
    name : str
        A file's name, without its folder.
    """
    match = _NAMES.fullmatch(name)
    if match is None:
        return []
    stem = match["after"] or match["before"]
    return [f"{stem}{extension}" for extension in _EXTENSIONS]
