"""Volumes out of a site's own archive: the series of a collection, read again from where they came.

Images that were labelled when they were indexed keep their label. They are learnt from one by one where their
series forms no volume: radiographs, pictures, and whatever has no geometry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hmar.errors import HmarError, NotFoundError
from hmar.model.tags import region_index
from hmar.ports import Catalogue
from hmar.training.image_labels import NO_LABEL
from hmar.training.volumes import SINGLE, Volume
from hmar.types import EntryInfo, Frame, GridConfig, SeriesInfo, Spacing, Units

LEAST_SLICES = 8
"""A series of fewer slices of one geometry has no neighbours to learn from."""

_LARGEST_GAP_MM = 12.0
_GONE = "a file is gone or cannot be read any more"


def archive_volumes(
    catalogue: Catalogue,
    read: Callable[[EntryInfo], Frame],
    collection: str,
    fingerprint: str,
    say: Callable[[str], None],
) -> list[Volume]:
    """Read the series of a collection that form volumes, and the labelled images of the others.

    Parameters
    ----------
    catalogue : Catalogue
    read : callable
        Reads an indexed frame again.
    collection : str
    fingerprint : str
        Of the model that the archive is indexed with.
    say : callable
        Told in one line how many series or images were left out, and why.

    Raises
    ------
    NotFoundError
        If no series of the collection forms a volume, and no image is labelled.
    """
    every = [series for series in catalogue.series(fingerprint) if series.collection == collection]
    labels = _Labels()
    volumes: list[Volume] = []
    left_out: Counter[str] = Counter()
    for series in every:
        entries = catalogue.frames(collection, series.series_uid, fingerprint)
        made = _volume(series, entries, read, f"series {len(volumes) + 1}", labels)
        if isinstance(made, Volume):
            volumes.append(made)
            continue
        labelled = [entry for entry in entries if entry.info.label is not None]
        for entry in labelled:
            single = _single(entry, read, labels)
            if isinstance(single, Volume):
                volumes.append(single)
            else:
                left_out[single] += 1
        if not labelled:
            left_out[made] += 1
    for reason, count in left_out.items():
        say(f"{count} series or images left out: {reason}")
    if not volumes:
        raise NotFoundError(
            f"The collection {collection!r} has no series of {LEAST_SLICES} or more slices to train on, "
            "nor any labelled image.",
            "Index CT or MR series into it first (hmar index PATH --collection NAME), or images by --label.",
        )
    return volumes


class _Labels:
    """Numbers labels in the order they are met."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def of(self, entries: Sequence[EntryInfo]) -> NDArray[np.int64] | None:
        """Return the numbers of entries' labels, NO_LABEL where there is none; None where none has one."""
        names = [entry.info.label for entry in entries]
        if not any(names):
            return None
        return np.array(
            [self._number.setdefault(name, len(self._number)) if name else NO_LABEL for name in names]
        )


def _volume(
    series: SeriesInfo,
    entries: list[EntryInfo],
    read: Callable[[EntryInfo], Frame],
    name: str,
    labels: _Labels,
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
        return _GONE
    if len({(frame.values.shape, frame.units) for frame in frames}) > 1:
        return "slices differ in size or units"
    spacing = placed[0].info.spacing
    if spacing is None:
        return "no pixel spacing"
    values = np.stack([_stored(frame, series.modality) for frame in frames])
    region = region_index(series.body_part)
    regions = np.full(len(values), -1 if region is None else region, np.int64)
    size = (between, spacing.row_mm, spacing.column_mm)
    patient = placed[0].info.patient_key
    return Volume(name, values, size, series.modality, regions, None, labels.of(placed), patient)


def _single(entry: EntryInfo, read: Callable[[EntryInfo], Frame], labels: _Labels) -> Volume | str:
    """Return a labelled image as a volume of one slice, or why it is none."""
    try:
        frame = read(entry)
    except HmarError:
        return _GONE
    info = frame.info
    # The trainer takes CT for Hounsfield units; a picture of a CT has none.
    modality = "OT" if info.modality == "CT" and frame.units is not Units.HU else info.modality
    grid = GridConfig()
    unknown = grid.unknown_side * grid.pitch_mm / max(info.rows, info.columns)
    spacing = info.spacing or Spacing(unknown, unknown)
    region = region_index(info.body_part)
    return Volume(
        SINGLE,
        _stored(frame, modality)[None],
        (1.0, spacing.row_mm, spacing.column_mm),
        modality,
        np.full(1, -1 if region is None else region, np.int64),
        None,
        labels.of([entry]),
        info.patient_key,
    )


def _stored(frame: Frame, modality: str) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Return HU for CT; presentation values, 0 to 1, as thousandths for what has no units."""
    scale = 1.0 if modality == "CT" else 1000.0
    stored: np.ndarray[tuple[int, int], np.dtype[np.int16]] = np.rint(frame.values * scale).astype(np.int16)
    return stored


def _height(entry: EntryInfo) -> float:
    return 0.0 if entry.info.position is None else entry.info.position[2]
