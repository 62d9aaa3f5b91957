"""``hmar train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError, ParameterError

_RADIMAGENET = "radimagenet:"


class InitType(click.ParamType[Path]):
    """A trunk's weights as ``radimagenet:PATH``."""

    name = "radimagenet:PATH"

    def convert(self, value: object, _param: click.Parameter | None, _ctx: click.Context | None) -> Path:
        """Return the path; raises ParameterError for any other source of weights."""
        if isinstance(value, Path):
            return value
        text = str(value)
        if not text.startswith(_RADIMAGENET) or text == _RADIMAGENET:
            raise ParameterError(f"The weights to start from are {text!r}.", "Give radimagenet:PATH.")
        return Path(text.removeprefix(_RADIMAGENET))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model to write.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the volumes; HMAR_HOME/open-ct.")
@click.option(
    "--views", type=click.IntRange(2, 64), default=6, show_default=True, help="Views of each slice."
)
@click.option("--steps", type=click.IntRange(1), help="Steps of stage 2, in place of the default.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all that is drawn, in place of the default.")
@click.option("--init", type=InitType(), help="Start from this trunk, in place of EfficientNet-Lite0.")
def train(
    out: Path, data: Path | None, views: int, steps: int | None, seed: int | None, init: Path | None
) -> None:
    """Train a model on the open CT volumes, as the shipped one was.

    Needs the extra "train". Fetches the volumes, encodes views of them with the published trunk, trains the
    experts and the router in two stages, and writes a sealed folder that HMAR_MODEL_DIR can name. With
    --init radimagenet:PATH the trunk is the ResNet-50 or DenseNet-121 whose RadImageNet weights PATH holds.

    \b
    Examples:
      hmar train --out models/my-model
      HMAR_MODEL_DIR=models/my-model hmar serve
      hmar train --out models/my-resnet --init radimagenet:ResNet50.pt
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
        fingerprint = train_open_ct(out, folder, config, views, progress, init)
    click.echo(f"{out}: model {fingerprint}")
