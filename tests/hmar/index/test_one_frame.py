"""One frame's codes compared with a query, beside an index that holds the frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.index.one_frame import found_in
from hmar.refining import refined
from hmar.values.codes import Bits, Query
from hmar.values.groups import FrameCodes
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, ORIGIN, encoded, query

FRAMES = [encoded(f"1.{number}", windows=number % 7) for number in range(20)]


def codes_of(number: int, entry_id: int) -> FrameCodes:
    frame = FRAMES[number]
    return FrameCodes(entry_id, frame.global_code, frame.window_codes, frame.window_ids)


def asked() -> list[Query]:
    plain = query(4, seed=1)
    two = replace(plain, region_typicality=(0.5, None))
    judged = refined(plain, [codes_of(6, 7)], [codes_of(5, 6)])
    return [plain, two, judged, replace(plain, window_codes=np.empty((0, 16), np.uint8))]


@pytest.mark.parametrize("bits", [64, 128])
@pytest.mark.parametrize("one", asked(), ids=["one region", "two regions", "weighted bits", "no windows"])
def test_a_frame_is_found_as_an_index_finds_it(one: Query, bits: Bits) -> None:
    catalogue, index = MemoryCatalogue(), MemoryIndex(MODEL)
    catalogue.append("a", FRAMES, ORIGIN)
    index.apply(catalogue.tail(0, 100))
    found = index.search_global(one, len(FRAMES), bits, Selection())
    assert len(found) == len(FRAMES)
    for hit in found:
        assert found_in(codes_of(hit.entry_id - 1, hit.entry_id), one, bits) == hit
