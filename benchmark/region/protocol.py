"""The region protocol: the windows of one patient's organs, looked for among all windows of another's.

A query is the window nearest to a structure's centroid on a slice, the gallery every window of that size in
the other volume, and a window is relevant if the same structure covers its centre. Both directions are
measured; peers are trained on the query's volume only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchmark.region.describing import (
    Cost,
    Steps,
    crop_cost_ms,
    describe_gallery,
    describe_queries,
    fit_codes,
)
from benchmark.region.features import WindowFeature
from benchmark.region.networks import Networks
from benchmark.region.peers import MODEL, RegionPeer
from benchmark.region.planes import SIDES, planes_of
from benchmark.region.queries import select_queries
from benchmark.region.scoring import (
    Scores,
    Side,
    figures,
    join,
    make_side,
    mean_figures,
    over_seeds,
    score_size,
    spread_over_seeds,
)
from benchmark.region.volumes import LabelledVolume
from benchmark.types import Progress
from hmar.errors import ParameterError

_LEARNT = {
    "float": "Nothing is trained.",
    "itq": "ITQ is fitted on windows of the query's volume alone, without labels.",
    "sign": "Chance.",
}
_TRAINED = (
    "hmar train uses open CT volumes, ts with its labels among them: the query's volume of ts->lidc, which "
    "the protocol allows, but the gallery of lidc->ts, which it does not."
)
_NOTES = {"global": _TRAINED, MODEL: _TRAINED}
_HAS_SEEN_BOTH = ("global", MODEL)
_LEARNT_FROM = "ts"
METRIC = (
    "mAP over all ranks, over the relevant, expected under ties; macro over structures, P, recall and IoU "
    "over queries"
)

Row = dict[str, object]


def region_rows(
    volumes: tuple[LabelledVolume, LabelledVolume],
    peers: Sequence[RegionPeer],
    bits: Sequence[int],
    networks: Sequence[Networks],
    progress: Progress,
) -> list[Row]:
    """Measure peers by the region protocol.

    Parameters
    ----------
    volumes : tuple of LabelledVolume
        Two patients, with the same structures.
    peers : sequence of RegionPeer
    bits : sequence of int
    networks : sequence of Networks
        One for each seed of what is trained; the first is that of all other peers.
    progress : Progress

    Returns
    -------
    list of dict
        For each peer and code length a row for either direction and one for their mean, with the figures of
        :func:`benchmark.region.scoring.figures` of the mean over seeds, query by query; ``sd`` is that of
        macro_map over seeds, None where there is one. ``ms_per_window`` is the time to describe a window of
        the gallery with ``threads`` threads of torch, its share of the backbone's pass over the slice
        included. ``gallery_learnt_from`` is True where the model was trained on a volume that is searched.

    Raises
    ------
    ParameterError
        If no query is left.
    """
    first, second = (planes_of(volume, networks[0].frozen, progress) for volume in volumes)
    structures = volumes[0].structures
    names = [volume.name for volume in volumes]
    sides = [
        make_side(direction, select_queries(planes, len(structures)), planes, gallery)
        for direction, planes, gallery in (
            ("->".join(names), first, second),
            ("->".join(reversed(names)), second, first),
        )
    ]
    if not all(side.queries for side in sides):
        raise ParameterError(
            f"None of {len(structures)} shared structures is in a query of one volume and in the other.",
            "Give volumes that share structures of more than 1 cm2 on a slice.",
        )
    return [row for peer in peers for row in _peer_rows(peer, networks, volumes, sides, bits, progress)]


def _peer_rows(
    peer: RegionPeer,
    networks: Sequence[Networks],
    volumes: Sequence[LabelledVolume],
    sides: Sequence[Side],
    bits: Sequence[int],
    progress: Progress,
) -> list[Row]:
    cost, structures = Cost(), volumes[0].structures
    runs = networks[: None if peer.variant is not None else 1]
    step = Steps(progress, peer.name, len(runs) * len(SIDES) * sum(len(side.gallery) for side in sides))
    scored: dict[int, list[list[Scores]]] = {}  # by code length, then by direction, then by seed
    for side, volume in zip(sides, volumes, strict=True):
        measured = [_direction(peer, peer.build(run, volume), side, bits, cost, step) for run in runs]
        for length in measured[0]:
            scored.setdefault(length, []).append([by_length[length] for by_length in measured])
    known: Row = {
        "metric": METRIC,
        "threads": torch.get_num_threads(),
        "what": peer.what,
        "note": _note(peer),
        "ms_per_window": cost.ms_per_window,
    }
    if peer.name == "crop":
        known["ms_per_window_of_224_px"] = crop_cost_ms(networks[0].frozen, 224)
    rows = []
    left_out = [side.without_relevant for side in sides]
    learnt_from = [side.direction.endswith(f"->{_LEARNT_FROM}") for side in sides]
    learnt_from.append(any(learnt_from))  # the mean contains both directions
    directions = [*(side.direction for side in sides), "mean"]
    for length, parts in scored.items():
        means = [over_seeds(seeds) for seeds in parts]
        values = [
            *(figures(scores, structures, left) for scores, left in zip(means, left_out, strict=True)),
            mean_figures(means, structures, sum(left_out)),
        ]
        spreads = [spread_over_seeds([seeds]) for seeds in parts] + [spread_over_seeds(parts)]
        for direction, found, sd, learnt in zip(directions, values, spreads, learnt_from, strict=True):
            head: Row = {"name": peer.name, "bits": length, "protocol": "region", "direction": direction}
            marks = {"sd": sd, "gallery_learnt_from": learnt and peer.name in _HAS_SEEN_BOTH}
            rows.append({**head, **found, **known, **marks})
    return rows


def _note(peer: RegionPeer) -> str:
    if peer.variant is None:
        return _NOTES.get(peer.name, _LEARNT[peer.coding])
    labels = "with its labels" if peer.variant.labels else "without its labels"
    return f"Trained on the query's volume alone, {labels}; from the published backbone."


def _direction(
    peer: RegionPeer, feature: WindowFeature, side: Side, bits: Sequence[int], cost: Cost, step: Steps
) -> dict[int, Scores]:
    """Measure one peer in one direction, by code length."""
    codes = fit_codes(peer, feature, side.planes, bits)
    parts: dict[int, list[Scores]] = {length: [] for length in codes}
    for size, cells in enumerate(SIDES):
        gallery = describe_gallery(feature, codes, side.gallery, cells, cost, step)
        queries = side.of_size(size)
        if not queries:
            continue
        described = describe_queries(feature, codes, side.planes, queries)
        for length in codes:
            parts[length].append(score_size(side, size, described[length], gallery[length]))
    if peer.uses_map:
        cost.ms += sum(plane.backbone_ms for plane in side.gallery)
    return {length: join(scores) for length, scores in parts.items()}
