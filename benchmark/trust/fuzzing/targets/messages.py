"""Messages as they come from the other process: a prefix, a header of JSON, a payload in a memory file."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping

from benchmark.trust.fuzzing.target import Once, Target
from hmar.decoding.messages import MAGIC, VERSION, Channel, EndedError, MessageError, memory_file

_PREFIX = struct.Struct(">4sHIQ")
_MOST_READ = 1 << 16


def make() -> Once:
    """Return what receives messages until there are no more, and reads their payloads."""
    incoming, outgoing = memory_file(), memory_file()
    os.pwrite(incoming, bytes(range(256)), 0)

    def once(data: bytes) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(data)
        channel = Channel(ours, os.dup(incoming), os.dup(outgoing))
        try:
            while True:
                header, size = channel.receive()
                assert isinstance(header, dict)
                if size <= _MOST_READ:
                    assert len(channel.payload(size)) == size
        except (EndedError, MessageError):
            pass
        finally:
            channel.close()

    return once


def _message(header: object, payload: int = 0) -> bytes:
    encoded = json.dumps(header).encode()
    return _PREFIX.pack(MAGIC, VERSION, len(encoded), payload) + encoded


def seeds() -> Mapping[str, bytes]:
    """Return messages of each kind."""
    return {
        "open": _message({"do": "open", "file": 1}, 200),
        "frame": _message({"do": "frame", "file": 1, "frame": 2, "pixels": 64}),
        "two": _message({"ready": True}) + _message({"healthy": True, "window": [40.0, 400.0]}, 16),
    }


TARGET = Target(make, seeds, weight=80, most_bytes=512)
