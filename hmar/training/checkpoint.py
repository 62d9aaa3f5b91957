"""Checkpoints: everything that the next step depends on, in a file that is replaced atomically."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from hmar.errors import ConfigError
from hmar.files import new_file
from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.volumes import Volume
from hmar.training.stages import Stage

CHECKPOINT = "checkpoint.pt"

_FORMAT = 2
"""Of checkpoints; a run does not resume from one of another."""

State = dict[str, Any]
"""What a run resumes from, in types that load without unpickling code."""


@dataclass(slots=True)
class Progress:
    """How far a stage has come.

    Parameters
    ----------
    kept : dict of str to Tensor
        The averaged weights that validation found best.
    step : int
        The last step of which validation is known; 0 at first.
    best : float
        What validation found of the kept weights; below 0 at first.
    waited : int
        Validations in a row without improvement.
    kept_step : int
        The step that the kept weights are of; 0 for the start.
    """

    kept: dict[str, Tensor]
    step: int = 0
    best: float = -1.0
    waited: int = 0
    kept_step: int = 0

    def note(self, found: float | None, averaged: HmarNetwork) -> None:
        """Keep the averaged weights where validation found them better than the best so far.

        Trained ones are better than the start where it cannot tell them apart. Where nothing is held out
        (None), the last weights are the best known.
        """
        equal_to_start = self.kept_step == 0 and found == self.best
        if found is None or found > self.best or equal_to_start:
            self.best = self.best if found is None else found
            self.waited = 0
            self.kept_step = self.step
            self.kept = {name: tensor.clone() for name, tensor in averaged.state_dict().items()}
        else:
            self.waited += 1


class Stateful(Protocol):
    """A stage's work, as far as a checkpoint needs to know it."""

    stage: Stage

    def state(self) -> dict[str, Any]:
        """Return what the work depends on besides weights and optimiser."""

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Everything that a stage changes, and that a checkpoint therefore holds."""

    network: HmarNetwork
    averaged: HmarNetwork
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    work: Stateful
    device: torch.device

    def state(self, progress: Progress) -> State:
        """Return the state of the stage."""
        return {
            "stage": int(self.work.stage),
            "step": progress.step,
            "best": progress.best,
            "waited": progress.waited,
            "kept_step": progress.kept_step,
            "kept": progress.kept,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "work": self.work.state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }

    def restore(self, state: State) -> Progress:
        """Set all parts to a state that :meth:`state` returned, and return how far it was."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.work.restore(state["work"])
        torch.set_rng_state(state["torch"])
        if self.device.type == "cuda" and state["cuda"] is not None:  # None where a processor went before
            torch.cuda.set_rng_state(state["cuda"], self.device)
        return Progress(state["kept"], state["step"], state["best"], state["waited"], state["kept_step"])


def run_key(
    config: TrainingConfig, views_per_slice: int, volumes: Sequence[Volume], backbone: str
) -> dict[str, Any]:
    """Return what a run must have in common with the one that it resumes; the stages may differ.

    Parameters
    ----------
    config : TrainingConfig
    views_per_slice : int
    volumes : sequence of Volume
        All but their names is hashed.
    backbone : str
        Its name.
    """
    data, views = hashlib.sha256(), views_per_slice
    for volume in volumes:
        data.update(repr((volume.values.shape, volume.spacing_mm, volume.modality, volume.patient)).encode())
        data.update(bytes([volume.presented, volume.carried]))
        for array in (volume.values, volume.regions, volume.labels, volume.image_labels):
            data.update(b"none" if array is None else np.ascontiguousarray(array).data)
    return {
        "format": _FORMAT,
        "config": asdict(config),
        "views": views,
        "data": data.hexdigest(),
        "backbone": backbone,
    }


def write_checkpoint(folder: Path, key: dict[str, Any], log: list[dict[str, Any]], state: State) -> None:
    """Write a checkpoint into a run's folder: whole, or not at all."""
    with new_file(folder / CHECKPOINT) as file:
        torch.save({"plan": key, "log": log, "trainer": state}, file)


def read_checkpoint(folder: Path, key: dict[str, Any]) -> tuple[list[dict[str, Any]], State]:
    """Return the log and the state of an earlier run.

    Parameters
    ----------
    folder : Path
        Of the run.
    key : dict
        As :func:`run_key` returns it.

    Raises
    ------
    ConfigError
        If the folder holds no checkpoint, or one of other settings or data.
    """
    file = folder / CHECKPOINT
    if not file.is_file():
        raise ConfigError(f"{folder} holds no interrupted run.", "Leave --resume out to start one.")
    kept = torch.load(file, map_location="cpu", weights_only=True)
    if kept["plan"] != key:
        raise ConfigError(
            f"The run in {folder} was started with other settings, on other data, or by another version.",
            "Give the settings it was started with, or leave --resume out to start anew.",
        )
    return kept["log"], kept["trainer"]
