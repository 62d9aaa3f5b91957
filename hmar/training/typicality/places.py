"""Frames that references may be fitted to, and which of them are looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from hmar.model.thresholds import threshold_name
from hmar.training.data.served import slice_frame
from hmar.training.data.volumes import Volume
from hmar.values.frames import Frame

Item = TypeVar("Item")

MOST_FRAMES = 1000
"""Frames of a modality that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame is.

    Parameters
    ----------
    person : str
        Tells people apart, and names nobody.
    modality : str
        DICOM Modality.
    read : callable
        Returns the frame.
    """

    person: str
    modality: str
    read: Callable[[], Frame]


def places_of_volumes(volumes: Iterable[Volume]) -> list[Place]:
    """Return all slices of volumes, as the product would decode them."""
    return [
        Place(volume.patient or f"scan {number}", volume.modality, partial(slice_frame, volume, plane))
        for number, volume in enumerate(volumes)
        for plane in range(len(volume.values))
    ]


def chosen(places: Iterable[Place]) -> list[Place]:
    """Return the places that are looked at: of each modality MOST_FRAMES at most, see :func:`spread`."""
    by_modality: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_modality[threshold_name(place.modality)].append(place)
    return [
        place for own in by_modality.values() for place in spread(own, lambda one: one.person, MOST_FRAMES)
    ]


def spread(items: Iterable[Item], person: Callable[[Item], str], most: int) -> list[Item]:
    """Return at most so many items, of nobody more than an equal part, evenly over each person's own."""
    by_person: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_person[person(item)].append(item)
    people = _evenly(list(by_person.values()), most)
    return [item for own in people for item in _evenly(own, most // len(people))]


def _evenly(items: list[Item], most: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places.tolist()]
