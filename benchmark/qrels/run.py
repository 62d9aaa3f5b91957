"""``hmar bench qrels``: topics are searched for, and judged frames looked for among the hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.metrics.ties import average_precision, expected_hits, tie_groups
from benchmark.qrels.files import Topic
from benchmark.types import Progress
from hmar.errors import NotFoundError
from hmar.search import Searcher
from hmar.values.codes import Bits
from hmar.values.frames import Frame
from hmar.values.hits import Hit, Mode
from hmar.values.search_limits import MAX_K
from hmar.values.selection import Selection
from hmar.wiring import Engine

RANK = 10
METRIC = (
    "judged frames alone, the others left out of the ranking (condensed lists: Sakai, SIGIR 2007), expected "
    "under ties; mAP over the relevant ones, of which those beyond the first 1000 hits are not found; P@10 "
    "over min(10, R); means over topics"
)
Row = dict[str, object]


def run_qrels(
    engine: Engine,
    topics: Sequence[Topic],
    qrels: Mapping[str, Mapping[str, bool]],
    mode: Mode | None,
    bits: Sequence[Bits],
    progress: Progress,
) -> list[Row]:
    """Measure an archive by judgements of it; a row for each code length.

    Raises
    ------
    NotFoundError
        If no topic can be asked: all are by files, or nothing relevant was judged.
    """
    asked = [
        topic
        for topic in topics
        if topic.sop_instance_uid is not None and any(qrels.get(topic.name, {}).values())
    ]
    if not asked:
        raise NotFoundError(
            "No topic is by a frame of the archive and has a relevant frame.",
            "Judge more hits, and export again.",
        )
    found: dict[Bits, list[tuple[float, float]]] = {length: [] for length in bits}
    for done, topic in enumerate(asked, start=1):
        frame, own = _frame(engine, topic)
        for length in bits:
            hits = _hits(engine.searcher, frame, topic, mode, length, own)
            found[length].append(_figures(hits, qrels[topic.name]))
        progress("asking topics", done, len(asked))
    return [_row(engine, mode, length, values, len(topics)) for length, values in found.items()]


def _frame(engine: Engine, topic: Topic) -> tuple[Frame, frozenset[int]]:
    entries = [
        entry
        for entry in engine.catalogue.find(topic.sop_instance_uid or "", engine.encoder.fingerprint)
        if entry.info.frame_number == topic.frame_number
    ]
    if not entries:
        raise NotFoundError(
            f"The frame of topic {topic.name} is not indexed.", "Export judgements and topics again."
        )
    return engine.frame(entries[0]), frozenset(entry.entry_id for entry in entries)


def _hits(
    searcher: Searcher, frame: Frame, topic: Topic, mode: Mode | None, bits: Bits, own: frozenset[int]
) -> Sequence[Hit]:
    return searcher.answer(frame, topic.regions, MAX_K, mode, Selection(exclude=own), bits).hits


def _figures(hits: Sequence[Hit], judged: Mapping[str, bool]) -> tuple[float, float]:
    """Return average precision and P@10 of one topic."""
    nearest: dict[str, float] = {}
    for hit in hits:
        info = hit.entry.info
        nearest.setdefault(f"{info.sop_instance_uid}/{info.frame_number}", hit.distance)
    ranked = [(distance, judged[document]) for document, distance in nearest.items() if document in judged]
    total = sum(judged.values())
    relevant = np.array([[good for _, good in ranked]], np.bool_)
    if not relevant.any():
        return 0.0, 0.0
    groups = tie_groups(np.array([[distance for distance, _ in ranked]], np.float32), relevant)
    precision = float(average_precision(groups)[0]) * int(relevant.sum()) / total
    first = float(expected_hits(groups, np.array([RANK], np.int64))[0, 0])
    return precision, first / min(RANK, total)


def _row(
    engine: Engine, mode: Mode | None, bits: Bits, values: Sequence[tuple[float, float]], topics: int
) -> Row:
    precisions, first = np.array(values).T
    interval = bootstrap_means(precisions[:, None])
    bounds = [interval.low, interval.high] if len(values) > 1 else None
    return {
        "name": "hmar-model",
        "what": "the archive's own model",
        "bits": bits,
        "protocol": "qrels",
        "direction": mode or "by topic",
        "metric": METRIC,
        "macro_map": float(precisions.mean()),
        "p_at_10": float(first.mean()),
        "ci95": bounds,
        "ci95_unit": "topics",
        "clusters": len(values),
        "queries": len(values),
        "left_out": topics - len(values),
        "model": engine.encoder.name,
        "model_fingerprint": engine.encoder.fingerprint,
    }
