"""The settings of a training run, which a TOML file can change."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from hmar.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Settings of the stages, see :class:`hmar.training.stages.Stage`.

    Parameters
    ----------
    initial_batches : int
        Batches that heads are initialised on, in closed form.
    pairs, windows : int
        Pairs of views in a batch, and windows on each view.
    image_steps, region_steps : int
        Steps of stage 1 (whole images and the router) and of stage 2 (regions besides, and the backbone's
        tail; the gate weighs both experts).
    settle_pairs, settle_steps : int
        Pairs in a batch and steps of stage 3: experts and router on cached feature maps of a backbone that
        no longer changes. A step costs a tenth, so that batches can be larger.
    label_batch, label_steps : int
        Images in a batch and steps of stage 4: Expert0 on labels of whole images.
    label_looks : int
        How many times each labelled image is encoded for it: as it is, and varied.
    learning_rate, backbone_rate, weight_decay : float
        AdamW's learning rates of the heads and of the backbone's tail, at the top of a one-cycle schedule
        over each stage, and its weight decay. A backbone rate of 0 keeps the published weights.
    temperature : float
        Of the contrastive losses.
    place_weight : float
        Weight of the contrastive loss on places in stages 2 and 3; in stage 1 it is 1.
    structure_weight, structure_contrast : float
        Weights of the losses on labels of structures and of whole images: class centres, and supervised
        contrast with other slices or patients. With both 0, labels of images are not used at all.
    scale, margin : float
        Of the class-centre loss.
    short_share : float
        Share of every loss on codes that is taken on the first 64 bits, the short code; the rest is taken on
        all 128.
    feature_drop : float
        Dropout on the features of windows.
    bit_weight, gate_entropy_weight : float
        Weights of bit quality, and of the gate's entropy, which keeps both experts in use.
    tag_drop : float
        Share of images whose modality, and share whose body part, is hidden from the router, so that it
        learns to read them from the image.
    average : float
        Decay of the EMA of weights, which is what validation looks at and what is kept.
    evaluate_every, patience : int
        Steps between validations, and validations without improvement after which a stage stops early.
    seed : int
        Seed of all random numbers.
    """

    initial_batches: int = 60
    pairs: int = 8
    windows: int = 32
    image_steps: int = 40
    region_steps: int = 400
    settle_pairs: int = 12
    settle_steps: int = 400
    label_batch: int = 256
    label_steps: int = 600
    label_looks: int = 3
    learning_rate: float = 1e-3
    backbone_rate: float = 3e-4
    weight_decay: float = 1e-2
    temperature: float = 0.15
    place_weight: float = 0.5
    structure_weight: float = 1.0
    structure_contrast: float = 0.5
    scale: float = 10.0
    margin: float = 0.2
    short_share: float = 0.5
    feature_drop: float = 0.3
    bit_weight: float = 0.2
    gate_entropy_weight: float = 0.5
    tag_drop: float = 0.5
    average: float = 0.98
    evaluate_every: int = 50
    patience: int = 4
    seed: int = 7

    @property
    def learns_labels(self) -> bool:
        """Whether any loss uses labels."""
        return max(self.structure_weight, self.structure_contrast) > 0


_PLACES = replace(
    TrainingConfig(),
    image_steps=50,
    region_steps=0,
    settle_pairs=16,
    settle_steps=150,
    learning_rate=2e-4,
    backbone_rate=0.0,
    temperature=0.1,
    place_weight=1.0,
    structure_weight=0.0,
    structure_contrast=0.0,
    feature_drop=0.0,
    bit_weight=0.5,
)
"""Trains on positions alone, with the backbone's published weights: with as few scans as the open volumes,
training on structures or on the backbone overfits."""

PRESETS = {
    "open-ct": _PLACES,
    "lesions": replace(_PLACES, structure_weight=0.15, structure_contrast=0.15),
    "structures": TrainingConfig(),
    "archive": replace(TrainingConfig(), region_steps=300, place_weight=1.0),
    "quick": replace(
        TrainingConfig(),
        initial_batches=8,
        image_steps=4,
        region_steps=8,
        settle_pairs=8,
        settle_steps=8,
        label_steps=8,
        evaluate_every=4,
    ),
}
"""Named settings: ``open-ct`` for the open volumes; ``lesions`` to find outlined lesions of a kind in other
patients, as the shipped model is trained; ``structures`` to find labelled structures in other patients;
``archive`` for a site's own archive; ``quick`` to see that training runs."""

_BELOW_ONE = ("short_share", "feature_drop", "tag_drop", "average")
_AT_LEAST_ONE = (
    "initial_batches",
    "pairs",
    "windows",
    "settle_pairs",
    "label_batch",
    "label_looks",
    "evaluate_every",
    "patience",
)


def read_config(path: Path, base: TrainingConfig) -> TrainingConfig:
    """Read settings from a TOML file; those that it leaves out stay as in ``base``.

    Raises
    ------
    ConfigError
        If the file cannot be read, or has a key that is no setting or a value that a setting cannot have.
    """
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read as TOML ({error}).", "Give a file of key = value."
        ) from error
    known = {field.name for field in fields(TrainingConfig)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigError(f"{path} sets {unknown[0]!r}.", f"Use some of {', '.join(sorted(known))}.")
    return replace(base, **{name: _value(path, name, value, base) for name, value in given.items()})


def _value(path: Path, name: str, value: object, base: TrainingConfig) -> Any:
    kind = type(getattr(base, name))
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and value != int(value)):
        raise ConfigError(
            f"{path} sets {name} to {value!r}.", f"Give a number, as {getattr(base, name)!r} is."
        )
    if value < 0:
        raise ConfigError(f"{path} sets {name} to {value!r}.", "Give 0 or more.")
    if name in _BELOW_ONE and value >= 1:
        raise ConfigError(f"{path} sets {name} to {value!r}.", "Give a share below 1.")
    if name in _AT_LEAST_ONE and value < 1:
        raise ConfigError(f"{path} sets {name} to {value!r}.", "Give 1 or more.")
    return kind(value)


def with_steps(config: TrainingConfig, steps: int) -> TrainingConfig:
    """Return settings with other steps of stage 2, or of stage 3 where stage 2 has none."""
    if config.region_steps > 0:
        return replace(config, region_steps=steps)
    return replace(config, settle_steps=steps)
