"""From what was seen in one direction to its rows: false alarms among people, detection among the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmark.metrics.averages import per_class
from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.typicality.gathered import WITHIN_SLICE, Direction, OddLook, PersonLook
from benchmark.typicality.judging import FRAME, SCOPES, Distances, Judge, far, judges
from benchmark.typicality.looking import Look
from benchmark.typicality.refitting import refit
from hmar.model.serving.references import KindReferences

PEOPLE = "people"
PHOTOGRAPHS = "photographs"
METRIC = "share that is marked as unlike the training data; mean over units of the share of each"

Row = dict[str, object]


def direction_rows(direction: Direction, known: KindReferences | None) -> Iterator[Row]:
    """Yield the rows of one direction; ``known`` is what the model has of its kind of frames."""
    chosen = [one for one in direction.people if one.half == "choose"]
    reported = [one for one in direction.people if one.half == "report"]
    refitted, owners = refit(chosen, direction.kind), _numbers(chosen)
    for scope in SCOPES:
        for judge in judges(known, refitted, [one.seen for one in chosen], owners, scope):
            same = {"name": judge.name, "direction": direction.name, "scope": scope, "what": judge.what}
            if judge.name == "model":
                yield same | _alarms(direction.people, "all", judge, scope)
            yield same | _alarms(reported, "report", judge, scope)
            for kind in dict.fromkeys(one.kind for one in direction.odd):
                odd = [one for one in direction.odd if one.kind == kind]
                yield same | _detection(odd, kind, judge, scope)


def _alarms(people: Sequence[PersonLook], half: str, judge: Judge, scope: str) -> Row:
    row = _figures([(one.person, one.seen) for one in people], judge, scope)
    by = _by_property(people, judge) if scope == FRAME else None
    return {"shown": PEOPLE, "people": half, **row, "ci95_unit": "people", "per_class": {}, "by": by}


def _detection(odd: Sequence[OddLook], kind: str, judge: Judge, scope: str) -> Row:
    looks = [(one.unit, one.seen) for one in odd]
    inside = WITHIN_SLICE in kind
    unit = "people" if inside else PHOTOGRAPHS if kind == PHOTOGRAPHS else "images"
    named = _shares(_lying(looks, judge, scope), judge.threshold) if kind == PHOTOGRAPHS else {}
    return {
        "shown": kind,
        "people": "report" if inside else None,
        **_figures(looks, judge, scope),
        "ci95_unit": unit,
        "per_class": named,
        "by": None,
    }


def _figures(looks: Sequence[tuple[str, Look]], judge: Judge, scope: str) -> Row:
    lying = _lying(looks, judge, scope)
    found = np.concatenate([*lying.values(), np.empty(0)])
    shares = _values(lying, judge.threshold)
    interval = bootstrap_means(shares[:, None])
    return {
        "metric": METRIC,
        "marked": interval.mean,
        "ci95": [interval.low, interval.high],
        "clusters": len(shares),
        "with_a_mark": int(np.count_nonzero(shares)),
        "frames": len(looks),
        "regions": None if scope == FRAME else len(found),
        "far_median": float(np.median(found)) if len(found) else None,
        "threshold": judge.threshold,
        "curve": [[at, _mean(_values(lying, threshold))] for at, threshold in judge.curve] or None,
    }


def _lying(looks: Sequence[tuple[str, Look]], judge: Judge, scope: str) -> dict[str, Distances]:
    """Return how far out each unit's frames or regions lie; a unit without any is left out."""
    units: dict[str, list[Distances]] = {}
    for unit, seen in looks:
        units.setdefault(unit, []).append(far(judge.known, seen, scope))
    joined = {unit: np.concatenate(parts) for unit, parts in units.items()}
    return {unit: found for unit, found in joined.items() if len(found)}


def _shares(lying: Mapping[str, Distances], threshold: float) -> dict[str, float]:
    """Return the share of each unit's frames or regions that is marked."""
    return {unit: float((found > threshold).mean()) for unit, found in lying.items()}


def _values(lying: Mapping[str, Distances], threshold: float) -> Distances:
    return np.array(list(_shares(lying, threshold).values()), np.float64)


def _mean(values: Distances) -> float:
    """Return the mean; NaN of nothing, which stands as null in a row."""
    return float(values.mean()) if len(values) else float("nan")


def _numbers(people: Sequence[PersonLook]) -> list[int]:
    """Return whose each look is, as numbers from 0."""
    order = {name: number for number, name in enumerate(sorted({one.person for one in people}))}
    return [order[one.person] for one in people]


def _by_property(people: Sequence[PersonLook], judge: Judge) -> Mapping[str, Mapping[str, float]]:
    """Return people, mean multiple of the cut-off and share marked by what headers say; means over people."""
    found: dict[str, Mapping[str, float]] = {}
    for name in people[0].known if people else ():
        for value in sorted({one.known[name] for one in people}):
            own = [one for one in people if one.known[name] == value]
            lying = np.concatenate([far(judge.known, one.seen, FRAME) for one in own])
            owners = np.array(_numbers(own))
            marks = (lying > judge.threshold).astype(np.float64)
            found[f"{name} {value}"] = {
                "people": len(set(_numbers(own))),
                "far": float(np.mean(list(per_class(lying, owners).values()))),
                "marked": float(np.mean(list(per_class(marks, owners).values()))),
            }
    return found
