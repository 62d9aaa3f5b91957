"""``hmar bench region``: organ regions across patients, planted lesions, and the nodule of the demo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from benchmark.region.ablations.variant import Variant
from benchmark.region.data import all_digest, check_files, fetch_region_data, files_digest
from benchmark.region.networks import TRAINING, VIEWS, Networks, trained_network
from benchmark.region.nodule import NODULE_METRIC, nodule_row
from benchmark.region.others import check_carrying, without_labels
from benchmark.region.peers import MODEL, RegionPeer, select_region_peers
from benchmark.region.people import kept_of_floats, people_rows
from benchmark.region.phantoms import PHANTOM_METRIC, PHANTOMS, PhantomStudy
from benchmark.region.planes import GRID, SIDES
from benchmark.region.volumes import LEARNT, LabelledVolume, Scan, labelled_pair, load_all_scans
from benchmark.types import Progress
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ConfigError, ParameterError
from hmar.known_models import THUMBNAIL
from hmar.model.backbones.base import Backbone, fold_batch_norm
from hmar.model.weights import Bundle, load_bundle
from hmar.thumbnail import ThumbnailEncoder
from hmar.training.config import TrainingConfig
from hmar.training.data.volumes import Volume
from hmar.values.codes import CODE_BITS
from hmar.values.plain import finite_json

_LENGTHS = (64, CODE_BITS)
_HEAD = ("name", "bits", "protocol", "direction", "metric", "model", "model_fingerprint", "training")
_FIGURES = (
    *("macro_map", "micro_map", "p_at_1", "p_at_3", "p_at_5", "p_at_10", "recall_at_10", "iou"),
    *("ci95", "ci95_unit", "clusters", "sd", "queries", "kept_of_floats"),
)
_METRICS = {"phantom": PHANTOM_METRIC, "nodule": NODULE_METRIC}
_TWO = ("lidc", LEARNT)
_OF_TWO = ("->".join(_TWO), "->".join(_TWO[::-1]), "mean")
"""Directions of the first two volumes alone; the hash of their data is the one that older rows have."""
DRAWN = "drawn by the benchmark"
"""Value of ``data`` in the rows of phantoms."""

Row = dict[str, object]


def run_region(
    root: Path,
    peers: Sequence[str],
    bits: Sequence[int],
    progress: Progress,
    published: Callable[[], Backbone],
    kept: Path,
    threads: int = 1,
    model_dir: str = "",
    phantoms: int = PHANTOMS,
    training: TrainingConfig = TRAINING,
    seeds: int = 1,
    folders: Sequence[Path] = (),
    others: Sequence[Volume] = (),
    between: Sequence[str] = (),
) -> list[Row]:
    """Measure region retrieval on real volumes, robustness on phantoms, and the nodule demo.

    Parameters
    ----------
    root : Path
        Folder of the data; what is missing is fetched into it.
    peers : sequence of str
        Names of :data:`benchmark.region.peers.REGION_PEERS`, "all" or "ablations".
    bits : sequence of int
        64, 128 or both. Peers that describe with floats have one row, of 0 bits.
    progress : Progress
        Told how far each part is.
    published : callable
        Loads the backbone with its published weights.
    kept : Path
        Folder of the networks that are trained here.
    threads : int
        Of torch in this process from now on.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.
    phantoms : int
        Number of phantoms.
    training : TrainingConfig
        Of ours, where it is trained on the query's volume; a variant may change them.
    seeds : int
        Number of seeds of each network that is trained here: that of the settings and those after it.
    folders : sequence of Path
        Further volumes of which some structures are drawn; see :func:`benchmark.region.volumes.load_folder`.
    others : sequence of Volume
        Of other people: peers that carry labels learn from the CT series among them, labels left out.
    between : sequence of str
        Names of the volumes that are measured, two or more; none stands for all.

    Returns
    -------
    list of dict
        Ready for JSON (what is not a number is None), with the same figures in all: None where a protocol
        does not have one. ``model`` and ``model_fingerprint``, or ``training`` with the settings of a network
        that was trained here, and ``data`` (a hash of the files, names and contents) say what was measured.
        ``protocol`` says what a row is: "region" (see
        :func:`benchmark.region.people.people_rows`), "phantom" (synthetic, one for each perturbation, see
        :mod:`benchmark.region.phantoms`) or "nodule" (hmar, and 32x32 thumbnails beside it; only at 128 bits,
        the length at which the demo searches).

    Raises
    ------
    ParameterError
        If a peer, a number of bits or a volume is unknown, or nobody is there to carry labels to.
    ConfigError
        If the model has another grid or other windows than the protocol, or none to measure.
    UnavailableError
        If data are missing and cannot be downloaded.
    NotFoundError
        If files are missing from what was fetched before; names them all.
    DecodeError
        If a file cannot be read.
    """
    torch.set_num_threads(threads)
    chosen = select_region_peers(peers)
    lengths = code_lengths_of(bits)
    bundle = load_model(model_dir)
    fetch_region_data(root, lambda line: progress(line, 0, 0))
    check_files(root)
    scans = _chosen(load_all_scans(root, folders), between)
    others = without_labels(others, scans)
    if any(peer.variant is not None and peer.variant.carried for peer in chosen):
        check_carrying(scans, others)
    drawn = range(training.seed, training.seed + seeds)
    networks = _networks(bundle, published(), kept, training, drawn, others, progress)
    rows = kept_of_floats(people_rows(scans, chosen, lengths, networks, progress), chosen)
    volume = labelled_pair(scans[0], scans[1])[0]
    rows += _phantom_rows(chosen, lengths, networks[0], volume, phantoms, progress)
    if CODE_BITS in lengths and any(peer.name == MODEL for peer in chosen):
        rows += _nodule_rows(root, _folder(model_dir), threads, progress)
    measured = _what_was_measured(chosen, bundle, training, drawn, len(others))
    of_all = all_digest(root, folders)
    of_two = files_digest(root) if tuple(scan.name for scan in scans[:2]) == _TWO else of_all
    return [
        _shaped(
            row,
            {"data": of_all if row["protocol"] == "region" and row["direction"] not in _OF_TWO else of_two}
            | measured.get(str(row["name"]), {}),
        )
        for row in rows
    ]


def _chosen(scans: list[Scan], between: Sequence[str]) -> list[Scan]:
    known = [scan.name for scan in scans]
    unknown = sorted(set(between) - set(known))
    if unknown or len(set(between)) == 1:
        raise ParameterError(
            f"Volumes to measure between are {', '.join(between)}.",
            f"Give two or more of {', '.join(known)}.",
        )
    return [scan for scan in scans if scan.name in between] if between else scans


def _networks(
    bundle: Bundle,
    backbone: Backbone,
    kept: Path,
    training: TrainingConfig,
    seeds: Sequence[int],
    others: Sequence[Volume],
    progress: Progress,
) -> list[Networks]:
    """Return what peers are built from, for each seed of what is trained."""
    frozen = fold_batch_norm(backbone)

    def of_seed(seed: int) -> Networks:
        config = replace(training, seed=seed)
        return Networks(
            frozen,
            bundle.network,
            lambda volume, variant: trained_network(
                volume, backbone, kept, progress, config, variant=variant, others=others
            ),
            bundle.thresholds,
        )

    return [of_seed(seed) for seed in seeds]


def _phantom_rows(
    peers: Sequence[RegionPeer],
    bits: Sequence[int],
    networks: Networks,
    volume: LabelledVolume,
    phantoms: int,
    progress: Progress,
) -> list[Row]:
    """Return the rows of all peers but those trained on the query's volume, and those of organs alone."""
    untrained = [peer for peer in peers if peer.variant is None and not peer.organs_alone]
    if not untrained:
        return []
    study = PhantomStudy(networks.frozen, progress, phantoms)
    return [
        row for peer in untrained for row in study.rows(peer, peer.build(networks, volume), bits, progress)
    ]


def _nodule_rows(root: Path, model: Path, threads: int, progress: Progress) -> list[Row]:
    return [
        nodule_row(root, MODEL, HmarEncoder.load(model, threads), progress),
        nodule_row(root, "thumbnail", ThumbnailEncoder(), progress),
    ]


def _what_was_measured(
    peers: Sequence[RegionPeer],
    bundle: Bundle,
    training: TrainingConfig,
    seeds: Sequence[int],
    others: int,
) -> dict[str, Row]:
    """Return by name the model that a peer is of, or how it was trained; others are not in it."""
    model: Row = {"model": bundle.info.name, "model_fingerprint": bundle.info.fingerprint}
    measured = {peer.name: model for peer in peers if peer.of_model}
    return measured | {
        peer.name: _trained(peer.variant, training, seeds, others)
        for peer in peers
        if peer.variant is not None
    }


def load_model(model_dir: str) -> Bundle:
    """Load the model to measure; raises ConfigError for one that the protocol does not fit."""
    if model_dir == THUMBNAIL:
        raise ConfigError("HMAR_MODEL_DIR is 'thumbnail', which has no backbone to measure.", "Unset it.")
    bundle = load_bundle(_folder(model_dir))
    if bundle.info.grid != GRID or bundle.info.windows.cells != SIDES:
        raise ConfigError(
            f"The model {bundle.info.name} has another grid or other windows than the region protocol.",
            f"Give one of {GRID.pitch_mm:g} mm pixels, cells of {GRID.stride} and windows of {SIDES} cells.",
        )
    return bundle


def _folder(model_dir: str) -> Path:
    return Path(model_dir) if model_dir else shipped_bundle()


def _trained(variant: Variant, training: TrainingConfig, seeds: Sequence[int], others: int) -> Row:
    settings = asdict(variant.settings(training)) | {"seed": list(seeds)}
    carried = {"unlabelled_volumes": others} if variant.carried else {}
    return {"training": settings | {"views": VIEWS, "variant": variant.name} | carried}


def _shaped(row: Row, known: Row) -> Row:
    protocol = str(row["protocol"])
    own: Row = {"metric": _METRICS.get(protocol)}
    if protocol == "phantom":
        own["data"] = DRAWN
    whole: Row = {**dict.fromkeys((*_HEAD, *_FIGURES)), **known, **own, **row}
    return {key: finite_json(value) for key, value in whole.items()}


def code_lengths_of(bits: Sequence[int]) -> list[int]:
    """Return the code lengths in ascending order; raises ParameterError for any but 64 and 128."""
    for length in bits:
        if length not in _LENGTHS:
            raise ParameterError(f"A code of {length} bits was asked for.", "Give 64, 128 or both.")
    if not bits:
        raise ParameterError("No code length was given.", "Give 64, 128 or both.")
    return sorted(set(bits))
