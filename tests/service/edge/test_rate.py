from __future__ import annotations

import asyncio

from service.edge.rate import Rate


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves only by what is slept."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def call_later(self, delay, callback, *arguments, context=None):  # type: ignore[no-untyped-def]
        self.now += delay
        return self.call_soon(callback, *arguments, context=context)


def waits(asked: int, per_s: float, pause_s: float = 0.0) -> list[float]:
    loop = StillLoop()

    async def ask() -> list[float]:
        rate, waited = Rate(per_s), []
        for _ in range(asked):
            begun = loop.now
            await rate.turn()
            waited.append(round(loop.now - begun, 6))
            loop.now += pause_s
        return waited

    try:
        return loop.run_until_complete(ask())
    finally:
        loop.close()


def test_the_turns_of_a_second_are_given_at_once_and_then_one_after_the_other() -> None:
    assert waits(14, 10.0) == [0.0] * 10 + [0.1] * 4


def test_who_asks_no_faster_than_that_never_waits() -> None:
    assert waits(50, 10.0, pause_s=0.1) == [0.0] * 50


def test_a_turn_that_is_cancelled_ends_at_once() -> None:
    async def cancelled() -> bool:
        rate = Rate(1.0)
        await rate.turn()
        waiting = asyncio.create_task(rate.turn())
        await asyncio.sleep(0)
        waiting.cancel()
        await waiting
        return waiting.done()

    assert asyncio.run(cancelled())
