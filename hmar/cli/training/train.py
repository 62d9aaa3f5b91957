"""``hmar train``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.training.carrying import carried, plan_of_carrying
from hmar.cli.training.device import device_option
from hmar.cli.training.open_ct import OPEN_CT_FOLDER, open_ct_folder
from hmar.cli.training.sources import Sources, check_enough, gather
from hmar.errors import ParameterError
from hmar.library.extras import extra_train

if TYPE_CHECKING:
    from hmar.model.backbones.base import Backbone
    from hmar.training.config import TrainingConfig
    from hmar.training.export.card import Origin

Say = Callable[[str], None]
_RADIMAGENET = "radimagenet:"
_PRESETS = ("open-ct", "lesions", "structures", "archive", "quick")


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
@click.option(
    "--preset",
    type=click.Choice(_PRESETS),
    show_default="open-ct, or archive with --archive or --data",
    help="Named settings: open-ct (positions, the backbone's weights as published), lesions (the same, and "
    "outlined lesions against everything else; the shipped model is trained so), structures (labelled "
    "structures, with the backbone's last blocks), archive, or quick (a few steps, to see that it runs).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the model to write; its name becomes the model's name. Needed but for --dry-run.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    help="Train on what lies in this folder: DICOM series, NIfTI, pictures, with masks, contours, boxes and "
    "labels. May be given several times.",
)
@click.option(
    "--archive",
    metavar="COLLECTION",
    help="Train on this collection of the archive: its CT and MR series, and its labelled images.",
)
@click.option(
    "--with-open-ct",
    is_flag=True,
    help="Train on the open CT volumes too, besides --data or --archive.",
)
@click.option(
    "--open-ct",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=f"HMAR_HOME/{OPEN_CT_FOLDER}",
    help="Folder of the open CT volumes and of the backbone's published weights, fetched into it where they "
    "are missing.",
)
@click.option(
    "--carry-labels",
    is_flag=True,
    help="Give CT volumes without labels of structures those of the labelled ones, by registration, before "
    "training begins: about half a minute for each, once.",
)
@click.option("--dry-run", is_flag=True, help="Say what there is to train on and what is left out, and stop.")
@click.option(
    "--stage",
    type=click.Choice(["1", "2", "both"]),
    default="both",
    show_default=True,
    help="Train on whole frames (1), on regions (2, which goes on from 1), or on one after the other.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where a run into --out was interrupted, with the same settings and data.",
)
@device_option("auto", "Where to compute")
@click.option(
    "--views",
    type=click.IntRange(2, 64),
    default=6,
    show_default=True,
    help="Augmented views of each slice; all are kept in memory.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Make new views for every step, in place of --views that are kept: for a GPU, and for thousands of "
    "slices.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    show_default="one less than the processor's cores",
    help="Processes that make the views of --fresh ahead; 0 makes them in the training process.",
)
@click.option(
    "--memory",
    type=click.FloatRange(0, min_open=True),
    metavar="GB",
    show_default="all that is free",
    help="Most memory that views may take; a run that needs more is refused before it starts.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    show_default="the settings'",
    help="Steps of stage 2: those that train the backbone's last blocks where they are trained, else those "
    "of the experts.",
)
@click.option("--seed", type=click.IntRange(0), show_default="the settings'", help="Random seed.")
@click.option(
    "--init",
    type=InitType(),
    metavar=InitType.name,
    help="Start from the ResNet-50 or DenseNet-121 whose RadImageNet weights PATH holds.",
)
def train(
    config: Path | None,
    preset: str | None,
    out: Path | None,
    data: tuple[Path, ...],
    archive: str | None,
    with_open_ct: bool,
    open_ct: Path | None,
    carry_labels: bool,
    dry_run: bool,
    stage: str,
    resume: bool,
    device: str,
    views: int,
    fresh: bool,
    workers: int | None,
    memory: float | None,
    steps: int | None,
    seed: int | None,
    init: Path | None,
) -> None:
    """Train a model: on open CT volumes, on your own archive, or on folders of files.

    CONFIG is a TOML file of settings that differ from the preset's, such as settle_steps = 300. The backbone
    encodes augmented views of every slice; experts and router are trained in two stages: on whole frames,
    then on regions. Writes a sealed folder that HMAR_MODEL_DIR can name, with its card, its log
    (training.jsonl) and its curves (training.png), and checks that what serves the model computes the
    network's codes. Needs the extra "train".

    From an archive the model learns positions in CT and MR series of 8 and more evenly spaced slices; no
    label is needed. Images that were indexed with a label (hmar index --label) are learned from too, if there
    are two labels or more: slices of such series, and any other image by itself. Single images alone teach
    labels only.

    From folders (--data) it takes, at any depth and mixed, DICOM series and single slices, NIfTI with masks
    beside it, RT structure sets and DICOM segmentations, PNG masks, and tables of boxes and of labels;
    docs/data.md says how they are laid out. Before it begins it says what it found and what it leaves out;
    with --dry-run it stops there. All images of a patient stay together. The model's card names collections
    and licences, and data.json in its folder the SHA-256 of every file; neither names a patient.

    With --carry-labels, organs and large bones of the labelled CT volumes are carried to those without
    labels; what does not fit is left unknown. Maps between volumes are kept in HMAR_HOME/carried, so that
    another run on the same data does not look for them again.

    PATH of --init is one of RadImageNet's PyTorch files, or a state dict of either network with torchvision's
    names, .safetensors included. Nothing but tensors is read from it, and a file that does not fit is refused
    before anything is fetched or written. Without --init the backbone is EfficientNet-Lite0, as published.

    All views are kept in memory: for EfficientNet-Lite0 185 kB each, and 130 kB more once its last blocks no
    longer change, so that 10,000 images with --views 2 take 6 GB; feature maps of the other backbones are
    nine times as large. Fewer views take less. With --fresh, 1,200 views are kept at most. The others are
    made for each step by worker processes and encoded where the network is trained, which on a GPU is
    faster, and on a processor much slower.

    \b
    Examples:
      hmar train --out models/my-model
      HMAR_MODEL_DIR=models/my-model hmar serve
      hmar train --out models/organs --preset structures
      hmar index /data/fractures --collection films --label fracture
      hmar index /data/no-finding --collection films --label "no finding"
      hmar train --out models/our-films --archive films
      hmar train --data /data/ct --data /data/tumours --dry-run
      hmar train --data /data/ct --data /data/tumours --out models/our-ct
      hmar train --data /data/ct --with-open-ct --carry-labels --preset structures --out models/organs
      hmar train --out models/our-films --archive films --fresh --workers 8 --device cuda
      hmar train settings.toml --out models/my-model --resume
      hmar train --out models/my-resnet --init radimagenet:RadImageNet_pytorch/ResNet50.pt
    """
    if out is None and not dry_run:
        raise ParameterError("--out is missing.", "Give the folder of the model to write, or --dry-run.")
    if workers is not None and not fresh:
        raise ParameterError(f"--workers is {workers} without --fresh.", "Give --fresh, or leave it out.")
    own = bool(data) or archive is not None
    with extra_train("Training"):
        from hmar.training.data.folders.manifest import MANIFEST
        from hmar.training.data.fresh import default_workers
        from hmar.training.data.summary import Summary
        from hmar.training.device import choose_device
        from hmar.training.estimate import estimated_seconds, told_minutes
        from hmar.training.memory import GB
        from hmar.training.radimagenet import load_radimagenet
        from hmar.training.run import Plan
        from hmar.training.run import train as run
        from hmar.training.singles import suited
        from hmar.training.stages import stages_of

    settings = _settings(config, preset or ("archive" if own else "open-ct"), steps, seed)
    if carry_labels and not settings.learns_labels:
        raise ParameterError(
            "--carry-labels is given with settings that learn no labels.", "Give --preset structures."
        )
    plan = Plan(
        settings,
        views,
        stages_of(stage),
        resume,
        choose_device(device),
        fresh,
        default_workers() if workers is None else workers,
        None if memory is None else round(memory * GB),
    )
    given = None if init is None else load_radimagenet(init)  # refused before anything is fetched
    folder = open_ct_folder(open_ct)
    with progress_of(Console(stderr=True)) as progress:

        def say(line: str) -> None:
            progress(line, 0, 0)

        sources = Sources(data, archive, None if own and not with_open_ct else folder)
        gathered = gather(sources, settings, progress)
        if out is None or dry_run:
            found = Summary.of(gathered.volumes, settings).lines()
            planned = [plan_of_carrying(gathered)] if carry_labels else []
            click.echo("\n".join([*found, *planned, *gathered.left_out]))
            return
        if carry_labels:
            gathered = carried(gathered, progress)
        found = Summary.of(gathered.volumes, settings).lines()
        for line in (*found, *gathered.left_out):
            say(line)
        check_enough(gathered.volumes)
        backbone = _published(folder, settings, say) if given is None else given
        if not fresh:
            used = suited(settings, gathered.volumes)
            seconds = estimated_seconds(gathered.volumes, backbone, used, views, plan.device)
            say(f"{told_minutes(seconds)} on this machine")
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        if gathered.manifest is not None:
            (out / MANIFEST).write_bytes(gathered.manifest.to_json())
        fingerprint = run(out, gathered.volumes, backbone, _origin(gathered.said, init), plan, progress)
    click.echo(f"{out}: model {fingerprint}")


def _settings(config: Path | None, preset: str, steps: int | None, seed: int | None) -> TrainingConfig:
    """Return a preset's settings, changed by a file and then by options."""
    from hmar.training.config import PRESETS, read_config, with_steps

    settings = PRESETS[preset]
    if config is not None:
        settings = read_config(config, settings)
    if steps is not None:
        settings = with_steps(settings, steps)
    return settings if seed is None else replace(settings, seed=seed)


def _published(folder: Path, settings: TrainingConfig, say: Say) -> Backbone:
    """Return the published backbone that these settings start from, fetched where it is missing."""
    from hmar.training.data.open_ct import fetch_backbone, load_backbone

    fetch_backbone(folder, say)
    return load_backbone(folder, settings)


def _origin(source: str, init: Path | None) -> Origin:
    """Return where volumes and weights come from, for the model's card."""
    from hmar.training.export.card import LITE0, Origin, radimagenet_origin

    return Origin(source, LITE0, "ImageNet") if init is None else radimagenet_origin(source, init)
