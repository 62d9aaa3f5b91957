"""``hmar train``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model to write.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the volumes; HMAR_HOME/open-ct.")
@click.option(
    "--views", type=click.IntRange(2, 64), default=6, show_default=True, help="Views of each slice."
)
@click.option("--steps", type=click.IntRange(1), help="Steps of stage 2, in place of the default.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all that is drawn, in place of the default.")
def train(out: Path, data: Path | None, views: int, steps: int | None, seed: int | None) -> None:
    """Train a model on the open CT volumes, as the shipped one was.

    Needs the extra "train". Fetches the volumes, encodes views of them with the published trunk, trains the
    experts and the router in two stages, and writes a sealed folder that HMAR_MODEL_DIR can name.

    \b
    Examples:
      hmar train --out models/my-model
      HMAR_MODEL_DIR=models/my-model hmar serve
    """
    try:
        from hmar.training.run import train_open_ct
        from hmar.training.stages import TrainingConfig
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Training needs {error.name}, which is not installed.", "Run: pip install 'hmar-search[train]'"
        ) from error
    config = TrainingConfig()
    if steps is not None:
        config = replace(config, region_steps=steps)
    if seed is not None:
        config = replace(config, seed=seed)
    folder = data or settings_from_environment().home / "open-ct"
    with progress_of(Console(stderr=True)) as progress:
        fingerprint = train_open_ct(out, folder, config, views, progress)
    click.echo(f"{out}: model {fingerprint}")


@contextmanager
def progress_of(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what shows (what, done, total): a bar with the time left, or a line at every tenth in a log."""
    if not console.is_terminal:
        yield _log_tenths(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            key = what.split(",")[0]
            if key not in tasks:
                tasks[key] = bar.add_task(what)
            bar.update(tasks[key], description=what, completed=done, total=total or None)

        yield show


def _log_tenths(console: Console) -> Callable[[str, int, int], None]:
    def show(what: str, done: int, total: int) -> None:
        if total == 0 or 10 * done // total > 10 * (done - 1) // total:
            console.print(f"{what}: {done} of {total}" if total else what, highlight=False)

    return show
