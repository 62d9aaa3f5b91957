"""The region protocol between two volumes: windows on organs of one, looked for among those of the other.

A query is the window nearest to a structure's centroid on a slice, the gallery every window of that size in
the other volume, and a window is relevant if the same structure covers its centre. Both directions are
measured; peers are trained on the query's volume only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmark.region.describing import (
    FLOAT,
    Cost,
    Steps,
    crop_cost_ms,
    describe_gallery,
    describe_queries,
    fit_codes,
)
from benchmark.region.features import WindowFeature
from benchmark.region.networks import Networks
from benchmark.region.peers import RegionPeer
from benchmark.region.planes import SIDES, Plane
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
from benchmark.region.volumes import LEARNT, LabelledVolume
from benchmark.types import Progress

_LEARNT = {
    "float": "Nothing is trained.",
    "logits": "Nothing is trained.",
    "itq": "ITQ is fitted on windows of the query's volume alone, without labels.",
    "sign": "Chance.",
}
_TRAINED = (
    "hmar train uses open CT volumes, ts with its labels among them: the query's volume of ts->lidc, which "
    "the protocol allows, but the gallery of lidc->ts, which it does not."
)
_LEARNT_FROM = (LEARNT, f"{LEARNT}-dcm")
METRIC = (
    "mAP over all ranks, over the relevant, expected under ties; macro over structures, P, recall and IoU "
    "over queries"
)

Row = dict[str, object]
Measured = dict[int, list[list[Scores]]]
"""Scores of one peer by code length, then by direction, then by seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two volumes that share structures, and both directions between them."""

    volumes: tuple[LabelledVolume, LabelledVolume]
    sides: tuple[Side, Side]

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of the structures that both show."""
        return self.volumes[0].structures


def make_pair(
    volumes: tuple[LabelledVolume, LabelledVolume], planes: tuple[Sequence[Plane], Sequence[Plane]]
) -> Pair:
    """Select the queries of both directions."""
    names = [volume.name for volume in volumes]
    structures = len(volumes[0].structures)
    first, second = (
        make_side(f"{names[own]}->{names[other]}", select_queries(planes[own], structures), planes[own],
                  planes[other], volumes[other].partly)
        for own, other in ((0, 1), (1, 0))
    )  # fmt: skip
    return Pair(volumes, (first, second))


def measure_pair(
    peer: RegionPeer,
    networks: Sequence[Networks],
    pair: Pair,
    bits: Sequence[int],
    cost: Cost,
    progress: Progress,
) -> Measured:
    """Measure one peer in both directions; what is trained, once for each seed."""
    runs = networks[: None if peer.variant is not None else 1]
    steps = len(runs) * len(SIDES) * sum(len(side.gallery) for side in pair.sides)
    step = Steps(progress, peer.name, steps)
    scored: Measured = {}
    for side, volume in zip(pair.sides, pair.volumes, strict=True):
        measured = [_direction(peer, peer.build(run, volume), side, bits, cost, step) for run in runs]
        for length in measured[0]:
            scored.setdefault(length, []).append([by_length[length] for by_length in measured])
    return scored


def known_of(peer: RegionPeer, networks: Sequence[Networks], cost: Cost) -> Row:
    """Return what all rows of a peer have in common."""
    known: Row = {
        "metric": METRIC,
        "threads": torch.get_num_threads(),
        "what": peer.what,
        "note": _note(peer),
        "ms_per_window": cost.ms_per_window,
    }
    if peer.name == "crop":
        known["ms_per_window_of_224_px"] = crop_cost_ms(networks[0].frozen, 224)
    return known


def pair_rows(peer: RegionPeer, pair: Pair, measured: Measured, known: Row, *, mean: bool) -> list[Row]:
    """Return the rows of one peer between two volumes: either direction and, if wanted, their mean."""
    rows, structures = [], pair.structures
    left_out = [side.without_relevant for side in pair.sides]
    learnt_from = [searches_learnt(side.direction) for side in pair.sides]
    learnt_from.append(any(learnt_from))  # the mean contains both directions
    directions = [*(side.direction for side in pair.sides), "mean"]
    for length, parts in measured.items():
        means = [over_seeds(seeds) for seeds in parts]
        values = [figures(scores, structures, left) for scores, left in zip(means, left_out, strict=True)]
        spreads = [spread_over_seeds([seeds]) for seeds in parts]
        if mean:
            values.append(mean_figures(means, structures, sum(left_out)))
            spreads.append(spread_over_seeds(parts))
        for direction, found, sd, learnt in zip(directions, values, spreads, learnt_from, strict=False):
            rows.append(row_of(peer, length, direction, found, known, sd, learnt))
    return rows


def row_of(
    peer: RegionPeer,
    length: int,
    direction: str,
    found: Mapping[str, object],
    known: Row,
    sd: float | None,
    learnt: bool,
) -> Row:
    """Return one row from its figures."""
    logits = peer.coding == "logits"
    head: Row = {
        "name": peer.name,
        "bits": FLOAT if logits else length,
        "floats": length if logits else None,
        "protocol": "region",
        "direction": direction,
    }
    return {**head, **found, **known, "sd": sd, "gallery_learnt_from": learnt and peer.of_model}


def searches_learnt(direction: str) -> bool:
    """Return whether the shipped model learnt from the gallery of a direction."""
    return direction.partition("->")[2] in _LEARNT_FROM


def _note(peer: RegionPeer) -> str:
    if peer.variant is None:
        return _TRAINED if peer.of_model else _LEARNT[peer.coding]
    labels = "with its labels" if peer.variant.labels else "without its labels"
    on = "the query's volume alone"
    if peer.variant.carried:
        on = "the query's volume and on people to whom its labels could be carried"
    return f"Trained on {on}, {labels}; from the published backbone."


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
            scores = score_size(side, size, described[length], gallery[length], peer.permuted)
            parts[length].append(scores)
    if peer.uses_map:
        cost.ms += sum(plane.backbone_ms for plane in side.gallery)
    return {length: join(scores) for length, scores in parts.items()}
