"""What is used last is kept within its bytes, made once for all who wait, and forgotten when asked to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.recent import Recent


class Maker:
    """Counts what it makes: a text of as many letters as asked for."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, length: int) -> Callable[[], str]:
        def make() -> str:
            self.made += 1
            return "x" * length

        return make


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_a_value_is_made_once_while_it_is_kept(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    assert [recent.get("a", maker(3)) for _ in range(3)] == ["xxx"] * 3
    assert (maker.made, recent.kept("a"), recent.kept("b")) == (1, "xxx", None)


def test_the_value_used_longest_ago_goes_first(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    for key in ("a", "b", "a", "c"):
        recent.get(key, maker(4))
    assert recent.keys() == {"a", "c"}


def test_what_is_larger_than_all_that_may_be_kept_displaces_nothing(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    recent.get("a", maker(10))
    assert len(recent.get("b", maker(11))) == 11
    assert recent.keys() == {"a"}


def test_threads_that_ask_for_the_same_wait_for_one_that_makes_it(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    begun, go_on = threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return maker(5)()

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(recent.get, "a", make)
        assert begun.wait(10)
        others = [pool.submit(recent.get, "a", make) for _ in range(3)]
        go_on.set()
        assert {future.result(10) for future in (first, *others)} == {"xxxxx"}
    assert maker.made == 1


def test_those_who_wait_for_what_cannot_be_made_hear_why_and_the_next_tries_again(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    begun, go_on = threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert go_on.wait(10)
        raise ValueError("no")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(recent.get, "a", fail)
        assert begun.wait(10)
        second = pool.submit(recent.get, "a", fail)
        go_on.set()
        for future in (first, second):
            with pytest.raises(ValueError, match="no"):
                future.result(10)
    assert recent.get("a", maker(2)) == "xx"


@pytest.mark.parametrize("forget", [lambda recent: recent.drop(["a"]), lambda recent: recent.forget()])
def test_what_is_forgotten_while_it_is_made_is_not_kept(
    maker: Maker, forget: Callable[[Recent[str, str]], None]
) -> None:
    recent = Recent[str, str](10, len)

    def make() -> str:
        assert recent.keys() == {"a"}
        forget(recent)
        return maker(5)()

    assert recent.get("a", make) == "xxxxx"
    assert recent.keys() == set()
    recent.get("a", maker(5))
    assert maker.made == 2


def test_what_nobody_asks_for_is_forgotten_after_some_time(maker: Maker) -> None:
    now = [0.0]
    recent = Recent[str, str](10, len, lambda: now[0])
    for key in ("a", "b"):
        recent.get(key, maker(5))
    now[0] = 50.0
    recent.get("a", maker(5))
    now[0] = 100.0
    recent.forget(unused_for_s=60.0)
    assert recent.keys() == {"a"}
    recent.get("c", maker(5))
    assert recent.keys() == {"a", "c"}


def test_all_is_forgotten_at_once(maker: Maker) -> None:
    recent = Recent[str, str](10, len)
    for key in ("a", "b"):
        recent.get(key, maker(5))
    recent.forget()
    assert recent.keys() == set()
    for key in ("c", "d"):
        recent.get(key, maker(5))
    assert recent.keys() == {"c", "d"}
