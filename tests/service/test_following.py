"""What is told of a job while it runs, at a clock that is moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hmar.errors import UnavailableError
from hmar.indexing.following import PACE_S, SecondsLeft
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Job, JobState
from service.following import HEARTBEAT, LONGEST_S, events
from service.streams import Streams

JOB = Job("j", "default", Origin("import", "."), JobState.RUNNING, 0.0, 0.0, {}, 0, None)


def at(queued: int, indexed: int, state: JobState = JobState.RUNNING) -> Job:
    return replace(JOB, state=state, counts={ItemState.QUEUED: queued, ItemState.INDEXED: indexed})


class Watched:
    """A job that goes on by a step, and a second, with each pause."""

    def __init__(self, steps: list[Job | Exception | None]) -> None:
        self.now = 0.0
        self._steps: Iterator[Job | Exception | None] = iter(steps)

    def look(self) -> Job | None:
        step = next(self._steps)
        if isinstance(step, Exception):
            raise step
        return step

    def pause(self) -> None:
        self.now += 1.0

    def told(self) -> list[dict[str, Any] | None]:
        """Return the data of all events, None for a heartbeat."""
        return [_data(event) for event in events(self.look, self.pause, lambda: self.now)]


def _data(event: str) -> dict[str, Any] | None:
    if event == HEARTBEAT:
        return None
    name, data, *end = event.split("\n")
    assert (name, end) == ("event: progress", ["", ""])
    found: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return found


def test_what_changes_is_told_until_the_job_has_ended() -> None:
    done = at(0, 4, JobState.DONE)
    told = Watched([at(4, 0), at(4, 0), at(2, 2), done, at(9, 9)]).told()
    assert [event and event["counts"]["indexed"] for event in told] == [0, None, 2, 4]
    assert [event and event["seconds_left"] for event in told] == [None, None, 2.0, 0.0]
    assert [event and event["finished"] for event in told] == [False, None, False, True]
    assert "failed_items" not in (told[0] or {})


def test_a_database_that_does_not_answer_for_a_while_ends_nothing() -> None:
    down = UnavailableError("The database does not answer.", "Start it.")
    told = Watched([down, at(1, 0), down, at(0, 1, JobState.DONE)]).told()
    assert [event and event["counts"]["indexed"] for event in told] == [None, 0, None, 1]


def test_a_job_that_is_not_there_any_more_ends_the_events() -> None:
    told = Watched([at(1, 0), None, at(0, 1, JobState.DONE)]).told()
    assert [event and event["counts"]["queued"] for event in told] == [1]


def test_a_client_has_to_ask_anew_after_a_while() -> None:
    told = Watched([at(1, 0)] * int(LONGEST_S + 9)).told()
    assert told[1:] == [None] * int(LONGEST_S)


def estimates(*seen: tuple[float, Job]) -> list[float | None]:
    left = SecondsLeft()
    return [left.of(job, now) for now, job in seen]


def test_the_time_left_follows_from_the_last_minute() -> None:
    slow = [(float(second), at(100 - second // 30, second // 30)) for second in range(91)]
    assert estimates(*slow)[60] == 98 * 60 / 2
    fast = [(90.0 + second, at(97 - second, 3 + second)) for second in range(1, 90)]
    assert estimates(*slow, *fast)[-1] == (97 - 89) * PACE_S / 60


def test_a_retry_begins_a_new_measurement() -> None:
    seen = [(0.0, at(4, 0)), (2.0, at(2, 2)), (3.0, at(4, 0)), (4.0, at(3, 1))]
    assert estimates(*seen) == [None, 2.0, None, 3.0]


def test_one_client_has_half_of_the_streams_and_each_ends_once() -> None:
    streams = Streams(3)
    first, second = streams.enter("one"), streams.enter("one")
    assert first is not None
    assert second is not None
    assert streams.enter("one") is None
    assert streams.enter("two") is not None
    assert streams.enter("two") is None, "three are open"
    first()
    first()
    assert streams.enter("three") is not None
    assert streams.enter("one") is None


@pytest.mark.parametrize("most", [1, 2])
def test_there_is_a_stream_for_somebody_always(most: int) -> None:
    assert Streams(most).enter("one")
