"""People held out to validate structures: a structure is to be found in people who were not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels, patient_numbers
from hmar.training.data.volumes import Volume


def held_out_people(volumes: Sequence[Volume], config: TrainingConfig) -> NDArray[np.bool_]:
    """Return which volumes are held out, bool (V,): all of some people, or none of anybody.

    An eighth of the people of each structure that nine or more have, while every structure keeps three
    quarters of its people. Nobody where structures are not learned by class centres. People whose labels were
    carried from others neither count nor are held out.

    Parameters
    ----------
    volumes : sequence of Volume
    config : TrainingConfig
    """
    patient = patient_numbers(volumes)
    pairs = [
        (structure, patient[v])
        for v, volume in enumerate(volumes)
        if volume.labels is not None and not volume.carried and config.structure_weight > 0
        for structure in np.unique(volume.labels[volume.labels >= 0])
    ]
    if not pairs:
        return np.zeros(len(volumes), np.bool_)
    structure, person = np.unique(pairs, axis=0).astype(np.int64).T
    numbers, label = np.unique(structure, return_inverse=True)
    held = ImageLabels(label.astype(np.int64), person, len(numbers)).held_out()
    out: NDArray[np.bool_] = np.isin(patient, person[held])
    return out
