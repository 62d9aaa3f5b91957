"""Registration: the map that lays one person's body on another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hmar.training.carrying.bands import BONE, SOFT, Bands, bands_of
from hmar.training.carrying.similarity import bending, correlation, local_correlation
from hmar.training.carrying.start import find_starts
from hmar.training.carrying.transform import Transform, control_points
from hmar.training.data.volumes import Volume


@dataclass(frozen=True, slots=True)
class Fit:
    """How a map is fitted.

    Parameters
    ----------
    coarse_mm, fine_mm : float
        Cells of the grid that affine maps are fitted on, and of that which bent maps are.
    starts : int
        Affine maps that are tried, from different places along the body.
    first_steps, affine_steps, bent_steps : int
        Steps of each start, of the best of them, and of the map that bends.
    spacing_mm : float
        Distance of control points.
    box : int
        Cells along each side of the boxes in which soft tissue is compared.
    hard_weight, size_weight, bending_weight : float
        Weights of bone and lung beside 1 for soft tissue, of changes of size, and of bending.
    """

    coarse_mm: float = 8.0
    fine_mm: float = 6.0
    starts: int = 3
    first_steps: int = 15
    affine_steps: int = 30
    bent_steps: int = 80
    spacing_mm: float = 36.0
    box: int = 5
    hard_weight: float = 1.0
    size_weight: float = 1.0
    bending_weight: float = 0.003


DEFAULT = Fit()


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A map that was found, and how well it fits.

    Parameters
    ----------
    transform : Transform
        From places of a volume to the same places of another person's.
    misfit : float
        See :func:`misfit`.
    """

    transform: Transform
    misfit: float


def register(target: Volume, atlas: Volume, fit: Fit = DEFAULT) -> Registration | None:
    """Return the map from places of a CT volume to the same places of another person's.

    Parameters
    ----------
    target, atlas : Volume
        CT.
    fit : Fit

    Returns
    -------
    Registration or None
        None where one of them shows no body, or they share none of it.
    """
    own, other = bands_of(target, fit.coarse_mm), bands_of(atlas, fit.coarse_mm)
    with torch.enable_grad():
        starts = find_starts(own, other, fit.starts)
        if not starts:
            return None
        tried = [fit_affine(own, other, start, fit.first_steps, fit) for start in starts]
        best = min(tried, key=lambda one: float(misfit(own, other, one, fit)))
        best = fit_affine(own, other, best, fit.affine_steps, fit)
        own, other = bands_of(target, fit.fine_mm), bands_of(atlas, fit.fine_mm)
        found = fit_bent(own, other, best, fit)
    return Registration(found, float(misfit(own, other, found, fit)))


def misfit(target: Bands, atlas: Bands, tried: Transform, fit: Fit) -> Tensor:
    """Return how badly a map lays a body on another's: 0 at best, about 2 for unrelated ones."""
    points = tried.on_grid(*(target.centres_mm(axis) for axis in range(3)))
    warped, seen = atlas.at(points)
    weight = target.body * seen
    soft = local_correlation(target.channels[SOFT], warped[SOFT], weight, fit.box)
    hard = correlation(target.channels[BONE:], warped[BONE:], weight)
    return (1 - soft) + fit.hard_weight * (1 - hard)


def fit_affine(target: Bands, atlas: Bands, start: Transform, steps: int, fit: Fit) -> Transform:
    """Return an affine map near a start; it turns about the middle of the target."""
    middle = target.start_mm + target.size_mm / 2
    centre = start.linear @ middle + start.offset
    turn, shift = torch.zeros(3, 3, requires_grad=True), torch.zeros(3, requires_grad=True)

    def changed() -> Transform:
        linear = start.linear + turn
        return replace(start, linear=linear, offset=centre + shift - linear @ middle)

    optimiser = torch.optim.Adam([{"params": [turn], "lr": 0.01}, {"params": [shift], "lr": 2.0}])
    _minimise(
        optimiser,
        lambda: misfit(target, atlas, changed(), fit) + fit.size_weight * turn.square().sum(),
        steps,
    )
    with torch.no_grad():
        return changed()


def fit_bent(target: Bands, atlas: Bands, start: Transform, fit: Fit) -> Transform:
    """Return a map that bends, near an affine start."""
    control = control_points(target.start_mm + target.size_mm, fit.spacing_mm).requires_grad_()
    bent = replace(start, control=control, spacing_mm=fit.spacing_mm)
    _minimise(
        torch.optim.Adam([control], lr=1.5),
        lambda: misfit(target, atlas, bent, fit) + fit.bending_weight * bending(control),
        fit.bent_steps,
    )
    return replace(bent, control=control.detach())


def _minimise(optimiser: torch.optim.Optimizer, loss: Callable[[], Tensor], steps: int) -> None:
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
