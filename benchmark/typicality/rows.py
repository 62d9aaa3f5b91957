"""From what was seen in one direction to its rows: false alarms among people, detection among the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.averages import per_class
from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.typicality.gathered import Direction, OddLook, PersonLook
from benchmark.typicality.judging import Judge, distances, judges
from benchmark.typicality.looking import Look
from hmar.model.serving.typicality import Reference
from hmar.values.frames import FloatArray

PEOPLE = "people"
PHOTOGRAPHS = "photographs"
REGION = "region alone"
SCOPES = ("frame", REGION)
"""A region is judged by its frame in the product; "region alone" by its own cells."""
METRIC = "share that is marked as unlike the training data; mean over units of the share of each"

Row = dict[str, object]
Values = NDArray[np.float64]


def direction_rows(direction: Direction, reference: Reference) -> Iterator[Row]:
    """Yield the rows of one direction; ``reference`` is the model's own."""
    chosen = [one for one in direction.people if one.half == "choose"]
    reported = [one for one in direction.people if one.half == "report"]
    for scope in SCOPES:
        summaries, people = _gathered(chosen, scope)
        for judge in judges(reference, summaries, people):
            same = {"name": judge.name, "direction": direction.name, "scope": scope, "what": judge.what}
            if judge.name == "model":
                yield same | _alarms(direction.people, "all", judge, scope)
            yield same | _alarms(reported, "report", judge, scope)
            for kind in dict.fromkeys(one.kind for one in direction.odd):
                odd = [one for one in direction.odd if one.kind == kind]
                yield same | _detection(odd, kind, judge, scope)


def _alarms(people: Sequence[PersonLook], half: str, judge: Judge, scope: str) -> Row:
    row = _figures([(one.person, one.seen) for one in people], judge, scope)
    by = _by_property(people, judge) if scope == "frame" else None
    return {"shown": PEOPLE, "people": half, **row, "ci95_unit": "people", "per_class": {}, "by": by}


def _detection(odd: Sequence[OddLook], kind: str, judge: Judge, scope: str) -> Row:
    row = _figures([(one.unit, one.seen) for one in odd], judge, scope)
    shares = _shares([(one.unit, one.seen) for one in odd], scope, judge)
    inside = kind.endswith("within a slice")
    unit = "people" if inside else PHOTOGRAPHS if kind == PHOTOGRAPHS else "images"
    named = {name: float(share) for name, share in shares.items()} if kind == PHOTOGRAPHS else {}
    return {
        "shown": kind,
        "people": "report" if inside else None,
        **row,
        "ci95_unit": unit,
        "per_class": named,
        "by": None,
    }


def _figures(looks: Sequence[tuple[str, Look]], judge: Judge, scope: str) -> Row:
    shares = np.array(list(_shares(looks, scope, judge).values()), np.float64)
    interval = bootstrap_means(shares[:, None])
    parts = [_part(seen, scope) for _, seen in looks]
    found = distances(judge.reference, np.concatenate(parts))
    curve = [
        [share, bootstrap_means(_curve(looks, scope, judge, threshold)[:, None]).mean]
        for share, threshold in judge.curve
    ]
    return {
        "metric": METRIC,
        "marked": interval.mean,
        "ci95": [interval.low, interval.high],
        "clusters": len(shares),
        "with_a_mark": int(np.count_nonzero(shares)),
        "frames": len(looks),
        "regions": len(found) if scope == REGION else None,
        "distance_median": float(np.median(found)) if len(found) else None,
        "threshold": judge.threshold,
        "curve": curve or None,
    }


def _curve(looks: Sequence[tuple[str, Look]], scope: str, judge: Judge, threshold: float) -> Values:
    at = Judge(judge.name, judge.what, judge.reference, threshold)
    return np.array(list(_shares(looks, scope, at).values()), np.float64)


def _shares(looks: Sequence[tuple[str, Look]], scope: str, judge: Judge) -> dict[str, float]:
    """Return the share marked of each unit's frames or regions; a unit without any is left out."""
    units: dict[str, list[FloatArray]] = {}
    for unit, seen in looks:
        units.setdefault(unit, []).append(_part(seen, scope))
    joined = {unit: np.concatenate(parts) for unit, parts in units.items()}
    return {unit: float(judge.marks(part).mean()) for unit, part in joined.items() if len(part)}


def _part(seen: Look, scope: str) -> FloatArray:
    """Return the summaries of a look that are judged, (N, C)."""
    return seen.frame[None] if scope == "frame" else seen.regions


def _gathered(people: Sequence[PersonLook], scope: str) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return all summaries of people (N, C), and whose each is (N,)."""
    order = {name: number for number, name in enumerate(sorted({one.person for one in people}))}
    parts = [_part(one.seen, scope) for one in people]
    owners = np.repeat([order[one.person] for one in people], [len(part) for part in parts])
    return np.concatenate(parts), owners


def _by_property(people: Sequence[PersonLook], judge: Judge) -> Mapping[str, Mapping[str, float]]:
    """Return people, mean distance and share marked by what headers say; means over people."""
    found: dict[str, Mapping[str, float]] = {}
    for name in people[0].known if people else ():
        for value in sorted({one.known[name] for one in people}):
            own = [one for one in people if one.known[name] == value]
            summaries, owners = _gathered(own, "frame")
            far = list(per_class(distances(judge.reference, summaries), owners).values())
            marked = list(per_class(judge.marks(summaries).astype(np.float64), owners).values())
            found[f"{name} {value}"] = {
                "people": len(far),
                "distance": float(np.mean(far)),
                "marked": float(np.mean(marked)),
            }
    return found
