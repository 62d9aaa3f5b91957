"""PNG masks beside images, named as :mod:`hmar.values.masks` says, and what they draw on those."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hmar.training.data.folders.drawn import Drawn
from hmar.training.data.folders.images import Image, Images
from hmar.training.data.folders.tables import LESION
from hmar.values.frames import Frame
from hmar.values.masks import masked_names

_WHITE = 255


def is_mask(path: Path) -> bool:
    """Whether a file's name says that it is a mask."""
    return bool(masked_names(path.name))


def image_of_mask(path: Path, images: Images) -> Image | None:
    """Return the image that a mask belongs to; None where there is none, or several frames."""
    found = [image for name in masked_names(path.name) for image in images.of_path(path.with_name(name))]
    return found[0] if len(found) == 1 else None


def draw_mask(mask: Frame, image: Image, names: dict[int, str], images: Images) -> bool:
    """Draw a mask on its image; return whether the two are of one size.

    Each grey value from 1 to 255 is the structure that ``names`` has for it. Where it has none for any, all
    that is not black is a lesion.
    """
    if mask.values.shape != image.shape:
        return False
    grey = np.rint(mask.values * _WHITE).astype(np.int64)
    structures = {value: name for value, name in names.items() if value > 0}
    parts = [(name, grey == value) for value, name in structures.items()] or [(LESION, grey > 0)]
    drawn = (Drawn.of(name, part) for name, part in parts)
    images.drawn[image.key].extend(one for one in drawn if one is not None)
    return True
