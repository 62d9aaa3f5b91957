"""Training for Python: a model of one's own from the images of an archive."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hmar.errors import ConfigError
from hmar.library.archive import DEFAULT_COLLECTION, Archive
from hmar.library.extras import extra_train
from hmar.library.models import Model, load_model

if TYPE_CHECKING:
    from hmar.model.backbones.base import Backbone
    from hmar.training.config import TrainingConfig

Report = Callable[[str, int, int], None]
"""Shows (what, done, total); a total of 0 where there is nothing to count."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


def train_model(
    out: str | os.PathLike[str],
    archive: Archive,
    collection: str = DEFAULT_COLLECTION,
    *,
    settings: str | TrainingConfig = "archive",
    views: int = 6,
    device: str = "auto",
    resume: bool = False,
    report: Report = silent,
) -> Model:
    """Train a model on the series of a collection, and with the labels that its images were added with.

    Needs the extra "train". Nothing is downloaded: training starts from the shipped model's backbone, which
    is EfficientNet-Lite0 as it was published. ``hmar train`` does the same from the command line, from other
    backbones, and on open CT volumes besides.

    Parameters
    ----------
    out : path
        Folder of the model to write; its name is the model's.
    archive : Archive
        Of at least 8 slices that form volumes, or as many images with labels.
    collection : str
    settings : str or TrainingConfig
        A preset of :data:`hmar.training.config.PRESETS`, or settings made from one.
    views : int
        Views of each slice.
    device : str
        "cpu", "cuda", or "auto" for the better of those that are there.
    resume : bool
        Go on where a run into ``out`` was interrupted.
    report : callable
        Called with (what, done, total) as training goes on.

    Returns
    -------
    Model
        The trained model, loaded.

    Raises
    ------
    NotFoundError
        If the collection holds too little to learn from.
    ConfigError
        If the extra is not installed, there is no such preset, or nothing to resume.
    """
    with extra_train("Training"):
        from hmar.training.data.archive import archive_volumes
        from hmar.training.device import choose_device
        from hmar.training.export.card import LITE0, Origin, from_archive
        from hmar.training.run import Plan, train
    config = _config(settings)
    engine = archive.engine
    volumes = archive_volumes(
        engine.catalogue,
        engine.frame,
        collection,
        engine.encoder.fingerprint,
        lambda line: report(line, 0, 0),
        labels=config.learns_labels,
    )
    plan = Plan(config, views, resume=resume, device=choose_device(device))
    train(
        Path(out),
        volumes,
        starting_backbone(config),
        Origin(from_archive(collection), LITE0, "ImageNet"),
        plan,
        report,
    )
    return load_model(out)


def _config(settings: str | TrainingConfig) -> TrainingConfig:
    from hmar.training.config import PRESETS

    if not isinstance(settings, str):
        return settings
    if settings not in PRESETS:
        raise ConfigError(f"There is no preset {settings!r}.", f"Give one of {', '.join(PRESETS)}.")
    return PRESETS[settings]


def starting_backbone(config: TrainingConfig) -> Backbone:
    """Return the shipped model's backbone, without blurs before its last strides where its tail is trained.

    A tail that is trained learns from shifted views what blurs give.
    """
    from hmar.encoder import shipped_bundle
    from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone
    from hmar.model.weights import load_backbone

    backbone = load_backbone(shipped_bundle())
    if isinstance(backbone, SmoothLite0Backbone) and config.backbone_rate > 0:
        return Lite0Backbone.like(backbone)
    return backbone
