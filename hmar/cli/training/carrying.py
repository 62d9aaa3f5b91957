"""``--carry-labels`` of ``hmar train``: labels for the volumes that have none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hmar.cli.settings import settings_from_environment
from hmar.cli.training.sources import Gathered, Progress

if TYPE_CHECKING:
    from hmar.training.carrying.kept_maps import KeptMaps

CARRIED_FOLDER = "carried"
"""Folder in HMAR_HOME of the maps between volumes."""


def plan_of_carrying(gathered: Gathered) -> str:
    """Return a sentence on who would get labels and how long it takes; raises as :func:`carried`."""
    from hmar.training.carrying.carry import plan_carrying

    return plan_carrying(gathered.volumes, gathered.structures, _maps()).line()


def carried(gathered: Gathered, progress: Progress) -> Gathered:
    """Return what the sources gave with labels for volumes that had none; the model's card says so.

    Raises
    ------
    NotFoundError
        If no volume has labels that can be carried.
    """
    from hmar.training.carrying.carry import carry_labels, plan_carrying

    maps = _maps()
    progress(plan_carrying(gathered.volumes, gathered.structures, maps).line(), 0, 0)
    done = carry_labels(gathered.volumes, gathered.structures, maps, progress)
    progress(done.line(), 0, 0)
    return replace(gathered, volumes=done.volumes, said=f"{gathered.said}\n\n{done.line()}")


def _maps() -> KeptMaps:
    from hmar.training.carrying.kept_maps import KeptMaps

    return KeptMaps(settings_from_environment().home / CARRIED_FOLDER)
