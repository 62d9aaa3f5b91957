"""Saying what typicality was measured from."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hmar.training.typicality.gathering import FittedReferences


def print_fitted(fitted: FittedReferences, tells: Collection[str] = ()) -> None:
    """Say of how many frames and people references are; of kinds in ``tells`` a model has had its own."""
    for kind, count in fitted.fitted.items():
        click.echo(f"{kind}: typicality is measured from {count}.")
    for kind, count in fitted.too_few.items():
        said = "measured as before" if kind in tells else "not told"
        click.echo(f"{kind}: {count}, too few; typicality is {said}.")
    if fitted.unread:
        click.echo(f"{fitted.unread} frames could not be read.")
