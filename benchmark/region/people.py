"""The region protocol over many volumes: all directions between people, and the mean over people.

Volumes of one person are never looked for in each other. The mean is that over the people whose regions are
asked for, each the mean over its directions; its interval draws those people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from benchmark.metrics.averages import macro, micro
from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.region.describing import Cost
from benchmark.region.networks import Networks
from benchmark.region.peers import RegionPeer
from benchmark.region.planes import Plane, planes_of, relabelled
from benchmark.region.protocol import (
    Measured,
    Pair,
    Row,
    known_of,
    make_pair,
    measure_pair,
    pair_rows,
    row_of,
    searches_learnt,
)
from benchmark.region.scoring import Scores, over_seeds
from benchmark.region.volumes import Scan, labelled_pair
from benchmark.types import Progress
from hmar.errors import ParameterError

PEOPLE = "people"
"""Direction of the rows over all people; "people without NAME" leaves one person's volumes out."""
_MEANS = ("micro_map", "p_at_1", "p_at_3", "p_at_5", "p_at_10", "recall_at_10", "iou")

Directed = tuple[str, str, str, list[Scores]]
"""A direction, its query's person, its gallery's person, and its scores by seed."""


def people_rows(
    scans: Sequence[Scan],
    peers: Sequence[RegionPeer],
    bits: Sequence[int],
    networks: Sequence[Networks],
    progress: Progress,
) -> list[Row]:
    """Measure peers between all volumes of different people.

    Parameters
    ----------
    scans : sequence of Scan
        Two or more; the mean of both directions between the first two has its own row.
    peers : sequence of RegionPeer
    bits : sequence of int
    networks : sequence of Networks
        One for each seed of what is trained; the first is that of all other peers.
    progress : Progress

    Returns
    -------
    list of dict
        For each peer and code length a row for each direction, "mean" of the first two volumes, "people", and
        where there are three or more people "people without NAME" for each of them. Those of directions and
        "mean" have the figures of :func:`benchmark.region.scoring.figures` of the mean over seeds, query by
        query; ``sd`` is the standard deviation of macro_map over seeds, None where there is one seed.
        ``ms_per_window`` is the time to describe a window of the gallery with ``threads`` threads of torch,
        its share of the backbone's pass over the slice included. ``gallery_learnt_from`` is True where the
        model was trained on a volume that is searched.

    Raises
    ------
    ParameterError
        If no two people's volumes share a structure.
    """
    pairs = _pairs(scans, networks[0], progress)
    people = {scan.name: scan.person for scan in scans}
    first = tuple(scan.name for scan in scans[:2])
    rows: list[Row] = []
    for peer in peers:
        cost = Cost()
        measured = [measure_pair(peer, networks, pair, bits, cost, progress) for pair in pairs]
        known = known_of(peer, networks, cost)
        for pair, found in zip(pairs, measured, strict=True):
            names = tuple(volume.name for volume in pair.volumes)
            rows += pair_rows(peer, pair, found, known, mean=names == first)
        for length in measured[0]:
            directed = list(_directed(pairs, measured, people, length))
            for direction, kept in _groups(directed):
                learnt = any(searches_learnt(one[0]) for one in kept)
                rows.append(row_of(peer, length, direction, _figures(kept), known, _spread(kept), learnt))
    return rows


def kept_of_floats(rows: Sequence[Row], peers: Sequence[RegionPeer]) -> list[Row]:
    """Return the rows with what the bits keep: macro_map divided by that of the same features as floats."""
    floats = {peer.name: peer.floats for peer in peers}
    reached = {(row["name"], row["floats"], row["direction"]): row["macro_map"] for row in rows}
    made = []
    for row in rows:
        own, name = row["macro_map"], floats[str(row["name"])]
        below = reached.get(
            (name, row["bits"], row["direction"]), reached.get((name, None, row["direction"]))
        )
        sound = bool(name) and isinstance(own, float) and isinstance(below, float) and below > 0
        made.append({**row, "kept_of_floats": own / below if sound else None})  # type: ignore[operator]
    return made


def _pairs(scans: Sequence[Scan], networks: Networks, progress: Progress) -> list[Pair]:
    """Return the pairs of volumes of two people that share a query in both directions."""
    made: dict[str, list[Plane]] = {}
    pairs = []
    for one, other in combinations(scans, 2):
        if one.person == other.person:
            continue
        volumes = labelled_pair(one, other)
        for volume in volumes:
            if volume.name not in made:
                made[volume.name] = planes_of(volume, networks.frozen, progress)
        first, second = (relabelled(made[volume.name], volume) for volume in volumes)
        pair = make_pair(volumes, (first, second))
        if all(side.queries for side in pair.sides):
            pairs.append(pair)
    if not pairs:
        raise ParameterError(
            f"None of {len(scans)} volumes shares a structure with that of another person.",
            "Give volumes that share structures of more than 1 cm2 on a slice.",
        )
    return pairs


def _directed(
    pairs: Sequence[Pair], measured: Sequence[Measured], people: Mapping[str, str], length: int
) -> Iterator[Directed]:
    for pair, found in zip(pairs, measured, strict=True):
        names = [people[volume.name] for volume in pair.volumes]
        for side, (asked, searched), seeds in zip(
            pair.sides, (names, names[::-1]), found[length], strict=True
        ):
            yield side.direction, asked, searched, seeds


def _groups(directed: Sequence[Directed]) -> Iterator[tuple[str, list[Directed]]]:
    """Yield all directions, and for each person those that leave that person out."""
    yield PEOPLE, list(directed)
    people = sorted({person for _, asked, searched, _ in directed for person in (asked, searched)})
    for person in people:
        kept = [one for one in directed if person not in one[1:3]]
        if kept:
            yield f"{PEOPLE} without {person}", kept


def _figures(directed: Sequence[Directed]) -> Row:
    """Return means over people; a person with several directions is their mean."""
    scores = [over_seeds(seeds) for *_, seeds in directed]
    people = [asked for _, asked, *_ in directed]
    macros = _by_person([macro(one.ap, one.structures) for one in scores], people)
    interval = bootstrap_means(np.array(macros)[:, None])
    return {
        "macro_map": float(np.mean(macros)),
        "micro_map": float(np.mean(_by_person([micro(one.ap) for one in scores], people))),
        **{
            name: float(np.mean(_by_person([micro(getattr(one, name)) for one in scores], people)))
            for name in _MEANS[1:]
        },
        "ci95": [interval.low, interval.high],
        "ci95_unit": "people",
        "clusters": len(macros),
        "queries": sum(len(one.ap) for one in scores),
        "directions": len(directed),
    }


def _spread(directed: Sequence[Directed]) -> float | None:
    """Return the standard deviation over seeds of the mean over people; None for one seed."""
    people = [asked for _, asked, *_ in directed]
    seeds = zip(*(seeds for *_, seeds in directed), strict=True)
    reached = [np.mean(_by_person([macro(one.ap, one.structures) for one in run], people)) for run in seeds]
    return float(np.std(reached, ddof=1)) if len(reached) > 1 else None


def _by_person(values: Sequence[float], people: Sequence[str]) -> list[float]:
    return [
        float(np.mean([value for value, own in zip(values, people, strict=True) if own == person]))
        for person in sorted(set(people))
    ]
