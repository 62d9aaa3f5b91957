"""Frames of the archive, as callers name them."""

from __future__ import annotations

from typing import NamedTuple

from hmar.values.entries import EntryInfo
from hmar.values.hits import Hit


class IndexedFrame(NamedTuple):
    """A frame of the archive, by its UID and its number from 1."""

    sop_instance_uid: str
    frame_number: int = 1


Indexed = IndexedFrame | Hit | EntryInfo
"""A frame of the archive: by its UID, as it was found, or as it is listed."""


def collection_of(indexed: Indexed) -> str | None:
    """Return the collection that a frame was found or is listed in; None for one that is but named."""
    if isinstance(indexed, IndexedFrame):
        return None
    return indexed.entry.collection if isinstance(indexed, Hit) else indexed.collection


def named(indexed: Indexed) -> IndexedFrame:
    """Return the UID and number of a frame of the archive."""
    if isinstance(indexed, IndexedFrame):
        return indexed
    info = indexed.entry.info if isinstance(indexed, Hit) else indexed.info
    return IndexedFrame(info.sop_instance_uid, info.frame_number)
