"""What ``hmar train`` trains on: open CT volumes, an archive's collection, folders, or several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from hmar.cli.settings import settings_from_environment
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import NotFoundError
from hmar.secrets import KEY_BYTES
from hmar.wiring import build_engine

if TYPE_CHECKING:
    from hmar.training.config import TrainingConfig
    from hmar.training.data.folders.manifest import Manifest
    from hmar.training.data.vocabulary import Vocabulary
    from hmar.training.data.volumes import Volume

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to train from.

    Parameters
    ----------
    data : sequence of Path
        Folders of files.
    archive : str or None
        A collection of the archive.
    open_ct : Path or None
        Folder of the open CT volumes, where they are trained on.
    """

    data: Sequence[Path]
    archive: str | None
    open_ct: Path | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the sources gave.

    Parameters
    ----------
    volumes : list of Volume
    said : str
        What the model's card says of them.
    left_out : list of str
        Lines on what of the folders is not used, and why.
    manifest : Manifest or None
        Of the files in folders; None without folders.
    structures : tuple of str
        Names of structures, by the numbers of the labels.
    """

    volumes: list[Volume]
    said: str
    left_out: list[str]
    manifest: Manifest | None
    structures: tuple[str, ...] = ()


def gather(sources: Sources, settings: TrainingConfig, progress: Progress) -> Gathered:
    """Load all volumes of some sources, with one vocabulary of structures and one of labels."""
    from hmar.training.data.folders.people import numbered
    from hmar.training.data.vocabulary import Vocabulary

    labels, structures = Vocabulary(), Vocabulary()
    gathered: list[Gathered] = []
    with ExitStack() as opened:
        if sources.open_ct is not None:
            gathered.append(_open_ct(sources.open_ct, structures, progress))
        if sources.archive is not None:
            # First, so that its labels are numbered as they are without folders.
            gathered.append(_archive(sources.archive, labels, settings))
        if sources.data:
            gathered.append(_folders(sources, structures, labels, settings, progress, opened))
    volumes = [volume for each in gathered for volume in each.volumes]
    if sources.data:
        volumes = numbered(volumes)
    return Gathered(
        volumes,
        "\n\n".join(each.said for each in gathered),
        [line for each in gathered for line in each.left_out],
        next((each.manifest for each in gathered if each.manifest is not None), None),
        tuple(structures.names),
    )


def check_enough(volumes: Sequence[Volume]) -> None:
    """Raise NotFoundError where there are fewer than 8 slices and images to train on."""
    from hmar.training.data.dicom_series import LEAST_SLICES

    found = sum(len(volume.values) for volume in volumes)
    if found < LEAST_SLICES:
        raise NotFoundError(
            f"There are {found} slices and images to train on; {LEAST_SLICES} are needed.",
            "Name folders with CT or MR series, or with labelled images, as docs/data.md says.",
        )


def _open_ct(folder: Path, structures: Vocabulary, progress: Progress) -> Gathered:
    """Return the open CT volumes, fetched where they are missing; their structures are numbered first."""
    from hmar.training.data.open_ct import fetch_open_ct, load_open_ct, open_ct_structures
    from hmar.training.export.card import OPEN_CT

    fetch_open_ct(folder, lambda line: progress(line, 0, 0))
    for name in open_ct_structures(folder):
        structures.number(name)
    return Gathered(load_open_ct(folder), OPEN_CT, [], None)


def _archive(collection: str, labels: Vocabulary, settings: TrainingConfig) -> Gathered:
    """Return the volumes of a collection of the archive."""
    from hmar.training.data.archive import archive_volumes
    from hmar.training.export.card import from_archive

    engine = build_engine(settings_from_environment())
    left_out: list[str] = []
    volumes = archive_volumes(
        engine.catalogue,
        engine.frame,
        collection,
        engine.encoder.fingerprint,
        left_out.append,
        labels=settings.learns_labels,
        known=labels,
    )
    return Gathered(volumes, from_archive(collection), left_out, None)


def _folders(
    sources: Sources,
    structures: Vocabulary,
    labels: Vocabulary,
    settings: TrainingConfig,
    progress: Progress,
    opened: ExitStack,
) -> Gathered:
    """Return the volumes of folders; with an archive, patients have the keys that it knows them by."""
    from hmar.training.data.folders.load import FolderReader
    from hmar.training.data.folders.scan import Limits

    environment = settings_from_environment()
    secret, steps = token_bytes(KEY_BYTES), list[bytes]()
    if sources.archive is not None:
        secret, *steps = build_engine(environment).secrets.patient
    decoder = opened.enter_context(ContainedDecoder(DecodeLimits.of(environment), secret, steps=steps))
    reader = FolderReader(
        decoder,
        PatientHasher(secret, *steps),
        Limits(environment.max_file_bytes, environment.max_pixels),
        structures,
        labels,
        settings.learns_labels,
    )
    data = reader.read(sources.data, progress)
    return Gathered(data.volumes, data.manifest.card(), data.left_out.lines(), data.manifest)
