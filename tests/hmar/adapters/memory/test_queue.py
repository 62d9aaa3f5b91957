from __future__ import annotations

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.values.jobs import Message

A, B, C = Message("expand", "a"), Message("item", "b"), Message("item", "c")


def test_messages_wait_until_there_is_a_handler() -> None:
    queue, handled = InlineQueue(), list[Message]()
    queue.enqueue([A])
    assert (queue.ping(), queue.waiting) == (0, [A])
    queue.handler = handled.append
    queue.enqueue([B])
    assert (queue.ping(), queue.waiting, handled) == (1, [], [A, B])


def test_what_a_handler_enqueues_is_handled_after_it_not_inside_it() -> None:
    steps: list[str] = []

    def handle(message: Message) -> None:
        steps.append(f"begin {message.target}")
        if message == A:
            queue.enqueue([B, C])
        steps.append(f"end {message.target}")

    queue = InlineQueue(handle)
    queue.enqueue([A])
    assert steps == ["begin a", "end a", "begin b", "end b", "begin c", "end c"]


def test_what_a_handler_raises_comes_out_and_the_rest_waits() -> None:
    handled: list[Message] = []

    def handle(message: Message) -> None:
        if message == A:
            raise RuntimeError("broken")
        handled.append(message)

    queue = InlineQueue(handle)
    with pytest.raises(RuntimeError, match="broken"):
        queue.enqueue([A, B])
    assert queue.waiting == [B]
    queue.enqueue([C])
    assert handled == [B, C]
