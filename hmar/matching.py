"""The use case of laying two series side by side: which frame of the other shows the same place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmar.errors import LimitError
from hmar.groups import frames_of_group
from hmar.ports import Catalogue, CodeIndex
from hmar.values.codes import hamming
from hmar.values.entries import EntryInfo
from hmar.values.plain import Json
from hmar.values.selection import Selection

Order = Literal["forward", "backward", "none"]
"""How the places of two series follow one another: in the same order, in the reverse one, or in neither."""

MAX_PAIRS = 4_000_000
"""Pairs of frames that are compared: two series of 2,000."""
MIN_AGREEMENT = 0.5
"""Agreement (Goodman and Kruskal's gamma, JASA 1954) from which on the frames of two series are taken to
follow one another: three of four pairs lie in the same order."""

Distances = NDArray[np.int64]
Places = NDArray[np.int64]


class Matched(NamedTuple):
    """A frame, the one of the other series that lies beside it, and the bits in which their codes differ."""

    frame: EntryInfo
    beside: EntryInfo
    distance: int


@dataclass(frozen=True, slots=True)
class SeriesMatch:
    """Two series side by side.

    Parameters
    ----------
    order : str
        With "forward", frames beside later ones are never earlier; with "backward", never later.
    frames : tuple of Matched
        One for each frame of the first series, in display order.
    """

    order: Order
    frames: tuple[Matched, ...]

    def to_dict(self) -> Json:
        """Return the match as the API answers with it."""
        return {
            "order": self.order,
            "frames": [
                {**_named(frame), "beside": _named(beside), "distance": distance}
                for frame, beside, distance in self.frames
            ],
        }


def match_series(
    catalogue: Catalogue, index: CodeIndex, model_fingerprint: str, series_uid: str, other_uid: str
) -> SeriesMatch:
    """Find, for each frame of a series, the frame of another that shows the same place.

    The codes of whole images are compared, all with all; no pixel is read. ``index`` is up to date.

    Raises
    ------
    NotFoundError
        If one of the two is not indexed.
    LimitError
        If they are too long.
    """
    frames, others = (
        frames_of_group(catalogue, model_fingerprint, "series", uid) for uid in (series_uid, other_uid)
    )
    if len(frames) * len(others) > MAX_PAIRS:
        raise LimitError(
            f"The series have {len(frames)} and {len(others)} frames: more than {MAX_PAIRS} pairs.",
            "Compare shorter series.",
        )
    frames, codes = _codes(index, frames)
    others, other_codes = _codes(index, others)
    if not frames or not others:
        return SeriesMatch("none", ())
    distances = hamming(codes[:, None], other_codes[None])
    order, places = laid_beside(distances)
    pairs = zip(frames, places.tolist(), strict=True)
    return SeriesMatch(
        order,
        tuple(
            Matched(frame, others[place], int(distances[number, place]))
            for number, (frame, place) in enumerate(pairs)
        ),
    )


def laid_beside(distances: Distances) -> tuple[Order, Places]:
    """Return how two series follow one another, and the place beside each row.

    Rows are laid beside the nearest column each. Where these run in an order, they are kept in it: the places
    are those of the least sum of distances among all that never go back, found by dynamic programming as in
    dynamic time warping (Sakoe and Chiba, IEEE TASSP 1978). Of equally near columns, those count that lie
    most evenly.

    Parameters
    ----------
    distances : ndarray of int64, shape (A, B)
        Between each frame of one series and each of the other; both at least one.
    """
    forward, backward = _costs(distances), _costs(distances[:, ::-1])
    agreement = _agreement(forward.argmin(axis=1))
    if agreement >= MIN_AGREEMENT:
        return "forward", _ordered(forward)
    if agreement <= -MIN_AGREEMENT:
        return "backward", distances.shape[1] - 1 - _ordered(backward)
    return "none", forward.argmin(axis=1)


def _costs(distances: Distances) -> Distances:
    """Return costs: distances decide, and among equal sums of them how far off an even course a place is."""
    rows, columns = distances.shape
    course = np.linspace(0, columns - 1, rows)
    off = np.rint(np.abs(course[:, None] - np.arange(columns))).astype(np.int64)
    costs: Distances = distances * (rows * columns + 1) + off
    return costs


def _agreement(places: Places) -> float:
    """Return Goodman and Kruskal's gamma of rows and places: 1 in order, -1 in reverse, 0 in neither."""
    signs = np.sign(places[None, :] - places[:, None])[np.triu_indices(len(places), 1)]
    differing = np.count_nonzero(signs)
    return float(signs.sum() / differing) if differing else 0.0


def _ordered(costs: Distances) -> Places:
    """Return the places of the least sum of costs that never go back."""
    rows, columns = costs.shape
    numbers = np.arange(columns)
    came_from = np.zeros((rows, columns), np.int32)
    sums = costs[0]
    for row in range(1, rows):
        least = np.minimum.accumulate(sums)
        came_from[row] = np.maximum.accumulate(np.where(sums == least, numbers, 0))
        sums = least + costs[row]
    places = np.empty(rows, np.int64)
    places[-1] = sums.argmin()
    for row in range(rows - 1, 0, -1):
        places[row - 1] = came_from[row, places[row]]
    return places


def _codes(index: CodeIndex, frames: list[EntryInfo]) -> tuple[list[EntryInfo], NDArray[np.uint8]]:
    """Return the frames that the index holds, and the codes of their whole images, shape (N, 16)."""
    by_id = {frame.entry_id: frame for frame in frames}
    held = index.codes(list(by_id), Selection())
    codes = np.array([one.global_code for one in held], np.uint8).reshape(-1, 16)
    return [by_id[one.entry_id] for one in held], codes


def _named(entry: EntryInfo) -> Json:
    info = entry.info
    return {
        "sop_instance_uid": info.sop_instance_uid,
        "frame_number": info.frame_number,
        "instance_number": info.instance_number,
    }
