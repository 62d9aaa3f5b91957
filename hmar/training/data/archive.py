"""Volumes from a site's own archive: the series of a collection, decoded again from their files.

Images keep the labels that they were indexed with. A labelled image whose series forms no volume (a
radiograph, a picture, a slice without geometry) becomes a volume of one slice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hmar.errors import HmarError, NotFoundError
from hmar.image.grid import GridConfig, make_grid, resample
from hmar.model.tags import region_index
from hmar.ports import Catalogue
from hmar.training.data.dicom_series import as_integers, from_feet_to_head, gaps_mm, series_volume
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.volumes import Volume
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.frames import Frame, Units

LEAST_SLICES = 8
"""A series of fewer slices is left out: training compares neighbouring slices."""

_LARGEST_GAP_MM = 12.0
"""A series whose slices lie farther apart is a localiser or incomplete: neighbours hardly share anatomy."""

_LARGEST_HOLE = 2
"""Times the usual distance that two neighbouring slices may be apart: one slice may be missing."""

_ONE_LABEL = 2
"""Entries of the table of labels where there is one label: itself, and "no label"."""
_GONE = "a file is gone or cannot be read any more"


def archive_volumes(
    catalogue: Catalogue,
    read: Callable[[EntryInfo], Frame],
    collection: str,
    fingerprint: str,
    say: Callable[[str], None],
    *,
    labels: bool = True,
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
        Called with a line for each reason why series or images were left out, and how many.
    labels : bool
        Whether labels are trained on. Without them, or with a single label, no image becomes a volume by
        itself.

    Raises
    ------
    NotFoundError
        If no series of the collection forms a volume, and fewer than 8 images are labelled.
    """
    every = [
        (series, catalogue.frames(collection, series.series_uid, fingerprint))
        for series in catalogue.series(fingerprint)
        if series.collection == collection
    ]
    number = _numbers([entry for _, entries in every for entry in entries])
    learnt = labels and len(number) > _ONE_LABEL
    volumes: list[Volume] = []
    left_out: Counter[str] = Counter()
    for series, entries in every:
        made = _volume(series, entries, read, f"series {len(volumes) + 1}", number)
        singles = [entry for entry in entries if learnt and entry.info.label is not None]
        if isinstance(made, Volume):
            volumes.append(made)
            singles = [entry for entry in singles if not _placed(entry)]
        elif len(singles) < len(entries):
            left_out[made] += 1
        for entry in singles:
            single = _single(entry, read, f"image {len(volumes) + 1}", number)
            if isinstance(single, Volume):
                volumes.append(single)
            else:
                left_out[single] += 1
    for reason, count in left_out.items():
        say(f"{count} series or images left out: {reason}")
    if sum(len(volume.values) for volume in volumes) < LEAST_SLICES:
        raise NotFoundError(
            f"The collection {collection!r} has no series of {LEAST_SLICES} or more slices to train on, and "
            f"fewer than {LEAST_SLICES} labelled images.",
            "Index CT or MR series into it first (hmar index PATH --collection NAME), or images by --label.",
        )
    return volumes


def _numbers(entries: Sequence[EntryInfo]) -> dict[str | None, int]:
    """Return a number for every label, in alphabetical order."""
    labels = sorted({entry.info.label for entry in entries if entry.info.label is not None})
    return {None: NO_LABEL} | {label: number for number, label in enumerate(labels)}


def _placed(entry: EntryInfo) -> bool:
    return entry.info.position is not None and entry.info.spacing is not None


def _volume(
    series: SeriesInfo,
    entries: list[EntryInfo],
    read: Callable[[EntryInfo], Frame],
    name: str,
    number: Mapping[str | None, int],
) -> Volume | str:
    """Return a series as a volume, or the reason why it forms none."""
    if series.modality not in ("CT", "MR"):
        return "neither CT nor MR"
    placed = from_feet_to_head(filter(_placed, entries), lambda entry: entry.info)
    if len(placed) < LEAST_SLICES:
        return f"fewer than {LEAST_SLICES} slices with position and spacing"
    gaps = gaps_mm([entry.info for entry in placed])
    between = float(np.median(gaps))
    if not 0 < between <= _LARGEST_GAP_MM or gaps.max() > _LARGEST_HOLE * between:
        return "slices are not evenly spaced along the body"
    try:
        frames = [read(entry) for entry in placed]
    except HmarError:
        return _GONE
    if len({(frame.values.shape, frame.units) for frame in frames}) > 1:
        return "slices differ in size or units"
    if series.modality == "CT" and frames[0].units is not Units.HU:
        return "CT without Hounsfield units"
    labels = np.array([number[entry.info.label] for entry in placed])
    return series_volume(
        name,
        [replace(frame, info=entry.info) for frame, entry in zip(frames, placed, strict=True)],
        _regions(series.body_part, len(placed)),
        image_labels=labels if (labels != NO_LABEL).any() else None,
        patient=_patient(placed[0]),
    )


def _single(
    entry: EntryInfo, read: Callable[[EntryInfo], Frame], name: str, number: Mapping[str | None, int]
) -> Volume | str:
    """Return a labelled image as a volume of one slice, resampled as for the encoder, to fit into a view."""
    try:
        frame = read(entry)
    except HmarError:
        return _GONE
    info = entry.info
    # All of it has to fit into a view: the label is of the whole image.
    laid = replace(GridConfig(), max_side=CANVAS_CELLS * GridConfig().stride)
    values = resample(frame.values, make_grid(info.rows, info.columns, info.spacing, laid))
    # Training expects Hounsfield units of CT; a picture of a CT has none.
    modality = "OT" if info.modality == "CT" and frame.units is not Units.HU else info.modality
    return Volume(
        name,
        as_integers(values, modality)[None],
        (1.0, laid.pitch_mm, laid.pitch_mm),
        modality,
        _regions(info.body_part, 1),
        image_labels=np.array([number[info.label]]),
        patient=_patient(entry),
    )


def _patient(entry: EntryInfo) -> str:
    """Return a key of the entry's patient, or of its study where the patient is unknown."""
    return entry.info.patient_key or entry.info.study_uid


def _regions(body_part: str | None, slices: int) -> NDArray[np.int64]:
    region = region_index(body_part)
    return np.full(slices, -1 if region is None else region, np.int64)
