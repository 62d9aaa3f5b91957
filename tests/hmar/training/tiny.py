"""A network so small that training it takes milliseconds, and views for it that nothing is rendered for."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from hmar.model.backbones.base import Backbone
from hmar.model.backbones.registry import BACKBONES
from hmar.model.config import NetworkConfig
from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairConfig
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.views import ViewSet, slice_views
from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.sources import Fresh
from hmar.training.trainer import Trainer

CONFIG = TrainingConfig(
    initial_batches=4,
    image_steps=2,
    region_steps=3,
    settle_pairs=6,
    settle_steps=3,
    label_batch=16,
    label_steps=3,
    label_looks=2,
    evaluate_every=2,
)
PAIRS = PairConfig(views=4, windows=6)
CELL_MM, PITCH_MM = 12.0, 0.75


class TinyBackbone(Backbone):
    """Two convolutions, one of them the tail."""

    name = "tiny"
    channels = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 1)
        self.last = nn.Conv2d(8, self.channels, 2, stride=2)

    def normalise(self, x: torch.Tensor) -> torch.Tensor:
        return x - 0.5

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.first(nn.functional.avg_pool2d(x, 8)))

    def tail(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.last(x))

    def tail_modules(self) -> list[nn.Module]:
        return [self.last]


NETWORK = NetworkConfig(width=16, hidden=128, backbone=TinyBackbone.name)


@contextmanager
def registered() -> Iterator[None]:
    """Let networks be built on the tiny backbone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, TinyBackbone.name, TinyBackbone)
        yield


def tiny_backbone() -> TinyBackbone:
    torch.manual_seed(0)
    return TinyBackbone().eval().requires_grad_(False)


def views_of(volumes: list[Volume], each: int = 2) -> ViewSet:
    """Return views of noise, on which the corner of every slice is the corner of the canvas."""
    index = np.array(
        [(v, p) for v, volume in enumerate(volumes) for p in range(len(volume.values)) for _ in range(each)]
    )
    generator = torch.Generator().manual_seed(1)
    stem = torch.rand(len(index), 8, 2 * CANVAS_CELLS, 2 * CANVAS_CELLS, generator=generator).half()
    content = torch.zeros(len(index), CANVAS_CELLS, CANVAS_CELLS, dtype=torch.bool)
    for view, (volume, _) in enumerate(index):
        spacing = volumes[volume].spacing_mm
        _, rows, columns = volumes[volume].values.shape
        content[view, : int(rows * spacing[1] / CELL_MM), : int(columns * spacing[2] / CELL_MM)] = True
    z = np.array([p * volumes[v].spacing_mm[0] for v, p in index])
    to_cell = np.broadcast_to(np.eye(2, 3) / CELL_MM, (len(index), 2, 3))
    return ViewSet(stem, content, index[:, 0], index[:, 1], z, to_cell)


def scan(name: str, slices: int = 6, modality: str = "CT", region: str = "CHEST", **known: object) -> Volume:
    """Return a scan of nothing that is 288 x 288 mm wide."""
    values = np.zeros((slices, 72, 72), np.int16)
    return Volume(
        name,
        values,
        (3.0, 4.0, 4.0),
        modality,
        constant_regions(slices, region),
        **known,  # type: ignore[arg-type]
    )


def plain_volumes() -> list[Volume]:
    return [scan("ct"), scan("mr", modality="MR", region="HEAD")]


def labelled_volumes() -> list[Volume]:
    """Return scans of which some slices have a label, and films that have one each; 20 patients."""
    none = np.full(6, -1)
    named = [np.array([0, 0, 1, 1, -1, -1]), None, np.array([1, 1, 0, 0, 0, 0]), np.array([1] * 6)]
    scans = [
        scan(f"ct {v}", modality="OT" if v == 1 else "CT", image_labels=labels, patient=f"{v // 2}")
        for v, labels in enumerate(named)
    ]
    return scans + [
        Volume(
            *("film", np.zeros((1, 72, 72), np.int16), (1.0, 4.0, 4.0), "DX", none[:1]),
            image_labels=np.array([v % 2]),
        )
        for v in range(18)
    ]


def trainer_of(volumes: list[Volume], config: TrainingConfig = CONFIG, device: str = "cpu") -> Trainer:
    return Trainer(NETWORK, tiny_backbone(), config, PAIRS, views_of(volumes), volumes, device)


def fresh_trainer_of(
    volumes: list[Volume], workers: int = 0, config: TrainingConfig = CONFIG, device: str = "cpu"
) -> Trainer:
    """Return a trainer that renders new views for every step; two views of each slice are kept."""
    slices = slice_views(volumes, PITCH_MM, lambda done, total: None)
    rows = np.repeat(np.arange(len(slices.plane)), 2)
    fresh = Fresh(slices, rows, tiny_backbone().to(device), PITCH_MM, workers)
    views = views_of(volumes)
    return Trainer(NETWORK, tiny_backbone(), config, PAIRS, views, volumes, device, fresh=fresh)


def as_read(state: dict[str, object]) -> dict[str, object]:
    """Return a state as a checkpoint's file gives it back."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    loaded: dict[str, object] = torch.load(buffer, weights_only=True)
    return loaded
