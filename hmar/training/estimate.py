"""How long a training will take, about: passes of the backbone, timed before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL
from hmar.training.data.render import CANVAS_PIXELS
from hmar.training.data.volumes import Volume
from hmar.training.singles import VIEWS_OF_SAMPLE, slices_of_start
from hmar.training.stages import Stage, learns_from_views

_TIMED = 3
"""Passes that are timed, the first of them not counted."""

_BACKWARD = 2.0
"""Times of a pass forward that one back takes, by its number of multiplications."""

_LONG = 120
"""Durations of this many minutes or more are given in hours."""

_REST = 1.5
"""Times of the backbone that all takes: rendering, drawing windows, heads and losses."""


def estimated_seconds(
    volumes: Sequence[Volume], backbone: Backbone, config: TrainingConfig, views_per_slice: int, device: str
) -> float:
    """Return about how many seconds a training on views that are kept takes.

    Parameters
    ----------
    volumes : sequence of Volume
    backbone : Backbone
    config : TrainingConfig
    views_per_slice : int
    device : str
        Where to train; its backbone is timed.
    """
    stem, tail = _passes(backbone, device)
    images = sum(len(volume.values) for volume in volumes)
    labelled = sum(_labelled(volume) for volume in volumes) if Stage.LABELS.steps(config) else 0
    on_views = learns_from_views(config)
    views = images * views_per_slice if on_views else VIEWS_OF_SAMPLE * min(images, slices_of_start(config))
    start = 2 * config.initial_batches * config.pairs * tail
    tuned = 2 * config.pairs * tail * (1 + _BACKWARD * (config.backbone_rate > 0))
    steps = config.image_steps * 2 * config.pairs * tail + config.region_steps * tuned
    cached = views * tail if config.settle_steps else 0.0
    return _REST * (views * stem + start + steps + cached + labelled * config.label_looks * (stem + tail))


def told_minutes(seconds: float) -> str:
    """Return a duration as text."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < _LONG:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {minutes / 60:.0f} hours"


@torch.inference_mode()
def _passes(backbone: Backbone, device: str) -> tuple[float, float]:
    """Return the seconds of a view in the backbone's stem, and in its tail."""
    folded = fold_batch_norm(backbone).to(device)
    image = torch.zeros(1, 3, CANVAS_PIXELS, CANVAS_PIXELS, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    middle = folded.stem(folded.normalise(image))
    return _timed(lambda: folded.stem(folded.normalise(image))), _timed(lambda: folded.tail(middle))


def _timed(compute: Callable[[], torch.Tensor]) -> float:
    seconds = []
    for _ in range(_TIMED):
        begun = time.perf_counter()
        float(compute().flatten()[0])  # waits for a GPU
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def _labelled(volume: Volume) -> int:
    return 0 if volume.image_labels is None else int((volume.image_labels != NO_LABEL).sum())
