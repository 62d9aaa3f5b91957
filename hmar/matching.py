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
from hmar.values.places import named_frame
from hmar.values.plain import Json
from hmar.values.selection import Selection

Order = Literal["forward", "backward", "none"]
"""How the places of two series follow one another: in the same order, in the reverse one, or in neither."""

MAX_PAIRS = 2_000_000
"""Pairs of frames that are compared: two series of 1,400, in about three seconds."""
CLEAR_BITS = 1.0
"""By how much one order must be nearer than the other, on the mean over the frames, to be believed. Series of
one body have 1.8 to 5.8, the same with their frames shuffled at most 0.4."""
CONTEXT_MM = 50.0
"""How far around a frame its neighbours count. On a real CT beside an altered copy of a part of it, frames
then lie 2 to 6 mm off on the mean, and 14 to 24 mm where each has its nearest beside it."""
_MAX_LOOKED_AT = 25
"""Frames around one that are looked at; odd, so that it is among them."""
_PARTS_OF_A_BIT = 64
_STEPS_MM = (0.001, 1000.0)
"""From frame to frame; positions that tell of other steps are none of a body."""

Distances = NDArray[np.int64]
Means = NDArray[np.float64]
Places = NDArray[np.int64]
Steps = tuple[float, float] | None


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
                {**named_frame(frame), "beside": named_frame(beside), "distance": distance}
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
    steps = _step_mm(frames), _step_mm(others)
    known = None if steps[0] is None or steps[1] is None else (steps[0], steps[1])
    order, places = laid_beside(distances, known)
    pairs = zip(frames, places.tolist(), strict=True)
    return SeriesMatch(
        order,
        tuple(
            Matched(frame, others[place], int(distances[number, place]))
            for number, (frame, place) in enumerate(pairs)
        ),
    )


def laid_beside(distances: Distances, steps_mm: Steps = None) -> tuple[Order, Places]:
    """Return how two series follow one another, and the place beside each row.

    Neighbours count: of two frames, the mean distance of those up to ``CONTEXT_MM`` around them. The places
    are those of the least sum among all that never go back, found by dynamic programming as in dynamic time
    warping (Sakoe and Chiba, IEEE TASSP 1978), in the order that has the smaller one. Where both are about as
    good, series with positions run forward, for both are in display order; without, there is no order, and
    each row is laid beside its nearest column. Of equally near ones, those count that lie most evenly.

    Parameters
    ----------
    distances : ndarray of int64, shape (A, B)
        Between each frame of one series and each of the other; both at least one.
    steps_mm : tuple of float, optional
        From frame to frame of the first series, and of the other; None where they are not known: each frame
        then counts by itself.
    """
    forward, ahead = _course(distances, steps_mm)
    turned, behind = _course(distances[:, ::-1], steps_mm)
    if ahead - behind >= CLEAR_BITS:
        return "backward", distances.shape[1] - 1 - turned
    if behind - ahead >= CLEAR_BITS or steps_mm is not None:
        return "forward", forward
    return "none", _costs(distances).argmin(axis=1)


def _course(distances: Distances, steps_mm: Steps) -> tuple[Places, float]:
    """Return the places of the least sum that never go back, and their mean distance."""
    nearby = _in_context(distances, steps_mm)
    places = _ordered(_costs(nearby))
    return places, float(nearby[np.arange(len(places)), places].mean())


def _in_context(distances: Distances, steps_mm: Steps) -> Means:
    """Return the mean distance of the frames around two frames, taken at equal millimetres from them."""
    if steps_mm is None:
        return distances.astype(np.float64)
    rows, columns = distances.shape
    step, other_step = steps_mm
    reach = min(rows - 1, int(CONTEXT_MM / step))
    narrow = distances.astype(np.int32)
    looked_at = np.linspace(-reach, reach, min(2 * reach + 1, _MAX_LOOKED_AT)).round().astype(int)
    sums, counts = np.zeros((rows, columns), np.int32), np.zeros((rows, columns), np.uint8)
    for away in looked_at.tolist():
        there = round(away * step / other_step)
        here = _inside(rows, away), _inside(columns, there)
        sums[here] += narrow[_inside(rows, -away), _inside(columns, -there)]
        counts[here] += 1
    means: Means = sums / counts
    return means


def _inside(length: int, away: int) -> slice:
    """Return the places from which so many further on there is one, of so many."""
    return slice(min(length, max(0, -away)), max(0, min(length, length - away)))


def _costs(distances: Distances | Means) -> Distances:
    """Return costs: distances decide, and among equal sums of them how far off an even course a place is."""
    rows, columns = distances.shape
    course = np.linspace(0, columns - 1, rows)
    off = np.rint(np.abs(course[:, None] - np.arange(columns))).astype(np.int64)
    fine = np.rint(_PARTS_OF_A_BIT * distances).astype(np.int64)
    costs: Distances = fine * (rows * columns + 1) + off
    return costs


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


def _step_mm(frames: list[EntryInfo]) -> float | None:
    """Return how far apart the frames of a series mostly are; None where their positions do not tell."""
    positions = [frame.info.position for frame in frames]
    known = np.array([position for position in positions if position is not None], np.float64)
    if len(known) < max(2, len(positions)):
        return None
    with np.errstate(over="ignore"):
        step = float(np.median(np.linalg.norm(np.diff(known, axis=0), axis=1)))
    return step if _STEPS_MM[0] <= step <= _STEPS_MM[1] else None
