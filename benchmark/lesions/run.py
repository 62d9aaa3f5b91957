"""``hmar bench lesions``: peers, archives and controls to rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmark.lesions.archive import (
    TOGETHER,
    Archive,
    Key,
    controls,
    describe,
    make_archive,
    measure,
)
from benchmark.lesions.data import folders_digest, read_lesions
from benchmark.lesions.figures import Row
from benchmark.lesions.peers import (
    WHOLE,
    WINDOWS,
    LesionPeer,
    select_lesion_peers,
    window_features,
)
from benchmark.lesions.people import HALVES, Half, People, half_of
from benchmark.lesions.rows import archive_rows
from benchmark.lesions.scoring import Scores
from benchmark.lesions.slices import ArchiveSlice, archive_slices
from benchmark.region.run import code_lengths_of, load_model
from benchmark.types import Progress
from hmar.errors import ParameterError
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.weights import Bundle
from hmar.values.plain import finite_json

_FIRST = 2
"""Fewest people of a half: with one there is nobody else's lesion."""


def run_lesions(
    folders: Sequence[Path],
    peers: Sequence[str],
    bits: Sequence[int],
    people: People,
    progress: Progress,
    published: Callable[[], Backbone],
    threads: int = 1,
    model_dir: str = "",
) -> list[Row]:
    """Measure how a lesion's box finds the lesion's other slices, and the lesions of other people.

    Parameters
    ----------
    folders : sequence of Path
        Laid out as :mod:`benchmark.lesions.data` says.
    peers : sequence of str
        Names of :data:`benchmark.lesions.peers.LESION_PEERS`, or "all".
    bits : sequence of int
        64, 128 or both.
    people : str
        "choose" or "report": the half that is searched; "all" is both, each searched in its own half, and
        then the queries of both together.
    progress : Progress
        Told how far each part is.
    published : callable
        Loads the backbone with its published weights.
    threads : int
        Of torch in this process from now on.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.

    Returns
    -------
    list of dict
        Ready for JSON. A row is a peer at one length for one question ("lesion-own" or "lesion-others") in
        one kind of archive (``direction``: modality and people). Chance and the middle of the frame are
        always among them. ``difference_to`` has the paired differences to ``cells-itq`` (of equal length; for
        floats that of the longest) and ``thumbnail``, where these were run, ``kept_of_floats`` the figures
        divided by those of the same features as floats, ``over_chance`` divided by chance.

    Raises
    ------
    ParameterError
        If a peer or a length is unknown, or a half has fewer than two people.
    ConfigError
        If the model has another grid or other windows than the benchmark.
    NotFoundError, DecodeError
        If folders or files are missing, or cannot be read.
    """
    torch.set_num_threads(threads)
    chosen, lengths = select_lesion_peers(peers), code_lengths_of(bits)
    bundle = load_model(model_dir)
    read = read_lesions(folders, progress)
    halves: tuple[Half, ...] = HALVES if people == "all" else (people,)
    _check_people({slice_.person for slice_ in read}, halves)
    windows = bundle.info.windows
    slices = archive_slices(read, fold_batch_norm(published()), windows, progress)
    modalities = _modalities(slices)
    archives = [make_archive(slices, half, modality) for modality in modalities for half in halves]
    measured = _measure(chosen, archives, slices, bundle, lengths, progress)
    data = folders_digest(folders)
    rows: list[Row] = []
    for modality in modalities:
        own = [archive for archive in archives if archive.modality == modality and archive.asked]
        for searched in ([[archive] for archive in own], [own] if len(own) > 1 else []):
            for group in searched:
                rows += archive_rows(group, [measured[id(archive)] for archive in group])
    models: Row = {"model": bundle.info.name, "model_fingerprint": bundle.info.fingerprint}
    return [_shaped(row, data, models) for row in rows]


def _check_people(people: set[str], halves: Sequence[Half]) -> None:
    for half in HALVES:
        count = sum(half_of(person) == half for person in people)
        if count < (_FIRST if half in halves else 1):
            raise ParameterError(
                f'{count} of {len(people)} people are in the half "{half}".',
                "Give folders of more people: a person's half follows from the folder's name.",
            )


def _modalities(slices: Sequence[ArchiveSlice]) -> list[str]:
    """Return the modalities that have a lesion, and all together where there are several."""
    found = sorted({one.source.modality for one in slices if one.query is not None})
    return [*found, TOGETHER] if len(found) > 1 else found


def _measure(
    peers: Sequence[LesionPeer],
    archives: Sequence[Archive],
    slices: Sequence[ArchiveSlice],
    bundle: Bundle,
    bits: Sequence[int],
    progress: Progress,
) -> dict[int, dict[Key, Scores]]:
    """Return the scores of all peers by archive (its id)."""
    windows, features = bundle.info.windows, window_features(bundle.network, bundle.thresholds)
    measured = {id(archive): controls(archive, windows) if archive.asked else {} for archive in archives}
    used = list(dict.fromkeys(peer.feature for peer in peers))
    boxes = None
    if WHOLE in used:
        boxes = describe(WINDOWS, features[WINDOWS](), slices, windows, progress)
    for name in used:
        described = describe(name, features[name](), slices, windows, progress)
        for peer in (peer for peer in peers if peer.feature == name):
            for done, archive in enumerate(archives, start=1):
                if archive.asked:
                    measured[id(archive)] |= measure(peer, described, boxes, archive, bits)
                progress(f"searching: {peer.name}", done, len(archives))
    return measured


def _shaped(row: Row, data: str, model: Row) -> Row:
    of_model = row.pop("of_model")
    known: Row = model if of_model else dict.fromkeys(model)
    return {key: finite_json(value) for key, value in {**row, **known, "data": data}.items()}
