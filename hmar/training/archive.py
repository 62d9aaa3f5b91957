"""Volumes out of a site's own archive: the series of a collection, read again from where they came."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from hmar.errors import HmarError, NotFoundError
from hmar.model.tags import region_index
from hmar.ports import Catalogue
from hmar.training.volumes import Volume
from hmar.types import EntryInfo, Frame, SeriesInfo

LEAST_SLICES = 8
"""A series of fewer slices of one geometry has no neighbours to learn from."""

_LARGEST_GAP_MM = 12.0


def archive_volumes(
    catalogue: Catalogue,
    read: Callable[[EntryInfo], Frame],
    collection: str,
    fingerprint: str,
    say: Callable[[str], None],
) -> list[Volume]:
    """Read the series of a collection that form volumes.

    Parameters
    ----------
    catalogue : Catalogue
    read : callable
        Reads an indexed frame again.
    collection : str
    fingerprint : str
        Of the model that the archive is indexed with.
    say : callable
        Told in one line how many series were left out, and why.

    Raises
    ------
    NotFoundError
        If no series of the collection forms a volume.
    """
    volumes: list[Volume] = []
    left_out: dict[str, int] = {}
    for series in catalogue.series(fingerprint):
        if series.collection != collection:
            continue
        entries = catalogue.frames(collection, series.series_uid, fingerprint)
        volume = _volume(series, entries, read, f"series {len(volumes) + 1}")
        if isinstance(volume, Volume):
            volumes.append(volume)
        else:
            left_out[volume] = left_out.get(volume, 0) + 1
    for reason, count in left_out.items():
        say(f"{count} series left out: {reason}")
    if not volumes:
        raise NotFoundError(
            f"The collection {collection!r} has no series of {LEAST_SLICES} or more slices to train on.",
            "Index CT or MR series into it first (hmar index PATH --collection NAME).",
        )
    return volumes


def _volume(
    series: SeriesInfo, entries: list[EntryInfo], read: Callable[[EntryInfo], Frame], name: str
) -> Volume | str:
    """Return a series as a volume, or why it is none."""
    if series.modality not in ("CT", "MR"):
        return "neither CT nor MR"
    placed = sorted(
        (entry for entry in entries if entry.info.position is not None and entry.info.spacing is not None),
        key=_height,
    )
    if len(placed) < LEAST_SLICES:
        return f"fewer than {LEAST_SLICES} slices with position and spacing"
    gaps = [_height(b) - _height(a) for a, b in pairwise(placed)]
    between = float(np.median(gaps))
    if not 0 < between <= _LARGEST_GAP_MM or max(gaps) > 2 * between:
        return "slices are not evenly spaced along the body"
    try:
        frames = [read(entry) for entry in placed]
    except HmarError:
        return "a file is gone or cannot be read any more"
    if len({(frame.values.shape, frame.units) for frame in frames}) > 1:
        return "slices differ in size or units"
    spacing = placed[0].info.spacing
    if spacing is None:
        return "no pixel spacing"
    values = np.stack([_stored(frame, series.modality) for frame in frames])
    region = region_index(series.body_part)
    regions = np.full(len(values), -1 if region is None else region, np.int64)
    return Volume(name, values, (between, spacing.row_mm, spacing.column_mm), series.modality, regions)


def _stored(frame: Frame, modality: str) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Return HU for CT; presentation values, 0 to 1, as thousandths for what has no units."""
    scale = 1.0 if modality == "CT" else 1000.0
    stored: np.ndarray[tuple[int, int], np.dtype[np.int16]] = np.rint(frame.values * scale).astype(np.int16)
    return stored


def _height(entry: EntryInfo) -> float:
    return 0.0 if entry.info.position is None else entry.info.position[2]
