"""The product's own word on an archive, compared with the oracle's: searches, and ``hmar doctor``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.trust.oracle.answers import (
    BITS,
    Answer,
    K,
    expected_global,
    expected_local,
    queries,
    query_windows,
)
from benchmark.trust.oracle.rows import Codes, Live, live_rows
from benchmark.trust.settings import settings_of
from hmar.cli.checks import examine
from hmar.config import Settings
from hmar.values.codes import CODE_BYTES, Query
from hmar.values.findings import State
from hmar.values.hits import CodeHit
from hmar.values.selection import Selection
from hmar.wiring import Engine, build_engine

MACHINE = frozenset({"free disk", "python", "codecs"})
"""Parts of doctor's that are about the machine and not the archive."""


def wrong_answers(home: Path, rows: list[Live] | None = None) -> list[str]:
    """Search an archive as its product does, and compare with its rows, or with those that it should have."""
    rows = live_rows(home) if rows is None else rows
    engine = build_engine(settings_of(home))
    try:
        engine.searcher.refresh()
        asked = queries({row.key: row.codes for row in rows})
        return [wrong for query in asked for wrong in _compared(engine, rows, query_windows(query))]
    finally:
        engine.close()


def doctors_findings(home: Path, settings: Settings | None = None) -> list[str]:
    """Return what ``hmar doctor`` says of the archive and is not well."""
    return [
        f"doctor: {finding.part}: {finding.found}"
        for finding in examine(settings or settings_of(home))
        if finding.state is State.FAILED and finding.part not in MACHINE
    ]


def _compared(engine: Engine, rows: list[Live], codes: Codes) -> list[str]:
    query, everything = _query(codes), Selection()
    whole = engine.index.search_global(query, K, BITS, everything)
    local = engine.index.search_windows(query, K, BITS, everything)
    found = {
        "whole frame": ([Answer(hit.entry_id, float(hit.global_distance)) for hit in whole], expected_global),
        "windows": ([_local(hit) for hit in local], expected_local),
    }
    return [
        f"search by {name} answers {answer[:3]}..., the rows say {expected(rows, codes)[:3]}..."
        for name, (answer, expected) in found.items()
        if not _equal(answer, expected(rows, codes))
    ]


def _equal(answer: list[Answer], expected: list[Answer]) -> bool:
    same = [hit.entry_id for hit in answer] == [hit.entry_id for hit in expected]
    return same and np.allclose([hit.distance for hit in answer], [hit.distance for hit in expected])


def _local(hit: CodeHit) -> Answer:
    return Answer(hit.entry_id, hit.local_distance)


def _query(codes: Codes) -> Query:
    windows = np.frombuffer(codes.window_codes, np.uint8).reshape(-1, CODE_BYTES)
    return Query(np.frombuffer(codes.global_code, np.uint8), windows, (0.5, 0.5))
