"""The same trouble is logged once a minute, other lines always."""

from __future__ import annotations

import logging

from hmar.logs import EVERY_S, OnceAMinute


def record(text: str, level: int = logging.WARNING, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("hmar", level, __file__, 1, text, arguments, None)


def test_the_same_text_passes_once_a_minute_and_then_says_how_often_it_was_left_out() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    assert told.filter(record("not ready: %s", logging.WARNING, "disk"))
    for _ in range(3):
        now[0] += 1
        assert not told.filter(record("not ready: %s", logging.WARNING, "disk"))
    assert told.filter(record("not ready: %s", logging.WARNING, "broker"))
    now[0] = EVERY_S
    again = record("not ready: %s", logging.WARNING, "disk")
    assert told.filter(again)
    assert again.getMessage() == "not ready: disk (3 more like it before)"


def test_a_text_that_was_not_left_out_stays_as_it_is() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    told.filter(record("trouble"))
    now[0] = 10 * EVERY_S
    again = record("trouble")
    assert told.filter(again)
    assert again.getMessage() == "trouble"


def test_what_is_no_trouble_always_passes() -> None:
    told = OnceAMinute(lambda: 0.0)
    assert all(told.filter(record("GET /", logging.INFO)) for _ in range(3))


def test_texts_of_long_ago_are_forgotten() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    for number in range(100):
        now[0] += EVERY_S
        told.filter(record(f"trouble {number}"))
    assert len(told._told) <= 3
