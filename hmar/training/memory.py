"""How much memory views need, refused before a run that would not fit."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from hmar.errors import ConfigError
from hmar.model.backbones.base import Backbone
from hmar.training.config import TrainingConfig
from hmar.training.data.fresh import BATCHES_AHEAD, VIEW_BYTES
from hmar.training.data.render import CANVAS_CELLS, CANVAS_PIXELS
from hmar.training.stages import Stage

GB = 10**9

_HALF = 2
"""Bytes of a number in half precision, in which maps are kept."""

_WORKER_BYTES = 150 * 10**6
"""What a worker process takes besides its batches, about: memory that it does not share with the others."""

_FREE_KB = "MemAvailable:"
_SHARED = Path("/dev/shm")  # noqa: S108 - where Linux keeps the memory that processes share
_GROUP_LIMIT, _GROUP_USED = (Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory.current"))


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that views take at most.

    Parameters
    ----------
    kept : int
        Of views that are kept.
    ahead : int
        Of batches that workers have made ahead, in memory that processes share.
    workers : int
        Of the workers themselves.
    """

    kept: int
    ahead: int = 0
    workers: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.kept + self.ahead + self.workers

    def check(self, limit: int | None, remedy: str) -> None:
        """Refuse what does not fit.

        Parameters
        ----------
        limit : int or None
            Bytes that may be taken; None for all that are free, where the system tells.
        remedy : str

        Raises
        ------
        ConfigError
            If more is needed, or more shared memory than there is.
        """
        free = free_memory() if limit is None else limit
        if free is not None and self.total > free:
            whose = "are free" if limit is None else "may be used"
            raise ConfigError(
                f"The views need {_shown(self.total)}, and {_shown(free)} {whose}.", f"{remedy}."
            )
        shared = shutil.disk_usage(_SHARED).free if _SHARED.is_dir() else None
        if shared is not None and self.ahead > shared:
            raise ConfigError(
                f"Batches made ahead need {_shown(self.ahead)} of shared memory, and {_SHARED} has "
                f"{_shown(shared)}.",
                "Give fewer --workers, or a larger one: docker run --shm-size.",
            )


def need_of_kept(backbone: Backbone, config: TrainingConfig, views: int) -> int:
    """Return the bytes of views that are kept: what the stem makes of them and, in stage 3, the tail."""
    stem = copy.deepcopy(backbone).to("meta")
    made: torch.Tensor = stem.stem(torch.empty(1, 3, CANVAS_PIXELS, CANVAS_PIXELS, device="meta"))
    cells = CANVAS_CELLS**2
    cached = _HALF * backbone.channels * cells if _caches(backbone, config) else 0
    return views * (_HALF * made.numel() + cells + cached)


def need_of_fresh(config: TrainingConfig, workers: int) -> Need:
    """Return what views take that are rendered for every step, but for those that are kept besides."""
    pairs = max(stage.pairs(config) or config.pairs for stage in Stage if stage.steps(config))
    batch = 2 * pairs * VIEW_BYTES + (pairs * config.windows) ** 2
    return Need(0, workers * BATCHES_AHEAD * batch, workers * _WORKER_BYTES)


def free_memory() -> int | None:
    """Return the bytes that can be taken without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith(_FREE_KB))
    except (OSError, StopIteration):
        return None
    return free if (left := _left_of_group()) is None else min(free, left)


def _left_of_group() -> int | None:
    """Return what a container's limit leaves; None without one."""
    try:
        limit, used = (path.read_text("ascii").strip() for path in (_GROUP_LIMIT, _GROUP_USED))
    except OSError:
        return None
    return None if limit == "max" else max(0, int(limit) - int(used))


def _caches(backbone: Backbone, config: TrainingConfig) -> bool:
    return bool(backbone.tail_modules()) and Stage.EXPERTS.steps(config) > 0


def _shown(count: int) -> str:
    return f"{count / GB:.1f} GB"
