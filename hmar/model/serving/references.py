"""What a model knows of every kind of frame, and how typical a frame of that kind is.

Hounsfield units are one kind, presentation values of each modality another: CT that arrives as a picture lies
farther from CT in Hounsfield units than a photograph does. A frame is judged by what is known of its own
kind. Where that is nothing, its typicality is not told, and never guessed by another kind's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from hmar.errors import ModelError
from hmar.image.windows import QueryWindows, nearest_side
from hmar.model.serving.typicality import Reference, frame_summary, region_summary
from hmar.model.thresholds import NAMES, UNKNOWN, threshold_name
from hmar.values.frames import FloatArray, Units

_PRESENTATION = "presentation:"

HU = "HU"
"""Frames in Hounsfield units."""

PICTURES = f"{_PRESENTATION}{UNKNOWN}"
"""Presentation values whose modality no tag tells: PNG, JPEG, secondary captures."""

KINDS = (HU, *(f"{_PRESENTATION}{name}" for name in NAMES))
"""Kinds of frames that references are kept for."""

_FRAMES, _REGIONS = "frames", "regions"
_ARRAYS = ("mean", "whitening", "distances", "margin")
_REMEDY = "Restore it, or run: hmar export-model FOLDER --typicality DIR."


@dataclass(frozen=True, slots=True, eq=False)
class KindReferences:
    """What is known of one kind.

    Parameters
    ----------
    frames : Reference
    regions : mapping of int to Reference
        Of windows of frames, by their side in cells; empty where an older version fitted the reference of
        frames.
    """

    frames: Reference
    regions: Mapping[int, Reference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """What is known of all kinds.

    Parameters
    ----------
    known : mapping of str to KindReferences
        By a kind of :data:`KINDS`; of one that is absent nothing is known.
    """

    known: Mapping[str, KindReferences] = field(default_factory=dict)

    def typicality(
        self,
        kind: str,
        backbone_map: FloatArray,
        shown: FloatArray,
        windows: QueryWindows | None = None,
    ) -> float | None:
        """Return how typical a frame, or a region of it, is of its kind; None where nothing is known of it.

        A region is as typical as it is by itself, among windows of about its size, and its frame is: the
        smaller of the two.

        Parameters
        ----------
        kind : str
        backbone_map : ndarray of float32, shape (h, w, C)
        shown : ndarray of float32, shape (h, w)
            Share of each cell that shows something.
        windows : QueryWindows, optional
            Of the region; without it the whole frame is judged.
        """
        known = self.known.get(kind)
        if known is None:
            return None
        # The reference of an older version knows the mean of the whole map alone, which comes first.
        summary = frame_summary(backbone_map, shown)[: len(known.frames.mean)]
        of_frame = known.frames.typicality(summary)
        if windows is None or not known.regions:
            return of_frame
        side = nearest_side(windows.side, list(known.regions))
        return min(of_frame, known.regions[side].typicality(region_summary(backbone_map, windows)))


NO_REFERENCES = References()
"""Of a model that knows no kind."""


def kind_of(units: Units, modality: str) -> str:
    """Return the kind of a frame, by its units and its DICOM Modality."""
    return HU if units is Units.HU else f"{_PRESENTATION}{threshold_name(modality)}"


def write_references(path: Path, references: References) -> None:
    """Write references."""
    arrays = {}
    for kind, known in references.known.items():
        parts = {_FRAMES: known.frames, **{f"{_REGIONS}.{side}": one for side, one in known.regions.items()}}
        for part, one in parts.items():
            values = (one.mean, one.whitening, one.distances, np.array(one.margin))
            arrays.update({f"{kind}.{part}.{n}": a for n, a in zip(_ARRAYS, values, strict=True)})
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its stub takes them for its own options


def read_references(path: Path) -> References:
    """Read references; raises ModelError if the file holds other than these.

    A file of an older version holds one reference of all frames together. It is read as what it was: by it
    frames of every kind are judged, and a region by its frame.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        if "mean" in arrays:
            old = KindReferences(Reference(arrays["mean"], arrays["whitening"], arrays["distances"]))
            return References(dict.fromkeys(KINDS, old))
        return References({kind: _read_kind(arrays, kind) for kind in _kinds_of(arrays)})
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise ModelError(f"{path} cannot be read ({type(error).__name__}).", _REMEDY) from error


def _kinds_of(arrays: Mapping[str, FloatArray]) -> list[str]:
    """Return the kinds that names of arrays begin with; raises KeyError for one that is not known."""
    found = {name.split(".")[0] for name in arrays}
    if not found <= set(KINDS):
        raise KeyError(*found.difference(KINDS))
    return [kind for kind in KINDS if kind in found]


def _read_kind(arrays: Mapping[str, FloatArray], kind: str) -> KindReferences:
    begin = f"{kind}.{_REGIONS}."
    sides = {int(name.removeprefix(begin).split(".")[0]) for name in arrays if name.startswith(begin)}
    regions = {side: _reference(arrays, f"{begin}{side}") for side in sorted(sides)}
    return KindReferences(_reference(arrays, f"{kind}.{_FRAMES}"), regions)


def _reference(arrays: Mapping[str, FloatArray], name: str) -> Reference:
    mean, whitening, distances, margin = (arrays[f"{name}.{array}"] for array in _ARRAYS)
    return Reference(mean, whitening, distances, float(margin))
