"""Queries, rankings and figures: whether the first series show what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.metrics.ties import average_precision, expected_hits, tie_groups
from benchmark.series.aggregations import OF_CODES, OF_DISTANCES, Items, Values, item_distances
from benchmark.series.encoded import EncodedPart
from benchmark.series.parts import Part
from benchmark.series.peers import Codes
from hmar.values.codes import CodeArray

RANKS = (1, 3, 5, 10)
WHOLE, STRUCTURE = "series-whole", "series-structure"
METRIC = (
    "parts that show the structure, expected under ties; P@k over min(k, R), mAP over all ranks; means over "
    "people of means over structures"
)

Row = dict[str, object]
Flags = NDArray[np.bool_]
Key = tuple[int, str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A structure that one part shows, and the parts of other people that it is looked for among.

    Parameters
    ----------
    part : int
        Position of the query's part.
    structure : str
    gallery : ndarray of int64, shape (G,)
        Positions of the parts of other people whose mask tells of the structure.
    relevant : ndarray of bool, shape (G,)
        Whether each shows it; some do, and some do not.
    """

    part: int
    structure: str
    gallery: NDArray[np.int64]
    relevant: Flags


def questions_of(parts: Sequence[Part]) -> list[Question]:
    """Return a question for each structure of each part that others show, but not all of them."""
    found = []
    for number, part in enumerate(parts):
        for structure in part.boxes:
            gallery = [
                i for i, other in enumerate(parts) if other.person != part.person and structure in other.known
            ]
            relevant = np.array([structure in parts[i].boxes for i in gallery], np.bool_)
            if relevant.any() and not relevant.all():
                found.append(Question(number, structure, np.array(gallery, np.int64), relevant))
    return found


class Asking:
    """Asks questions of encoded parts; distances of one query to the parts' frames are computed once.

    Parameters
    ----------
    questions : sequence of Question
    parts : sequence of EncodedPart
    protocol : str
    codes : str
        "frames" or "windows": what is compared.
    bits : int
    """

    def __init__(
        self,
        questions: Sequence[Question],
        parts: Sequence[EncodedPart],
        protocol: str,
        codes: Codes,
        bits: int,
    ) -> None:
        self._questions = questions
        self._queries = {
            key: _cut(_query_of(parts[key[0]], key[1], codes), bits)
            for key in dict.fromkeys(_key(question, protocol) for question in questions)
        }
        self._protocol = protocol
        self._parts = [
            _cut(part.windows if codes == "windows" else _each(part.frames), bits) for part in parts
        ]
        self._to_frames: dict[Key, list[Values]] = {}

    def figures(self, aggregation: str) -> list[Mapping[str, float]]:
        """Return the figures of each question by one aggregation."""
        ranked: dict[Key, Values] = {}
        found: list[Mapping[str, float]] = []
        for question in self._questions:
            key = _key(question, self._protocol)
            if aggregation == "voting" or key not in ranked:  # votes depend on who may be voted for
                ranked[key] = self._distances(key, question.gallery, aggregation)
            distances = ranked[key] if aggregation == "voting" else ranked[key][question.gallery]
            found.append(figures(distances, question.relevant))
        return found

    def _distances(self, key: Key, gallery: NDArray[np.int64], aggregation: str) -> Values:
        if aggregation in OF_CODES:
            return OF_CODES[aggregation](self._queries[key], self._parts)
        if key not in self._to_frames:
            query = self._queries[key]
            self._to_frames[key] = [item_distances(query, part) for part in self._parts]
        to_frames = self._to_frames[key]
        if aggregation == "voting":
            to_frames = [to_frames[i] for i in gallery.tolist()]
        return OF_DISTANCES[aggregation](to_frames)


def _key(question: Question, protocol: str) -> Key:
    """Return what is asked with: a part, or one structure of it."""
    return question.part, question.structure if protocol == STRUCTURE else None


def _query_of(part: EncodedPart, structure: str | None, codes: Codes) -> Items:
    if structure is not None:
        return part.structures[structure]
    return part.spread if codes == "windows" else _each(part.frames)


def _each(frames: CodeArray) -> Items:
    """Return each frame's code as an item of its own."""
    return [code[None] for code in frames]


def _cut(items: Items, bits: int) -> Items:
    return [codes[:, : bits // 8] for codes in items]


def figures(distances: Values, relevant: Flags) -> dict[str, float]:
    """Return the figures of one ranking; chance is that of one where all distances are equal."""
    groups = tie_groups(distances[None].astype(np.float32), relevant[None])
    hits = expected_hits(groups, np.array(RANKS, np.int64))[0]
    found = int(relevant.sum())
    precision = {f"p_at_{k}": float(hits[i]) / min(k, found) for i, k in enumerate(RANKS)}
    return {"ap": float(average_precision(groups)[0]), **precision, "recall_at_10": float(hits[-1]) / found}


def row_of(found: Sequence[Mapping[str, float]], questions: Sequence[Question], parts: Sequence[Part]) -> Row:
    """Return the figures of a row: means over people of means over structures of means over parts."""
    people = np.array([parts[question.part].person for question in questions])
    names = {"ap": "macro_map"} | {name: name for name in found[0] if name != "ap"}
    by_person = {
        name: np.array([_of_person(found, questions, people == person, name) for person in np.unique(people)])
        for name in names
    }
    interval = bootstrap_means(by_person["ap"][:, None])
    return {
        **{names[name]: float(values.mean()) for name, values in by_person.items()},
        "ci95": [interval.low, interval.high],
        "ci95_unit": "people",
        "clusters": len(by_person["ap"]),
        "queries": len(questions),
        "structures": len({question.structure for question in questions}),
    }


def _of_person(
    found: Sequence[Mapping[str, float]], questions: Sequence[Question], mine: Flags, name: str
) -> float:
    """Return the mean over structures of the mean over one person's parts."""
    by_structure: dict[str, list[float]] = {}
    for one, question, asked in zip(found, questions, mine.tolist(), strict=True):
        if asked:
            by_structure.setdefault(question.structure, []).append(one[name])
    return float(np.mean([np.mean(values) for values in by_structure.values()]))
