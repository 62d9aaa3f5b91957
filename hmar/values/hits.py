"""Answers to a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from hmar.values.codes import Bits
from hmar.values.entries import EntryInfo
from hmar.values.geometry import Box
from hmar.values.places import Place
from hmar.values.plain import Json, number, number_of, weights
from hmar.values.slabs import InSlab

Mode = Literal["global", "local", "auto"]
ATYPICAL = 0.01
"""A frame or region of less typicality is out of distribution."""


def out_of_distribution(typicality: float | None) -> bool | None:
    """Return whether a typicality is that of something unlike all that the model knows; None for None."""
    return None if typicality is None else typicality < ATYPICAL


class Match(NamedTuple):
    """What a frame holds of one region of a query: the window nearest to the region's first, and how near.

    ``distance`` is the mean over the region's windows of the distance to the frame's nearest window.
    """

    window_id: int
    distance: float


@dataclass(frozen=True, slots=True)
class CodeHit:
    """A frame that the index found.

    ``global_distance`` is the number of differing bits; ``local_distance`` is the mean of it over the query's
    windows. Where bits have weights, these are summed up. Smaller is nearer. ``matches`` has one item for
    each region of the query, one for a query of a whole image, and none for a frame that has no windows.
    """

    entry_id: int
    global_distance: float
    local_distance: float
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionHit:
    """What a hit holds of one region of the query.

    Parameters
    ----------
    distance : float
        Local distance of the region alone, in bits.
    score : float
        1 - distance / bits.
    box : Box
        The window nearest to the region's own, in source pixels of the hit's frame.
    box_mm : Box or None
        The same in mm from the upper left corner, None where spacing is unknown.
    """

    distance: float
    score: float
    box: Box
    box_mm: Box | None

    def to_dict(self) -> Json:
        """Return the region's part of the hit as the API answers with it."""
        return {
            "distance": number(self.distance),
            "score": number(self.score),
            "box": self.box.to_dict(),
            "box_mm": None if self.box_mm is None else self.box_mm.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the region's part of a hit of an answer."""
        return cls(number_of(told["distance"]), number_of(told["score"]), *_boxes(told))


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a query.

    Parameters
    ----------
    rank : int
        From 1.
    entry : EntryInfo
        The frame found.
    distance : float
        The distance that ranked it at ``bits`` bits: global, local, or gate-weighted for mode "auto".
    global_distance, local_distance : float
        Hamming distances of Expert0 and Expert1; weighted ones in a refined search.
    global_score, local_score : float
        1 - distance / bits, from 0 to 1; larger is more alike.
    gate : tuple of float
        The query's weights (global, local) of the two distances in mode "auto".
    bits : int
        Code length compared.
    box : Box
        The window found, in source pixels of the hit's frame; of several regions, that of the first.
    box_mm : Box or None
        The same in mm from the upper left corner, None where spacing is unknown.
    model : str
        Name of the model.
    regions : tuple of RegionHit
        What the frame holds of each region that was searched for, in their order. Empty where the whole image
        was, and for a frame without windows.
    query_typicality : float or None
        Typicality of the query, see :class:`Query`.
    place : Place or None
        The slices around the frame that show the same, where places were asked for.
    viewer_url : str or None
        Address of the frame in the viewer of the PACS that it came from, where that has one.
    slab : InSlab or None
        The slab that the frame lies in, where one slice stands for others in the search of windows.
    """

    rank: int
    entry: EntryInfo
    distance: float
    global_distance: float
    local_distance: float
    global_score: float
    local_score: float
    gate: tuple[float, float]
    bits: Bits
    box: Box
    box_mm: Box | None
    model: str
    regions: tuple[RegionHit, ...] = ()
    query_typicality: float | None = None
    place: Place | None = None
    viewer_url: str | None = None
    slab: InSlab | None = None

    @property
    def query_out_of_distribution(self) -> bool | None:
        """Whether the query is unlike all of its kind that the model knows; None where it cannot tell."""
        return out_of_distribution(self.query_typicality)

    def to_dict(self) -> Json:
        """Return the hit as the API answers with it. Where its file lies is not told."""
        info = self.entry.info
        return {
            "rank": self.rank,
            "distance": number(self.distance),
            "bits": self.bits,
            "study_uid": info.study_uid,
            "series_uid": info.series_uid,
            "sop_instance_uid": info.sop_instance_uid,
            "frame_number": info.frame_number,
            "instance_number": info.instance_number,
            "collection": self.entry.collection,
            **info.properties(),
            "rows": info.rows,
            "columns": info.columns,
            "box": self.box.to_dict(),
            "box_mm": None if self.box_mm is None else self.box_mm.to_dict(),
            "regions": [region.to_dict() for region in self.regions],
            "place": None if self.place is None else self.place.to_dict(),
            "experts": {
                "global": {"distance": number(self.global_distance), "score": number(self.global_score)},
                "local": {"distance": number(self.local_distance), "score": number(self.local_score)},
            },
            "gate": weights(self.gate),
            "model": self.model,
            "viewer_url": self.viewer_url,
            "slab": None if self.slab is None else self.slab.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], query_typicality: float | None = None) -> Self:
        """Return the hit of an answer, which tells the query's typicality beside its hits.

        Numbers are rounded as the answer has them. A distance that it does not have is NaN.
        """
        box, box_mm = _boxes(told)
        whole, local = told["experts"]["global"], told["experts"]["local"]
        return cls(
            rank=told["rank"],
            entry=EntryInfo.from_dict(told),
            distance=number_of(told["distance"]),
            global_distance=number_of(whole["distance"]),
            local_distance=number_of(local["distance"]),
            global_score=number_of(whole["score"]),
            local_score=number_of(local["score"]),
            gate=(float(told["gate"]["global"]), float(told["gate"]["local"])),
            bits=told["bits"],
            box=box,
            box_mm=box_mm,
            model=told["model"],
            regions=tuple(map(RegionHit.from_dict, told["regions"])),
            query_typicality=query_typicality,
            place=None if (place := told.get("place")) is None else Place.from_dict(place),
            viewer_url=told.get("viewer_url"),
            slab=None if (slab := told.get("slab")) is None else InSlab.from_dict(slab),
        )


def _boxes(told: Mapping[str, Any]) -> tuple[Box, Box | None]:
    """Return a box of an answer in pixels, and in mm where that is known."""
    in_mm = told["box_mm"]
    return Box.from_dict(told["box"]), None if in_mm is None else Box.from_dict(in_mm)
