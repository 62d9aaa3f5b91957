"""From the scores of all peers on an archive to its rows, each compared with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmark.lesions.archive import OTHERS, OWN, Archive, Key
from benchmark.lesions.figures import Labels, Row, difference, ratio, row_figures
from benchmark.lesions.peers import CENTRE, CHANCE, COMPARED, LESION_PEERS, LesionPeer
from benchmark.lesions.scoring import Scores
from benchmark.region.describing import FLOAT

METRICS = {
    OWN: "one hit a frame; the slice and its neighbours left out; mAP and share over the R frames that show "
    "the lesion, P@k over min(k, R); means over people",
    OTHERS: "one hit a frame; the person left out; mAP and share over the R frames that show a lesion, P@k "
    "over k; means over people",
}
_WHAT = {
    CHANCE: "exact expectation of a random order of frames with random windows",
    CENTRE: "control: frames in random order, each with the window at its middle",
}
_NOTES = {
    "itq": "ITQ is fitted on windows of the other half of the people alone, of the same modality.",
    "float": "Nothing is trained.",
}


def archive_rows(archives: Sequence[Archive], measured: Sequence[Mapping[Key, Scores]]) -> Iterator[Row]:
    """Yield the rows of one archive, or of the queries of several together."""
    asked = [one.source for archive in archives for one in archive.queries]
    people = _numbered([slice_.person for slice_ in asked])
    joined = {key: _joined([scores[key] for scores in measured]) for key in measured[0]}
    half = archives[0].half if len(archives) == 1 else "all"
    figures = {
        key: row_figures(scores, people, [one.kind for one in asked]) for key, scores in joined.items()
    }
    for (protocol, name, length), scores in joined.items():
        own = figures[protocol, name, length]
        peer = LESION_PEERS.get(name)
        floats = (protocol, peer.floats, _float_length(peer, length)) if peer is not None else None
        code = peer is not None and peer.coding in ("sign", "itq")
        yield {
            "name": name,
            "bits": length if code else 0,
            "floats": 0 if code else length,
            "protocol": protocol,
            "direction": f"{archives[0].modality}, {half}",
            "modality": archives[0].modality,
            "people": half,
            "metric": METRICS[protocol],
            **own,
            "gallery": [len(archive.numbers) for archive in archives],
            "over_chance": ratio(own, figures[protocol, CHANCE, FLOAT]),
            "kept_of_floats": ratio(own, figures[floats]) if floats in figures else None,
            "difference_to": _differences(joined, protocol, name, length, scores, people),
            "what": _WHAT[name] if peer is None else peer.what,
            "note": None if peer is None else _NOTES.get(peer.coding),
            "of_model": peer is not None and peer.of_model,
        }


def _float_length(peer: LesionPeer, length: int) -> int:
    return FLOAT if LESION_PEERS.get(peer.floats, peer).coding == "float" else length


def _differences(
    joined: Mapping[Key, Scores], protocol: str, name: str, length: int, scores: Scores, people: Labels
) -> dict[str, object]:
    found: dict[str, object] = {}
    for other in COMPARED:
        lengths = [key[2] for key in joined if key[:2] == (protocol, other)]
        if other != name and lengths:
            against = joined[protocol, other, length if length in lengths else max(lengths)]
            found[other] = difference(scores, against, people)
    return found


def _joined(parts: Sequence[Scores]) -> Scores:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _numbered(names: Sequence[str]) -> Labels:
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([order[name] for name in names], np.int64)
