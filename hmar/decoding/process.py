"""One child as the parent sees it: a question, an answer in time, and how it ended if there is none."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from hmar.contents import Content, FileBytes
from hmar.decoding.answers import (
    check_values,
    raise_error,
    read_header,
    read_identified,
    read_info,
    read_meaning,
    read_note,
    read_size,
    read_type,
    read_uid,
    read_units,
)
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import FILES_KEPT, PAGE_FRAMES, DecodeLimits
from hmar.decoding.messages import EndedError, Header, MessageError
from hmar.errors import HmarError
from hmar.values.frames import Frame, FrameInfo
from hmar.values.headers import FileHeader
from hmar.values.identified import Identified
from hmar.values.stored import StoredArray, StoredFrame, dtype_of, shape_of

_Answer = TypeVar("_Answer")
_Reader = Callable[[dict[str, Any], int], _Answer]


class ChildEndedError(Exception):
    """A child that ended, or was ended, in place of an answer; the text says how."""


class AbsentError(Exception):
    """The child does not hold the file that was asked for."""


class Child:
    """A child process that decodes. Not thread-safe: :class:`hmar.decoding.pool.Pool` lends it to one thread.

    Every method raises ChildEndedError if there is no answer, or none that can be true, and the error that
    the answer carries.

    Parameters
    ----------
    server : ForkServer
        Starts it; UnavailableError if it cannot.
    limits : DecodeLimits
        Of every request.
    secret : bytes
        Keys the hash of patient ids.
    given : FileBytes or None
        The one file that it opens, where that lies on the disk; None for those that are sent to it.
    steps : sequence of bytes
        What each rotation of the secret has drawn, in order.
    """

    def __init__(
        self,
        server: ForkServer,
        limits: DecodeLimits,
        secret: bytes,
        given: FileBytes | None = None,
        steps: Sequence[bytes] = (),
    ) -> None:
        self._server = server
        self._limits = limits
        self._given = given
        self.process_id, self._channel = server.fork(None if given is None else given.descriptor)
        self._usable = False
        self._healthy = True
        self._sent = 0
        self._status: int | None = None
        self._files: deque[int] = deque(maxlen=FILES_KEPT)
        secrets = [key.hex() for key in (secret, *steps)]
        self._ask({"limits": asdict(limits), "secrets": secrets}, lambda _answer, _size: None)

    @property
    def usable(self) -> bool:
        """Whether it lives, and has not asked to be replaced."""
        return self._usable and not self._channel.ended()

    def holds(self, file: int) -> bool:
        """Whether it most likely has a file open."""
        return file in self._files

    def serves(self, data: Content) -> bool:
        """Whether it can be asked to open a file."""
        return data is self._given if isinstance(data, FileBytes) else self._given is None

    def open(self, file: int, data: Content, ahead: bool = False) -> tuple[FrameInfo, int, bool]:
        """Open a file under a number; return its first info, its frames, and whether they are alike.

        With ``ahead``, its first frame is asked for in the same breath, and the child goes on to decode it.
        If no error is raised, :meth:`frame_ahead` must be called next.
        """

        def read(answer: dict[str, Any], _size: int) -> tuple[FrameInfo, int, bool]:
            return (
                read_info(answer.get("first"), 1),
                read_size(answer, "frames", self._limits.max_pixels),
                answer.get("alike") is True,
            )

        self._send(
            *_with_file({"do": "open", "file": file}, data), _frame_request(file, 1) if ahead else None
        )
        try:
            opened = self._answered(read, last=not ahead)
        except HmarError:
            if ahead and self._healthy:
                # It has nothing to decode, and says so.
                with suppress(AbsentError, ChildEndedError, HmarError):
                    self._answered(lambda _answer, _size: None)
            raise
        self._files.append(file)
        return opened

    def identify(self, data: Content) -> Identified:
        """Return what a DICOM instance says that it is."""
        self._send(*_with_file({"do": "identify"}, data))
        return self._answered(lambda answer, _size: read_identified(answer.get("identified")))

    def infos(self, file: int, first: int, count: int) -> list[FrameInfo]:
        """Return the infos of ``count`` frames from number ``first``, at most ``PAGE_FRAMES``."""

        def read(answer: dict[str, Any], _size: int) -> list[FrameInfo]:
            listed = answer.get("infos")
            if not isinstance(listed, list) or len(listed) != min(count, PAGE_FRAMES):
                raise MessageError
            return [read_info(info, number) for number, info in enumerate(listed, start=first)]

        return self._ask({"do": "infos", "file": file, "first": first}, read)

    def frame(self, file: int, info: FrameInfo) -> Frame:
        """Decode the frame that ``info`` is of."""
        return self._ask(_frame_request(file, info.frame_number), self._reader(info))

    def stored(self, file: int, info: FrameInfo) -> StoredFrame:
        """Read the frame that ``info`` is of as it is stored."""

        def read(answer: dict[str, Any], size: int) -> StoredFrame:
            kind = read_type(answer)
            values: StoredArray = np.empty(shape_of(kind, info.rows, info.columns), dtype_of(kind))
            if answer.get("shape") != list(values.shape) or size != values.nbytes:
                raise MessageError
            self._channel.read_into(values.data)
            return StoredFrame(info, values, read_meaning(answer.get("meaning")))

        return self._ask({"do": "stored", "file": file, "frame": info.frame_number}, read)

    def sop_class(self, file: int) -> str | None:
        """Return the SOP class of a file, None where it says none."""

        def read(answer: dict[str, Any], _size: int) -> str | None:
            return read_uid(answer, "sop_class")

        return self._ask({"do": "sop class", "file": file}, read)

    def header(self, file: int, frame_number: int) -> FileHeader:
        """Return what is told of a frame's header."""
        return self._ask(
            {"do": "header", "file": file, "frame": frame_number},
            lambda answer, _size: read_header(answer.get("header")),
        )

    def frame_ahead(self, info: FrameInfo) -> Frame:
        """Return frame 1 of the file just opened with ``ahead``; raises AbsentError if there is none."""
        if not self._healthy:
            raise AbsentError  # it ended itself after it had opened the file
        return self._answered(self._reader(info))

    def end(self) -> int:
        """Kill it, unless it has ended by itself; return its exit status, negative for a signal."""
        self._usable = False
        if self._status is None:
            self._channel.close()
            self._status = self._server.end(self.process_id)
        return self._status

    def _reader(self, info: FrameInfo) -> _Reader[Frame]:
        """Return what makes a frame of an answer."""

        def read(answer: dict[str, Any], size: int) -> Frame:
            units, window = read_units(answer)
            values = np.empty((info.rows, info.columns), np.dtype("<f4"))
            if answer.get("shape") != list(values.shape) or size != values.nbytes:
                raise MessageError
            self._channel.read_into(values.data)
            check_values(values, units)
            return Frame(info, values, units, window, read_note(answer))

        return read

    def _ask(self, request: Header, read: _Reader[_Answer]) -> _Answer:
        self._send(request)
        return self._answered(read)

    def _send(self, request: Header, payload: bytes = b"", following: Header | None = None) -> None:
        # Until all is answered: what nobody waited for must not become the answer to the next question.
        self._usable = False
        self._sent = len(payload)
        with self._ending():
            self._channel.send(request, payload, following)

    def _answered(self, read: _Reader[_Answer], last: bool = True) -> _Answer:
        """Wait for an answer; ``last`` tells whether it is the only one that is still to come."""
        with self._ending():
            answer, size = self._channel.receive(time.monotonic() + self._limits.wall_s)
            self._healthy = answer.get("healthy") is not False
            self._usable = self._healthy and last
            try:
                if answer.get("absent") is True:
                    raise AbsentError
                raise_error(answer)
                return read(answer, size)
            finally:
                if last:  # else the child may be writing
                    self._channel.trim(max(size, self._sent))

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """End a child that gives no answer, or none that can be true; raises ChildEndedError then."""
        try:
            yield
        except TimeoutError:
            self.end()
            raise ChildEndedError(f"it took longer than {self._limits.wall_s:g} seconds") from None
        except EndedError:
            raise ChildEndedError(self._how(self.end())) from None
        except MessageError:
            self.end()
            raise ChildEndedError("the decoder answered what cannot be true of an image") from None

    def _how(self, status: int) -> str:
        """Say what an exit status means."""
        if status == -signal.SIGXCPU:
            return f"it took more than {self._limits.seconds:g} seconds of processor time"
        if status == -signal.SIGKILL:
            return "the decoder was killed from outside, as happens where memory is short"
        if status < 0:
            return f"it crashed the decoder ({signal.Signals(-status).name})"
        return f"the decoder ended with status {status}"


def _with_file(request: Header, data: Content) -> tuple[Header, bytes]:
    """Return a request for a file, and what is sent with it: nothing of one that lies on the disk."""
    if isinstance(data, bytes):
        return request, data
    return {**request, "on_disk": [data.start, len(data)]}, b""


def _frame_request(file: int, frame_number: int) -> Header:
    return {"do": "frame", "file": file, "frame": frame_number}
