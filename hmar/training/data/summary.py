"""What there is to train on, counted before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hmar.training.data.image_labels import NO_LABEL, ImageLabels
from hmar.training.data.volumes import Volume


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of what volumes hold.

    Parameters
    ----------
    scans, slices : int
        Volumes of more than one slice, and their slices.
    images : int
        Single images.
    people : int
        Volumes of which nobody knows the patient count as one each.
    structures, labelled_slices : int
        Structures that are labelled on any slice, and slices that show one.
    labels, labelled_images : int
        Labels of whole images, and slices and images that have one.
    held_out : int
        People whose labelled images are held out for validation.
    """

    scans: int
    slices: int
    images: int
    people: int
    structures: int
    labelled_slices: int
    labels: int
    labelled_images: int
    held_out: int

    @classmethod
    def of(cls, volumes: Sequence[Volume], *, learns_labels: bool = True) -> Summary:
        """Count what volumes hold; nobody is held out where labels of images are not learned."""
        lengths = [len(volume.values) for volume in volumes]
        patient = _patients(volumes)
        shown = [np.unique(plane[plane >= 0]) for v in volumes if v.labels is not None for plane in v.labels]
        label = np.concatenate([np.empty(0, np.int64), *map(_image_labels, volumes)])
        found, numbers = np.unique(label[label != NO_LABEL], return_inverse=True)
        known = np.full(len(label), NO_LABEL)
        known[label != NO_LABEL] = numbers
        of_slices = np.repeat(patient, lengths)
        learnt = len(found) if learns_labels and len(found) > 1 else 0
        held = ImageLabels(known, of_slices, learnt).held_out()
        return cls(
            scans=sum(length > 1 for length in lengths),
            slices=sum(length for length in lengths if length > 1),
            images=lengths.count(1),
            people=len(np.unique(patient)),
            structures=len(np.unique(np.concatenate([np.empty(0, np.int16), *shown]))),
            labelled_slices=sum(len(structures) > 0 for structures in shown),
            labels=len(found),
            labelled_images=int((label != NO_LABEL).sum()),
            held_out=len(np.unique(of_slices[held])),
        )

    def lines(self) -> list[str]:
        """Return the counts as sentences."""
        return [
            f"{self.slices} slices of {self.scans} volumes, {self.images} single images, "
            f"of {self.people} people",
            f"{self.structures} structures labelled, on {self.labelled_slices} slices and images",
            f"{self.labels} labels of whole images, on {self.labelled_images} slices and images; "
            f"{self.held_out} people are held out to validate them",
        ]


def _patients(volumes: Sequence[Volume]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the number of each volume's patient."""
    names = [volume.patient or f"volume {v}" for v, volume in enumerate(volumes)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _image_labels(volume: Volume) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if volume.image_labels is None:
        return np.full(len(volume.values), NO_LABEL)
    return volume.image_labels.astype(np.int64)
