"""What browsers may keep of a frame: they ask each time whether it is still there and the same."""

from __future__ import annotations

import time

from flask import Response

from hmar.values.entries import EntryInfo

IMAGE_AGE_S = 3600
"""A frame is decoded again after this long: its file may hold another image by now."""


def tag_of(entry: EntryInfo) -> str:
    """Return what names the pixels of a frame, for as long as they count as the same without another look."""
    return f"{entry.entry_id}-{int(time.time()) // IMAGE_AGE_S}"


def kept(response: Response, tag: str) -> Response:
    """Let the browser keep an answer, and ask each time: the frame may have been deleted."""
    response.set_etag(tag)
    response.cache_control.private = True
    response.cache_control.no_cache = True
    return response
