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
from hmar.model.tags import region_index
from hmar.ports import Catalogue
from hmar.training.data.dicom_series import (
    LEAST_SLICES,
    from_feet_to_head,
    is_placed,
    series_volume,
    single_volume,
    why_no_volume,
    why_not_stacked,
)
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.data.vocabulary import Vocabulary
from hmar.training.data.volumes import Volume
from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.frames import Frame

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
    known: Vocabulary | None = None,
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
    known : Vocabulary, optional
        Labels that are numbered already; those of the collection follow.

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
    number = _numbers([entry for _, entries in every for entry in entries], known or Vocabulary())
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


def _numbers(entries: Sequence[EntryInfo], known: Vocabulary) -> dict[str | None, int]:
    """Return a number for every label: those that are known, and the others in alphabetical order."""
    labels = sorted({entry.info.label for entry in entries if entry.info.label is not None})
    for label in labels:
        known.number(label)
    return {None: NO_LABEL} | {label: number for number, label in enumerate(known.names)}


def _placed(entry: EntryInfo) -> bool:
    return is_placed(entry.info)


def _volume(
    series: SeriesInfo,
    entries: list[EntryInfo],
    read: Callable[[EntryInfo], Frame],
    name: str,
    number: Mapping[str | None, int],
) -> Volume | str:
    """Return a series as a volume, or the reason why it forms none."""
    placed = from_feet_to_head(filter(_placed, entries), lambda entry: entry.info)
    reason = why_no_volume(series.modality, [entry.info for entry in placed])
    if reason is not None:
        return reason
    try:
        frames = [read(entry) for entry in placed]
    except HmarError:
        return _GONE
    frames = [replace(frame, info=entry.info) for frame, entry in zip(frames, placed, strict=True)]
    reason = why_not_stacked(frames)
    if reason is not None:
        return reason
    labels = np.array([number[entry.info.label] for entry in placed])
    return series_volume(
        name,
        frames,
        _regions(series.body_part, len(placed)),
        image_labels=labels if (labels != NO_LABEL).any() else None,
        patient=_patient(placed[0]),
    )


def _single(
    entry: EntryInfo, read: Callable[[EntryInfo], Frame], name: str, number: Mapping[str | None, int]
) -> Volume | str:
    """Return a labelled image as a volume of one slice, or the reason why it cannot be."""
    try:
        frame = read(entry)
    except HmarError:
        return _GONE
    info = entry.info
    region = region_index(info.body_part)
    return single_volume(
        name,
        replace(frame, info=info),
        -1 if region is None else region,
        image_label=number[info.label],
        patient=_patient(entry),
    )


def _patient(entry: EntryInfo) -> str:
    """Return a key of the entry's patient, or of its study where the patient is unknown."""
    return entry.info.patient_key or entry.info.study_uid


def _regions(body_part: str | None, slices: int) -> NDArray[np.int64]:
    region = region_index(body_part)
    return np.full(slices, -1 if region is None else region, np.int64)
