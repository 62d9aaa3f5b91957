"""A fork server whose children do harm, in place of hmar.decoding.fork_server: the file says what.

A file is a word and the number of its frames, such as ``b"abort 3"``: every frame decodes but frame 2, which
does what the word says. ``b"open abort 1"`` does it when the file is opened, ``b"first abort 1"`` in frame 1.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hmar.decoding import child, fork_server
from hmar.decoding.launcher import ForkServer
from hmar.errors import DecodeError
from hmar.values.frames import Frame, FrameInfo, FrameInfos, Units
from tests.frames import frame_info

SIDE = 64
PROGRAM = __name__ if __name__ != "__main__" else "tests.hmar.decoding.hostile"


class PanicError(BaseException):
    """Like the panic of a library written in Rust."""


def hostile_server() -> ForkServer:
    return ForkServer(PROGRAM)


def loop() -> None:
    while True:
        pass


def take_memory() -> None:
    taken = []
    while True:
        taken.append(np.zeros(1 << 22))


def panic() -> None:
    raise PanicError


def open_socket() -> None:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", 9))


def send_text() -> None:
    Child.channel._connection.sendall(b"not a message of the format at all, and longer than a prefix")
    time.sleep(60)


def fill_shared_memory() -> None:
    block = bytes(1 << 24)
    for number in range(100):
        os.pwrite(Child.channel._outgoing, block, number * len(block))


def tell_secrets() -> None:
    raise DecodeError(f"{[name for name in os.environ if name.startswith('HMAR')]}", "None.")


def kill_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


DEEDS: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(8),
    "exit": lambda: os._exit(3),
    "quit": lambda: (_ for _ in ()).throw(SystemExit(0)),
    "loop": loop,
    "sleep": lambda: time.sleep(600),
    "memory": take_memory,
    "panic": panic,
    "recursion": lambda: (_ for _ in ()).throw(RecursionError),
    "file": lambda: Path("/etc/hostname").read_bytes(),
    "socket": open_socket,
    "text": send_text,
    "fill": fill_shared_memory,
    "secrets": tell_secrets,
    "kill-parent": kill_parent,
}
LIES: dict[str, Callable[[Frame], Frame]] = {
    "shape": lambda frame: Frame(frame.info, frame.values[:-1], frame.units),
    "nan": lambda frame: Frame(frame.info, frame.values * np.float32("nan"), frame.units),
    "range": lambda frame: Frame(frame.info, frame.values + 7, frame.units),
    "hu": lambda frame: Frame(frame.info, frame.values - 2000, Units.HU),
    "window": lambda frame: Frame(frame.info, frame.values, frame.units, ("a", "b")),  # type: ignore[arg-type]
}


class HostileFile:
    def __init__(self, deed: str, count: int, bad: int = 2) -> None:
        self.deed = deed
        self.bad = bad
        info = frame_info(SIDE, SIDE)
        self._infos = FrameInfos(info, count)

    @property
    def infos(self) -> Sequence[FrameInfo]:
        return self._infos

    def frame(self, frame_number: int) -> Frame:
        values = np.full((SIDE, SIDE), frame_number / 100, np.float32)
        frame = Frame(self._infos[frame_number - 1], values, Units.PRESENTATION)
        if frame_number != self.bad:
            return frame
        if self.deed in LIES:
            return LIES[self.deed](frame)
        DEEDS[self.deed]()
        return frame


class HostileDecoder:
    def __init__(self, *_arguments: object) -> None:
        self.opened = 0

    def open(self, data: bytes) -> HostileFile:
        *when, deed, count = data.decode().split()
        if when == ["open"]:
            DEEDS[deed]()
        self.opened += 1
        return HostileFile(deed, int(count), 1 if when == ["first"] else 2)


class Child(child.Child):
    channel: Any

    def __init__(self, channel: Any, *arguments: Any) -> None:
        Child.channel = channel
        super().__init__(channel, *arguments)


if __name__ == "__main__":
    child.ImageDecoder = HostileDecoder  # type: ignore[misc, assignment]
    child.Child = Child  # type: ignore[misc]
    fork_server.main()
