"""The option ``--device``."""

from __future__ import annotations

from collections.abc import Callable

import click


def device_option(default: str, what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option of a command that computes with torch.

    Parameters
    ----------
    default : str
        auto, cpu or cuda.
    what : str
        Begins the line of help.
    """
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default=default,
        show_default=True,
        help=f"{what}; auto takes a GPU if torch sees one.",
    )
