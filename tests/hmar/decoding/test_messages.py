"""The format of messages: what fits is carried, what does not is refused."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from hmar.decoding.messages import (
    _PREFIX,
    KEPT_BYTES,
    MAGIC,
    MAX_HEADER_BYTES,
    VERSION,
    Channel,
    EndedError,
    MessageError,
    memory_file,
)

Ends = tuple[Channel, Channel, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two channels that talk to each other, and the first one's socket."""
    ours, theirs = socket.socketpair()
    files = [memory_file(), memory_file()]
    first = Channel(ours, files[0], files[1])
    second = Channel(theirs, os.dup(files[1]), os.dup(files[0]))
    yield first, second, ours
    first.close()
    second.close()


def soon() -> float:
    return time.monotonic() + 30


def framed(header: bytes, magic: bytes = MAGIC, version: int = VERSION, size: int | None = None) -> bytes:
    return _PREFIX.pack(magic, version, len(header) if size is None else size, 0) + header


def test_headers_and_payloads_arrive_as_they_were_sent(ends: Ends) -> None:
    first, second, _ = ends
    for number, payload in enumerate((b"", b"abc", bytes(range(256)) * 9000)):
        first.send({"number": number, "text": "ä"}, payload)
        header, size = second.receive(soon())
        assert header == {"number": number, "text": "ä"}
        assert second.payload(size) == payload
        second.send({}, payload)
        _, size = first.receive(soon())
        target = bytearray(size)
        first.read_into(memoryview(target))
        assert target == payload


def test_a_second_message_follows_the_first(ends: Ends) -> None:
    first, second, _ = ends
    first.send({"number": 1}, b"abc", {"number": 2})
    assert second.receive(soon()) == ({"number": 1}, 3)
    assert second.receive(soon()) == ({"number": 2}, 0)
    assert second.payload(3) == b"abc"


@pytest.mark.parametrize(
    "message",
    [
        framed(b"{}", magic=b"HMRX"),
        framed(b"{}", version=VERSION + 1),
        framed(b"", size=MAX_HEADER_BYTES + 1),
        framed(b"[1]"),
        framed(b"{"),
        framed(b"\xff\xfe"),
        framed(b"[" * 100_000),
        framed(b'{"a": ' + b"9" * 5000 + b"}"),
        framed(b'{"a": [1' + b"0" * 400 + b"]}"),
        framed(b'{"a": -%d}' % 2**63),
    ],
    ids=["magic", "version", "length", "list", "cut", "bytes", "nested", "number", "float", "negative"],
)
def test_what_is_no_message_is_refused(ends: Ends, message: bytes) -> None:
    _, second, socket_of_first = ends
    socket_of_first.sendall(message)
    with pytest.raises(MessageError):
        second.receive(soon())


def test_a_payload_that_is_shorter_than_it_says_is_refused(ends: Ends) -> None:
    first, second, _ = ends
    first.send({}, b"abc")
    with pytest.raises(MessageError):
        second.payload(4)
    with pytest.raises(MessageError):
        second.read_into(memoryview(bytearray(4)))


def test_a_number_that_json_cannot_hold_is_not_sent(ends: Ends) -> None:
    with pytest.raises(ValueError, match="JSON"):
        ends[0].send({"value": float("nan")})


def test_waiting_ends_with_the_deadline(ends: Ends) -> None:
    with pytest.raises(TimeoutError):
        ends[0].receive(time.monotonic() - 1)


def test_the_end_of_the_other_side_is_noticed(ends: Ends) -> None:
    first, second, _ = ends
    assert not first.ended()
    second.close()
    assert first.ended()
    with pytest.raises(EndedError):
        first.receive(soon())
    with pytest.raises(EndedError):
        first.send({})


def test_what_nobody_asked_for_counts_as_an_end(ends: Ends) -> None:
    ends[1].send({})
    assert ends[0].ended()


@pytest.mark.slow
def test_large_memory_files_are_emptied_after_use(ends: Ends) -> None:
    first, second, _ = ends
    first.send({}, bytes(KEPT_BYTES))
    first.trim(KEPT_BYTES)
    assert second.payload(1) == b"\0"
    first.send({}, bytes(KEPT_BYTES + 1))
    first.trim(KEPT_BYTES + 1)
    with pytest.raises(MessageError):
        second.payload(1)
