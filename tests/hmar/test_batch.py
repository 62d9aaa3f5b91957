"""Several queries at once: order, errors, and each frame read and encoded once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.batch import answer_batch
from hmar.errors import DecodeError, InputError, OperatorError, ParameterError
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.codes import Query
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.results import Results
from hmar.values.selection import Selection
from tests.contract.examples import ORIGIN
from tests.frames import textured_frame

ALL = Selection()
BOX, OUTSIDE = Box(40, 50, 60, 60), Box(250, 0, 40, 40)


class Counting(ThumbnailEncoder):
    """An encoder that counts the frames it was given as queries."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def queries(self, frame: Frame, asked: Sequence[Sequence[Box]]) -> list[Query]:
        self.encoded += 1
        return super().queries(frame, asked)


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
def searcher(encoder: Counting) -> Searcher:
    catalogue = MemoryCatalogue()
    catalogue.append("default", [encoder.encode(textured_frame(9))], ORIGIN)
    return Searcher(catalogue, MemoryIndex(encoder.fingerprint), encoder)


def answered(searcher: Searcher, *queries: tuple[int, Sequence[Box]]) -> list[Results | InputError]:
    """Answer queries whose source is the seed of a frame; -1 cannot be read, -2 is no fault of the query."""
    opened: list[int] = []

    def read(seed: int) -> tuple[Frame, Selection]:
        opened.append(seed)
        if seed == -1:
            raise DecodeError("The file is damaged.", "Send another.")
        if seed == -2:
            raise OperatorError("The disk is gone.", "Bring it back.")
        return textured_frame(seed), ALL

    found = answer_batch(
        queries, read, lambda frame, chosen, asked: searcher.answers(frame, asked, 5, None, chosen)
    )
    assert sorted(opened) == sorted({seed for seed, _ in queries}), "each source is opened once"
    return found


def test_each_query_is_answered_as_it_is_alone_in_its_place(searcher: Searcher, encoder: Counting) -> None:
    queries: list[tuple[int, Sequence[Box]]] = [(1, ()), (2, [BOX]), (1, [BOX]), (1, [BOX, BOX])]
    found = answered(searcher, *queries)
    assert encoder.encoded == 2
    for (seed, regions), result in zip(queries, found, strict=True):
        assert isinstance(result, Results)
        alone = searcher.answer(textured_frame(seed), regions, 5, None, ALL)
        assert result.to_dict() | {"took_ms": 0} == alone.to_dict() | {"took_ms": 0}
    assert [result.mode for result in found if isinstance(result, Results)] == [
        "auto",
        "local",
        "local",
        "local",
    ]


def test_what_cannot_be_answered_does_not_end_the_others(searcher: Searcher, encoder: Counting) -> None:
    found = answered(searcher, (-1, ()), (1, [OUTSIDE]), (1, [BOX]), (-1, [BOX]), (3, [BOX, OUTSIDE]))
    assert [type(each).__name__ for each in found] == [
        "DecodeError", "RegionError", "Results", "DecodeError", "RegionError",
    ]  # fmt: skip
    assert encoder.encoded == 1, "a frame of which nothing can be answered is not encoded"


def test_a_fault_of_the_server_ends_the_batch(searcher: Searcher) -> None:
    with pytest.raises(OperatorError):
        answered(searcher, (1, ()), (-2, ()))


def test_options_out_of_range_end_the_batch_before_anything_is_encoded(
    searcher: Searcher, encoder: Counting
) -> None:
    with pytest.raises(ParameterError, match="k is 0"):
        searcher.answers(textured_frame(1), [()], 0, None, ALL)
    with pytest.raises(ParameterError, match="17 regions"):
        searcher.answers(textured_frame(1), [(), [BOX] * 17], 5, None, ALL)
    assert encoder.encoded == 0


def test_no_queries_have_no_answers(searcher: Searcher) -> None:
    assert answered(searcher) == []
