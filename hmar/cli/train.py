"""``hmar train``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError, ParameterError
from hmar.wiring import build_engine

if TYPE_CHECKING:
    from hmar.training.data.volumes import Volume

_RADIMAGENET = "radimagenet:"
_PRESETS = ("open-ct", "structures", "archive", "quick")


class InitType(click.ParamType[Path]):
    """A backbone's weights as ``radimagenet:PATH``."""

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
@click.argument("config", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--preset", type=click.Choice(_PRESETS), help="Settings; open-ct, or archive with --archive.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model to write.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the volumes; HMAR_HOME/open-ct.")
@click.option(
    "--archive",
    metavar="COLLECTION",
    help="Train on this collection of the archive, with the labels of its images.",
)
@click.option("--stage", type=click.Choice(["1", "2", "both"]), default="both", show_default=True)
@click.option("--resume", is_flag=True, help="Go on where a run into --out was interrupted.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where."
)
@click.option(
    "--views", type=click.IntRange(2, 64), default=6, show_default=True, help="Views of each slice."
)
@click.option("--steps", type=click.IntRange(1), help="Steps of stage 2, in place of the settings'.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all that is drawn, in place of the settings'.")
@click.option("--init", type=InitType(), help="Start from this backbone, in place of EfficientNet-Lite0.")
def train(
    config: Path | None,
    preset: str | None,
    out: Path,
    data: Path | None,
    archive: str | None,
    stage: str,
    resume: bool,
    device: str,
    views: int,
    steps: int | None,
    seed: int | None,
    init: Path | None,
) -> None:
    """Train a model: on open CT volumes, or on your own archive.

    Needs the extra "train". CONFIG is a TOML file of settings that differ from the preset's. The published
    backbone encodes views of every slice; experts and router are trained in two stages: on whole frames,
    then on regions. "open-ct" finds places again, with the backbone's weights as published; "structures" and
    "archive" train its last blocks too, "structures" to find what volumes label. From an archive it also
    learns the labels that images were indexed with (hmar index --label). Writes a sealed folder that
    HMAR_MODEL_DIR can name, with its log and curves. With --init radimagenet:PATH the backbone is the
    ResNet-50 or DenseNet-121 whose RadImageNet weights PATH holds.

    \b
    Examples:
      hmar train --out models/my-model
      hmar train --out models/organs --preset structures
      hmar train --out models/our-site --archive default
      hmar train settings.toml --out models/my-model --resume
      HMAR_MODEL_DIR=models/my-model hmar serve
    """
    try:
        from hmar.training.config import PRESETS, read_config, with_steps
        from hmar.training.data.open_ct import fetch_backbone, fetch_open_ct, load_backbone, load_open_ct
        from hmar.training.device import choose_device
        from hmar.training.export.card import LITE0, OPEN_CT, Origin, radimagenet_origin
        from hmar.training.radimagenet import load_radimagenet
        from hmar.training.run import Plan
        from hmar.training.run import train as run
        from hmar.training.stages import stages_of
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Training needs {error.name}, which is not installed.", "Run: pip install 'hmar-search[train]'"
        ) from error
    if archive is not None and data is not None:
        raise ParameterError("--archive and --data are both given.", "Give one of the two.")
    chosen = PRESETS[preset or ("open-ct" if archive is None else "archive")]
    chosen = chosen if config is None else read_config(config, chosen)
    chosen = chosen if steps is None else with_steps(chosen, steps)
    chosen = chosen if seed is None else replace(chosen, seed=seed)
    plan = Plan(chosen, views, stages_of(stage), resume, choose_device(device))
    backbone = None if init is None else load_radimagenet(init)
    folder = data or settings_from_environment().home / "open-ct"
    with progress_of(Console(stderr=True)) as progress:

        def say(line: str) -> None:
            progress(line, 0, 0)

        if archive is None:
            fetch_open_ct(folder, say)
            volumes, said = load_open_ct(folder), OPEN_CT
        else:
            volumes = _archive(
                archive, say, labels=max(chosen.structure_weight, chosen.structure_contrast) > 0
            )
            said = f"Series of the collection {archive!r} of a site's own archive."
        if backbone is None:
            fetch_backbone(folder, say)
            backbone = load_backbone(folder, chosen)
        origin = Origin(said, LITE0, "ImageNet") if init is None else radimagenet_origin(said, init)
        fingerprint = run(out, volumes, backbone, origin, plan, progress)
    click.echo(f"{out}: model {fingerprint}")


def _archive(collection: str, say: Callable[[str], None], *, labels: bool) -> list[Volume]:
    from hmar.training.data.archive import archive_volumes

    engine = build_engine(settings_from_environment())
    fingerprint = engine.encoder.fingerprint
    return archive_volumes(engine.catalogue, engine.frame, collection, fingerprint, say, labels=labels)
