"""The use case of saying why a frame was found, from the codes that found it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hmar.errors import NotFoundError
from hmar.ports import CodeHolder, FrameEncoder
from hmar.values.codes import Bits, CodeArray, Query, WindowIds, hamming
from hmar.values.entries import EntryInfo
from hmar.values.explanations import Compared, DistanceMap, Explanation
from hmar.values.frames import Frame, FrameInfo
from hmar.values.geometry import Box
from hmar.values.groups import FrameCodes
from hmar.values.selection import Selection

MAP_SIDE = 48
"""Parts of a map along the longer side of its frame."""

Distances = NDArray[np.float64]


def explain(
    encoder: FrameEncoder,
    query: Query,
    asked: tuple[FrameInfo, FrameCodes],
    found: tuple[FrameInfo, FrameCodes],
    bits: Bits,
) -> Explanation:
    """Say why a frame was found.

    Parameters
    ----------
    encoder : FrameEncoder
        Knows where windows lie.
    query : Query
        What was searched for. Of a region the centred window counts, of a whole frame all that stand for it.
    asked, found : tuple of FrameInfo and FrameCodes
        The query's frame and the one that was found, with what the index holds of them.
    bits : int
        64 or 128.
    """
    (asked_info, asked_codes), (found_info, found_codes) = asked, found
    size = bits // 8
    own = query.window_codes[:1, :size] if query.region_typicality else query.window_codes[:, :size]
    there = found_codes.window_codes[:, :size]
    distances = hamming(there[:, None], own[None])  # (W, C)
    local, box, nearer = None, None, float("nan")
    least: Distances = np.empty(0)
    back: Distances = np.empty(0)
    if distances.size:
        best, nearest = np.unravel_index(int(distances.argmin()), distances.shape)
        least = distances.min(axis=1).astype(np.float64)
        back = hamming(asked_codes.window_codes[:, :size], there[best]).astype(np.float64)
        nearer = _share_behind(least, int(best))
        local = _compared(own[nearest], there[best], partial(_said_of_place, nearer))
        box = encoder.window_box(found_info, int(found_codes.window_ids[best]))
    return Explanation(
        bits=bits,
        whole=_compared(query.global_code[:size], found_codes.global_code[:size], _said_of_whole),
        local=local,
        box=box,
        nearer_than=nearer,
        found=_map(encoder, found_info, found_codes.window_ids, least),
        query=_map(encoder, asked_info, asked_codes.window_ids, back),
        gate=query.gate,
    )


def explain_indexed(
    encoder: FrameEncoder,
    held: CodeHolder,
    frame: Frame,
    region: Box | None,
    asked: EntryInfo,
    found: EntryInfo,
    bits: Bits,
) -> Explanation:
    """Say why an indexed frame was found by another, by the codes that are held of both.

    Parameters
    ----------
    encoder : FrameEncoder
    held : CodeHolder
        Of all windows; its index is up to date.
    frame : Frame
        The query's, with its pixels.
    region : Box or None
        What of it was searched for; None for the whole image.
    asked, found : EntryInfo
        The query's entry, and the one that was found.
    bits : int
        64 or 128.

    Raises
    ------
    NotFoundError
        If one of the two is not in the index any more.
    RegionError
        If the region lies outside the frame.
    """
    [query] = encoder.queries(frame, [() if region is None else (region,)])
    return explain(encoder, query, (asked.info, _codes(held, asked)), (found.info, _codes(held, found)), bits)


def _codes(held: CodeHolder, entry: EntryInfo) -> FrameCodes:
    codes = held.codes([entry.entry_id], Selection())
    if not codes:
        raise NotFoundError("The frame was deleted meanwhile.", "Search again.")
    return codes[0]


def _share_behind(distances: Distances, best: int) -> float:
    """Return the share of the others that are farther than the best; NaN without others."""
    others = np.delete(distances, best)
    return float(np.mean(others > distances[best])) if len(others) else float("nan")


def _compared(first: CodeArray, second: CodeArray, said: Callable[[int, int], str]) -> Compared:
    bits = np.unpackbits(first ^ second)
    differing = np.flatnonzero(bits).tolist()
    return Compared(len(differing), tuple(differing), said(len(bits) - len(differing), len(bits)))


def _said_of_whole(alike: int, bits: int) -> str:
    text = f"The whole images agree in {alike} of {bits} bits"
    return text + "; two that have nothing in common agree in about half."


def _said_of_place(nearer: float, alike: int, bits: int) -> str:
    text = f"The place found agrees with what was asked for in {alike} of {bits} bits"
    return text + (
        "." if np.isnan(nearer) else f", more than {100 * nearer:.0f} % of its image's other places."
    )


def _map(encoder: FrameEncoder, info: FrameInfo, ids: WindowIds, distances: Distances) -> DistanceMap:
    """Return the least distance of the windows that cover each part of a frame; of none without distances."""
    scale = MAP_SIDE / max(info.rows, info.columns)
    rows, columns = max(1, round(info.rows * scale)), max(1, round(info.columns * scale))
    across, down = columns / info.columns, rows / info.rows
    least = np.full((rows, columns), np.inf)
    for window_id, distance in zip(ids.tolist() if len(distances) else (), distances.tolist(), strict=True):
        box = encoder.window_box(info, window_id)
        top, left = int(box.y * down), int(box.x * across)
        bottom, right = int(np.ceil((box.y + box.height) * down)), int(np.ceil((box.x + box.width) * across))
        part = least[top:bottom, left:right]
        np.minimum(part, distance, out=part)
    return DistanceMap(np.where(np.isinf(least), np.nan, least))
