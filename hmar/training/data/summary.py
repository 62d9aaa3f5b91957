"""What there is to train on, counted before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, patient_numbers
from hmar.training.data.volumes import Volume
from hmar.training.validation.people import held_out_people


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
        People who are held out for validation: of labels of images, or of structures.
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
    def of(cls, volumes: Sequence[Volume], config: TrainingConfig) -> Summary:
        """Count what volumes hold; whom validation holds out depends on the settings."""
        lengths = [len(volume.values) for volume in volumes]
        patient = patient_numbers(volumes)
        shown = [np.unique(plane[plane >= 0]) for v in volumes if v.labels is not None for plane in v.labels]
        label = np.concatenate([np.empty(0, np.int64), *map(_image_labels, volumes)])
        found, numbers = np.unique(label[label != NO_LABEL], return_inverse=True)
        known = np.full(len(label), NO_LABEL)
        known[label != NO_LABEL] = numbers
        of_slices = np.repeat(patient, lengths)
        learnt = len(found) if config.learns_labels and len(found) > 1 else 0
        held = ImageLabels(known, of_slices, learnt).held_out()
        held_people = {*of_slices[held].tolist(), *patient[held_out_people(volumes, config)].tolist()}
        return cls(
            scans=sum(length > 1 for length in lengths),
            slices=sum(length for length in lengths if length > 1),
            images=lengths.count(1),
            people=len(np.unique(patient)),
            structures=len(np.unique(np.concatenate([np.empty(0, np.int16), *shown]))),
            labelled_slices=sum(len(structures) > 0 for structures in shown),
            labels=len(found),
            labelled_images=int((label != NO_LABEL).sum()),
            held_out=len(held_people),
        )

    def lines(self) -> list[str]:
        """Return the counts as sentences."""
        return [
            f"{self.slices} slices of {self.scans} volumes, {self.images} single images, "
            f"of {self.people} people",
            f"{self.structures} structures labelled, on {self.labelled_slices} slices and images",
            f"{self.labels} labels of whole images, on {self.labelled_images} slices and images",
            f"{self.held_out} people are held out for validation",
        ]


def _image_labels(volume: Volume) -> NDArray[np.int64]:
    if volume.image_labels is None:
        return np.full(len(volume.values), NO_LABEL)
    return volume.image_labels.astype(np.int64)
