"""Children are lent in order of asking, to one thread each, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from hmar.contents import Content
from hmar.decoding.pool import Pool
from hmar.errors import UnavailableError


class FakeChild:
    def __init__(self, *files: int) -> None:
        self.files = files
        self.usable = True
        self.ended = False

    def holds(self, file: int) -> bool:
        return file in self.files

    def serves(self, data: Content) -> bool:
        return data == b""

    def end(self) -> int:
        self.ended = True
        self.usable = False
        return 0


class Rig:
    def __init__(self, size: int, wait_s: float = 30.0) -> None:
        self.started: list[FakeChild] = []
        self.failures = 0
        self.pool = Pool(self.start, size, wait_s)  # type: ignore[arg-type]

    def start(self, _data: Content) -> FakeChild:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("No child.", "None.")
        child = FakeChild(len(self.started))
        self.started.append(child)
        return child

    def waiting(self) -> int:
        return len(self.pool._waiting)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_child_that_cannot_open_the_file_makes_way_for_one_that_can() -> None:
    rig = Rig(1)
    with rig.pool.child(9) as first:
        pass
    with rig.pool.child(10, b"another") as second:
        assert second is not first
    assert first.ended  # type: ignore[attr-defined]
    assert rig.pool.replaced == 0


def test_children_are_started_when_needed_and_used_again() -> None:
    rig = Rig(2)
    with rig.pool.child(9) as first, rig.pool.child(9) as second:
        assert [first, second] == rig.started
    with rig.pool.child(9):
        assert len(rig.started) == 2


def test_the_child_that_has_the_file_open_is_preferred() -> None:
    rig = Rig(3)
    with rig.pool.child(9), rig.pool.child(9), rig.pool.child(9):
        pass
    for file in (1, 0, 2, 1):
        with rig.pool.child(file) as child:
            assert child is rig.started[file]


def test_a_child_that_is_no_longer_usable_is_ended_and_replaced() -> None:
    rig = Rig(1)
    with rig.pool.child(0) as child:
        child.usable = False  # type: ignore[misc]
    assert rig.started[0].ended
    with rig.pool.child(0) as child:
        assert child is rig.started[1]
    rig.started[1].usable = False
    with rig.pool.child(0) as child:
        assert child is rig.started[2]
    assert rig.started[1].ended


def test_threads_are_served_in_the_order_in_which_they_asked() -> None:
    rig, served = Rig(1), []

    def ask(number: int) -> None:
        with rig.pool.child(0):
            served.append(number)

    with rig.pool.child(0):
        threads = []
        for number in range(6):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            until(lambda expected=number + 1: rig.waiting() == expected)
    for thread in threads:
        thread.join()
    assert served == list(range(6))
    assert len(rig.started) == 1


def test_who_waits_too_long_is_told_and_the_place_is_not_lost() -> None:
    rig = Rig(1, wait_s=0.01)
    with (
        rig.pool.child(0),
        pytest.raises(UnavailableError, match="All 1 decoders are in use"),
        rig.pool.child(0),
    ):
        pass
    assert rig.waiting() == 0
    with rig.pool.child(0):
        assert len(rig.started) == 1


def test_a_child_that_cannot_be_started_leaves_its_place_to_the_next() -> None:
    rig = Rig(1)
    rig.failures = 1
    with pytest.raises(UnavailableError, match="No child"), rig.pool.child(0):
        pass
    with rig.pool.child(0):
        assert len(rig.started) == 1


def test_an_error_of_the_borrower_gives_the_child_back() -> None:
    rig = Rig(1)
    with pytest.raises(ValueError, match="mine"), rig.pool.child(0):
        raise ValueError("mine")
    with rig.pool.child(0) as child:
        assert child is rig.started[0]


def test_closing_ends_idle_children_at_once_and_others_when_they_come_back() -> None:
    rig, refused = Rig(2), []

    def ask() -> None:
        try:
            with rig.pool.child(0):
                pass
        except UnavailableError:
            refused.append(True)

    with rig.pool.child(0) as busy:
        with rig.pool.child(0) as idle:
            thread = threading.Thread(target=ask)
            thread.start()
            until(lambda: rig.waiting() == 1)
            rig.pool.close()
            thread.join()
            assert refused == [True]
        assert idle.ended  # type: ignore[attr-defined]
        assert not busy.ended  # type: ignore[attr-defined]
    assert busy.ended  # type: ignore[attr-defined]
    with pytest.raises(UnavailableError, match="closed"), rig.pool.child(0):
        pass
