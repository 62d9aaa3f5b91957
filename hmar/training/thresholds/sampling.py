"""Which frames of an archive are measured: of every modality, one of each person in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from hmar.model.thresholds import threshold_name
from hmar.ports import Catalogue
from hmar.values.entries import EntryInfo

MOST_OF_SERIES = 20
"""Frames that are considered of one series: its slices are alike, and the list stays short."""


def person(entry: EntryInfo) -> str:
    """Return what tells people apart: the keyed hash of the patient id, or the study where there is none."""
    return entry.info.patient_key or entry.info.study_uid


def sample_frames(
    catalogue: Catalogue,
    fingerprint: str,
    collections: Sequence[str],
    most: int,
    rng: np.random.Generator,
) -> dict[str, list[EntryInfo]]:
    """Draw frames of an archive.

    Parameters
    ----------
    catalogue : Catalogue
    fingerprint : str
        Of the model that the archive is indexed with.
    collections : sequence of str
        Empty for all.
    most : int
        Frames of a modality at most.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to list of EntryInfo
        By the name of :data:`hmar.model.thresholds.NAMES`; those without frames are absent.
    """
    considered: dict[str, list[EntryInfo]] = {}
    for series in catalogue.series(fingerprint):
        if collections and series.collection not in collections:
            continue
        entries = catalogue.frames(series.collection, series.series_uid, fingerprint)
        for i in rng.permutation(len(entries))[:MOST_OF_SERIES].tolist():
            considered.setdefault(threshold_name(entries[i].info.modality), []).append(entries[i])
    return {name: in_turn(entries, most, rng) for name, entries in sorted(considered.items())}


def in_turn(entries: Iterable[EntryInfo], most: int, rng: np.random.Generator) -> list[EntryInfo]:
    """Draw frames one of each person in turn, so that nobody counts much more often than others."""
    by_person = sorted(entries, key=lambda entry: (person(entry), entry.entry_id))
    turns: list[tuple[int, float, EntryInfo]] = []
    for _, own in groupby(by_person, key=person):
        frames, place = list(own), rng.random()
        turns += [(turn, place, frames[i]) for turn, i in enumerate(rng.permutation(len(frames)).tolist())]
    turns.sort(key=lambda drawn: drawn[:2])
    return [entry for _, _, entry in turns[:most]]
