"""Training steps: on views that are kept, and on new ones from worker processes, with what each waits for."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.speed.phantom import SIDE, phantom_frame
from benchmark.speed.resident import resident_bytes
from benchmark.speed.timing import Milliseconds, Rounds, speed_row
from benchmark.types import Progress
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.training.config import PRESETS, TrainingConfig
from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.run import LOG, Plan, train_network
from hmar.training.stages import Stage

KEPT = "views that are kept"
GB = 10**9
_BUNCH = {"cpu": 1, "cuda": 10}
"""Steps whose time is taken together, by device: on a GPU, losses are read once in ten steps."""

SLICES = 24
_VOLUMES = 2
_STRUCTURES = (-100, 0, 60, 300)
"""HU that part the phantom into structures, so that labels are varied and learned as real ones are."""

_MEASURED = (Stage.REGIONS, Stage.EXPERTS)


@dataclass(frozen=True, slots=True)
class Timed:
    """What a run took in one stage.

    Parameters
    ----------
    step_ms : ndarray of float64
        Of a step, the mean of each round.
    waiting : float
        Share of that time in which the step waited for its batch.
    memory_gb : float
        Of the process and its workers, what they share counted once.
    gpu_gb : float or None
        The most that tensors took on the GPU.
    """

    step_ms: Milliseconds
    waiting: float
    memory_gb: float
    gpu_gb: float | None

    def quality(self) -> dict[str, object]:
        """Return the figures beside the times."""
        shown: dict[str, object] = {
            "steps/s": round(1000 / float(self.step_ms.mean()), 2),
            "share of time waiting for data": round(self.waiting, 3),
            "memory of all processes (GB)": round(self.memory_gb, 2),
        }
        return shown if self.gpu_gb is None else shown | {"memory of the GPU (GB)": round(self.gpu_gb, 2)}


def measure_train(
    device: str,
    workers: Sequence[int],
    rounds: Rounds,
    progress: Progress,
    slices: int = SLICES,
    config: TrainingConfig = PRESETS["structures"],
) -> list[dict[str, object]]:
    """Time steps of stages 2 and 3 on phantoms and random weights of Lite0.

    Parameters
    ----------
    device : str
        "cpu" or "cuda".
    workers : sequence of int
        Numbers of worker processes that new views are timed with.
    rounds : Rounds
        A round is a step on a processor, and ten on a GPU.
    progress : Progress
    slices : int
        Of each of two volumes.
    config : TrainingConfig
        Settings, but for the numbers of steps.
    """
    plan = Plan(_settings(config, rounds, device), views_per_slice=2, device=device)
    plans = {KEPT: plan} | {
        f"new views, {count} workers": replace(plan, fresh=True, workers=count) for count in workers
    }
    volumes = [_phantom(number, slices) for number in range(_VOLUMES)]
    timed = {name: _run(volumes, each, name, rounds, progress) for name, each in plans.items()}
    return [_row(name, stage, timed, plan, rounds) for stage in _MEASURED for name in plans]


def _settings(config: TrainingConfig, rounds: Rounds, device: str) -> TrainingConfig:
    # One step more than is timed: the last is reported after a validation.
    steps = rounds.total * _BUNCH[device] + 1
    return replace(
        config,
        initial_batches=8,
        image_steps=0,
        region_steps=steps,
        settle_steps=steps,
        evaluate_every=steps,
    )


def _phantom(number: int, slices: int) -> Volume:
    frames = [phantom_frame(number * slices + plane, SIDE) for plane in range(slices)]
    values = np.stack([np.rint(frame.values) for frame in frames]).astype(np.int16)
    labels = (np.digitize(values, _STRUCTURES) - 1).astype(np.int16)
    spacing = (3.0, 0.75, 0.75)
    return Volume(f"phantom {number}", values, spacing, "CT", constant_regions(slices, "CHEST"), labels)


def _run(
    volumes: list[Volume], plan: Plan, name: str, rounds: Rounds, progress: Progress
) -> dict[Stage, Timed]:
    """Train a network from random weights, whose steps take as long as those of any other."""
    ended: dict[str, list[float]] = {}
    memory: dict[str, float] = {}

    def tell(what: str, done: int, total: int) -> None:
        stage = what.partition(",")[0]
        if stage.startswith("stage"):
            ended.setdefault(stage, []).append(time.perf_counter())
            if done == total - 1:
                memory[stage] = resident_bytes() / GB
        progress(f"train, {name}, {what}", done, total)

    torch.manual_seed(0)
    backbone = Lite0Backbone().eval().requires_grad_(False)
    if plan.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory(prefix="hmar-speed-") as folder:
        train_network(volumes, backbone, plan, tell, Path(folder))
        log = [json.loads(line) for line in Path(folder, LOG).read_text("utf-8").splitlines()]
    gpu = torch.cuda.max_memory_allocated() / GB if plan.device == "cuda" else None
    return {stage: _timed(stage, plan, rounds, ended, log, memory, gpu) for stage in _MEASURED}


def _timed(
    stage: Stage,
    plan: Plan,
    rounds: Rounds,
    ended: dict[str, list[float]],
    log: list[dict[str, Any]],
    memory: dict[str, float],
    gpu: float | None,
) -> Timed:
    """Take a stage's time from the ends of its rounds: those of the steps of a round may come together."""
    key, bunch = f"stage {int(stage)}", _BUNCH[plan.device]
    marks = np.array(ended[key])[bunch - 1 :: bunch][rounds.warm_up - 1 : rounds.total]
    waits = [line["wait_ms"] for line in log if line["stage"] == stage]
    waited_s = sum(waits[rounds.warm_up * bunch : rounds.total * bunch]) / 1000
    return Timed(1000 * np.diff(marks) / bunch, waited_s / float(marks[-1] - marks[0]), memory[key], gpu)


def _row(
    name: str, stage: Stage, timed: dict[str, dict[Stage, Timed]], plan: Plan, rounds: Rounds
) -> dict[str, object]:
    own, peer = timed[name][stage], timed[KEPT][stage]
    pairs = stage.pairs(plan.config) or plan.config.pairs
    return speed_row(
        "train",
        name,
        KEPT,
        own.step_ms,
        peer.step_ms,
        rounds,
        setting=f"stage {int(stage)}, {2 * pairs} views of {plan.config.windows} windows, on {plan.device}; "
        f"steps of a round: {_BUNCH[plan.device]}",
        threads=torch.get_num_threads(),
        quality=own.quality(),
    )
