"""What is left out where single images with labels are all that there is to train on."""

from __future__ import annotations

from dataclasses import replace

from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.data.volumes import Volume

_BATCHES_OF_START = 20
"""Batches of the closed-form start in that case: 160 images by default."""

VIEWS_OF_SAMPLE = 2
"""Views of each slice of a sample, where views are not kept for the steps."""


def suited(config: TrainingConfig, volumes: list[Volume]) -> TrainingConfig:
    """Return the settings that are used on data.

    Single images without structures have nothing that could teach places or windows. Where their labels can
    be learnt, stages 1 to 3 are left out: Expert1 keeps its closed-form start, computed on fewer images, and
    Expert0 learns labels from a random one.
    """
    if any(len(volume.values) > 1 or volume.labels is not None for volume in volumes):
        return config
    if not config.label_steps or not ImageLabels.of_slices(volumes, config).count:
        return config
    fewer = min(config.initial_batches, _BATCHES_OF_START)
    return replace(config, initial_batches=fewer, image_steps=0, region_steps=0, settle_steps=0)


def slices_of_start(config: TrainingConfig) -> int:
    """Return how many slices the closed-form start looks at where no stage needs their views afterwards."""
    return config.initial_batches * config.pairs
