"""What an index found, as hits: with boxes, and with the distance that ranked them."""

from __future__ import annotations

from hmar.index.distances import fused_distance
from hmar.ports import FrameEncoder
from hmar.values.codes import Bits, Query
from hmar.values.entries import EntryInfo
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box
from hmar.values.hits import CodeHit, Hit, Match, Mode, RegionHit


def hit_of(
    encoder: FrameEncoder,
    rank: int,
    found: CodeHit,
    entry: EntryInfo,
    query: Query,
    mode: Mode,
    bits: Bits,
) -> Hit:
    """Return a frame that an index found as a hit.

    Parameters
    ----------
    encoder : FrameEncoder
        Knows where windows lie.
    rank : int
        From 1.
    found : CodeHit
    entry : EntryInfo
        The frame that was found.
    query, mode, bits
        What was searched for, and how.
    """
    info = entry.info
    regions = tuple(_region(encoder, info, match, bits) for match in found.matches)
    box = regions[0].box if regions else Box(0.0, 0.0, float(info.columns), float(info.rows))
    return Hit(
        rank=rank,
        entry=entry,
        distance=_distance(found, query.gate, mode),
        global_distance=found.global_distance,
        local_distance=found.local_distance,
        global_score=1 - found.global_distance / bits,
        local_score=1 - found.local_distance / bits,
        gate=query.gate,
        bits=bits,
        box=box,
        box_mm=_extent(box, info),
        model=encoder.name,
        regions=regions if query.region_typicality else (),
        query_typicality=query.typicality,
    )


def _region(encoder: FrameEncoder, info: FrameInfo, match: Match, bits: Bits) -> RegionHit:
    box = encoder.window_box(info, match.window_id)
    return RegionHit(match.distance, 1 - match.distance / bits, box, _extent(box, info))


def _extent(box: Box, info: FrameInfo) -> Box | None:
    return None if info.spacing is None else box.extent_mm(info.spacing)


def _distance(found: CodeHit, gate: tuple[float, float], mode: Mode) -> float:
    """Return the distance that ranked a hit."""
    if mode == "global" or (mode == "auto" and not found.matches):
        return found.global_distance
    if mode == "local":
        return found.local_distance
    return fused_distance(gate, found.global_distance, found.local_distance)
