"""The benchmark in a minute, without images or network: a few synthetic patterns, and short training."""

from __future__ import annotations

import copy
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.datasets.manifest import MANIFEST
from benchmark.types import Peer

SIDE = 96
SIDES = {"train": 5, "val": 2, "test": 3}
"""Groups of each class in each split."""
IMAGES = 2
STEPS = 40
"""Of training, for every peer that trains."""
NAME = "synthetic pictures, to check that it runs"
"""Of the data set, in tables, rows and reports, so that nobody takes its figures for results."""
_CLASSES = ("rings", "stripes", "spots", "plain")


def shortened(peer: Peer) -> Peer:
    """Return a peer that trains for a few steps only; one that does not train is unchanged."""
    brief = copy.copy(peer)
    if hasattr(peer, "schedule"):
        brief.schedule = replace(peer.schedule, least=STEPS, most=STEPS)  # type: ignore[attr-defined]
    if hasattr(peer, "training"):
        brief.training = replace(peer.training, label_steps=STEPS)  # type: ignore[attr-defined]
    return brief


def write_quick(folder: Path) -> None:
    """Draw 80 grey pictures of four patterns, and list them in a manifest with groups and splits.

    The pictures of a group differ only in noise; groups differ in position, size and direction. They are
    synthetic: figures on them show that the benchmark runs, and nothing else.
    """
    random = np.random.default_rng(0)
    rows = []
    for number, (label, side, group) in enumerate(_groups()):
        clean = _draw(label, random)
        for image in range(IMAGES):
            name = f"{number:03}-{image}.png"
            noisy = np.clip(clean + random.normal(0, 0.06, clean.shape), 0, 1)
            Image.fromarray(np.rint(255 * noisy).astype(np.uint8)).save(folder / name)
            rows.append((name, label, group, side))
    with (folder / MANIFEST).open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("path", "label", "group", "split"), *rows])


def _groups() -> Iterator[tuple[str, str, str]]:
    for label in _CLASSES:
        for side, groups in SIDES.items():
            for group in range(groups):
                yield label, side, f"{label}-{side}-{group}"


def _draw(label: str, random: np.random.Generator) -> NDArray[np.float64]:
    """Return a picture (SIDE, SIDE) of values from 0 to 1: a bright disc that holds a pattern."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 - random.uniform(-10, 10, (2, 1, 1))
    radius = np.hypot(rows, columns)
    angle, period = random.uniform(0, np.pi), random.uniform(8, 14)
    along = np.cos(angle) * rows + np.sin(angle) * columns
    across = np.cos(angle) * columns - np.sin(angle) * rows
    turn = 2 * np.pi / period
    patterns = {
        "rings": np.cos(turn * radius),
        "stripes": np.cos(turn * along),
        "spots": 2 * np.cos(turn * along) * np.cos(turn * across),
        "plain": np.zeros_like(radius),
    }
    picture: NDArray[np.float64] = np.where(
        radius < random.uniform(30, 44), 0.55 + 0.25 * patterns[label], 0.05
    )
    return np.clip(picture, 0, 1)
