"""What the documents of one search tell, without patients: as it crosses to the process that writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from hmar.values.exports import Kind
from hmar.values.fast import Search
from hmar.values.geometry import Box
from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class Image:
    """A frame that documents refer to.

    Parameters
    ----------
    study_uid, series_uid, sop_instance_uid, sop_class_uid : str
    frame_number : int or None
        From 1; None for an image of one frame, of which DICOM does not give it.
    """

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    frame_number: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A hit.

    Parameters
    ----------
    rank : int
    image : Image
    distance : float
        That ranked it, in bits.
    regions : tuple of (Box, float)
        Where the image holds each region of the query, in its pixels, and how far that is in bits.
        Empty where the whole image was searched for.
    """

    rank: int
    image: Image
    distance: float
    regions: tuple[tuple[Box, float], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What the documents tell.

    Parameters
    ----------
    kinds : tuple of str
        Which of them are wanted.
    query : Image
    regions : tuple of Box
        Of the query, in its pixels; empty for the whole image.
    hits : tuple of Found
    model, model_fingerprint, software : str
        What found them.
    mode : str
    bits : int
    search : str
        "exact" or "fast".
    left_out : int
        Hits that the search had and the documents do not tell.
    now : str
        Date and time of the documents, in ISO 8601 without zone.
    """

    kinds: tuple[Kind, ...]
    query: Image
    regions: tuple[Box, ...]
    hits: tuple[Found, ...]
    model: str
    model_fingerprint: str
    software: str
    mode: str
    bits: int
    search: Search
    left_out: int
    now: str

    def to_json(self) -> Json:
        """Return the same as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote."""
        return cls(
            **{
                **told,
                "kinds": tuple(told["kinds"]),
                "query": Image(**told["query"]),
                "regions": tuple(Box(*region) for region in told["regions"]),
                "hits": tuple(_found(hit) for hit in told["hits"]),
            }
        )


def _found(told: Mapping[str, Any]) -> Found:
    regions = tuple((Box(*box), float(distance)) for box, distance in told["regions"])
    return Found(told["rank"], Image(**told["image"]), float(told["distance"]), regions)
