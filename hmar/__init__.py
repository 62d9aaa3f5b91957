"""HMAR search: content-based search over medical images.

``open_image`` reads a file, ``load_model`` makes codes, ``Archive`` indexes and searches, ``Client`` does so
on a server; docs/python.md is the tutorial. What is named here is imported when it is first used.
"""

from typing import TYPE_CHECKING

from hmar.lazy import lazy_names
from hmar.version import __version__

__all__ = [
    "Added",
    "Archive",
    "Box",
    "Client",
    "Exclusion",
    "Frame",
    "FrameInfo",
    "GroupHit",
    "GroupResults",
    "Hit",
    "HmarError",
    "IndexedFrame",
    "Model",
    "OpenedImage",
    "Outline",
    "Results",
    "Spacing",
    "StoredFrame",
    "Units",
    "__version__",
    "load_model",
    "open_image",
    "train_model",
]

if TYPE_CHECKING:
    from hmar.client.client import Client
    from hmar.errors import HmarError
    from hmar.library.archive import Archive
    from hmar.library.images import OpenedImage, open_image
    from hmar.library.models import Model, load_model
    from hmar.library.training import train_model
    from hmar.values.added import Added
    from hmar.values.frames import Frame, FrameInfo, Units
    from hmar.values.geometry import Box, Spacing
    from hmar.values.groups import GroupHit, GroupResults
    from hmar.values.hits import Hit
    from hmar.values.indexed import IndexedFrame
    from hmar.values.outline import Outline
    from hmar.values.results import Results
    from hmar.values.selection import Exclusion
    from hmar.values.stored import StoredFrame
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Added": "hmar.values.added",
            "Archive": "hmar.library.archive",
            "Box": "hmar.values.geometry",
            "Client": "hmar.client.client",
            "Exclusion": "hmar.values.selection",
            "Frame": "hmar.values.frames",
            "FrameInfo": "hmar.values.frames",
            "GroupHit": "hmar.values.groups",
            "GroupResults": "hmar.values.groups",
            "Hit": "hmar.values.hits",
            "HmarError": "hmar.errors",
            "IndexedFrame": "hmar.values.indexed",
            "Model": "hmar.library.models",
            "OpenedImage": "hmar.library.images",
            "Outline": "hmar.values.outline",
            "Results": "hmar.values.results",
            "Spacing": "hmar.values.geometry",
            "StoredFrame": "hmar.values.stored",
            "Units": "hmar.values.frames",
            "load_model": "hmar.library.models",
            "open_image": "hmar.library.images",
            "train_model": "hmar.library.training",
        },
    )
