"""Documents made in child processes, since they are made of a foreign file."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import asdict
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from hmar.decoding.answers import raise_error
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import DecodeLimits
from hmar.decoding.messages import Channel, EndedError, MessageError
from hmar.errors import DecodeError, UnavailableError
from hmar.reporting.contents import Contents
from hmar.values.exports import Document

PROGRAM = "hmar.reporting.fork_server"
START_S = 60.0
"""The first export waits for the program to import what it needs."""
AT_A_TIME = 2
HEAD_BYTES = 64 << 20
"""Of the query's file: patient and study stand in front, and pixels are not needed."""
MOST_BYTES = 256 << 20
_UID = re.compile(r"[0-9.]{1,64}")
_REMEDY = "Check that the query's file is complete and undamaged."
NO_PICTURE: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)


class ContainedWriter:
    """Makes documents. Thread-safe. The program that makes them starts with the first.

    Parameters
    ----------
    limits : DecodeLimits
        What one export may cost.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(AT_A_TIME)
        self._server: ForkServer | None = None

    def write(self, contents: Contents, file: bytes, picture: NDArray[np.uint8]) -> tuple[Document, ...]:
        """Return the documents that ``contents`` wants, in their order.

        Parameters
        ----------
        contents : Contents
        file : bytes
            Of the query; it is read, and not kept.
        picture : ndarray of uint8, shape (rows, columns, 3)
            Query and hits; ``NO_PICTURE`` where none is wanted.

        Raises
        ------
        DecodeError
            If no document can be made of the file, or it is not the query's.
        UnavailableError
            If no process can be started, or none is free in time.
        """
        if not self._free.acquire(timeout=self._limits.wait_s):
            raise UnavailableError(
                f"{AT_A_TIME} exports are under way, for longer than {self._limits.wait_s:g} seconds.",
                "Try again later.",
            )
        try:
            return self._written(contents, file, picture)
        finally:
            self._free.release()

    def close(self) -> None:
        """End the processes. What is being made meanwhile fails."""
        with self._lock:
            if self._server is not None:
                self._server.close()

    def _written(self, contents: Contents, file: bytes, picture: NDArray[np.uint8]) -> tuple[Document, ...]:
        server = self._started()
        process_id, channel = server.fork()
        try:
            head = file[:HEAD_BYTES]
            request = {
                "limits": asdict(self._limits),
                "contents": contents.to_json(),
                "file": len(head),
                "picture": picture.shape,
            }
            channel.send(request, head + picture.tobytes())
            answer, size = channel.receive(time.monotonic() + self._limits.wall_s + START_S)
            raise_error(answer)
            return _documents(answer.get("documents"), _payload(channel, size), contents)
        except (EndedError, MessageError, TimeoutError):
            raise DecodeError("No document can be made of the query's file.", _REMEDY) from None
        finally:
            channel.close()
            server.end(process_id)

    def _started(self) -> ForkServer:
        with self._lock:
            if self._server is None:
                self._server = ForkServer(PROGRAM)
            return self._server


def _payload(channel: Channel, size: int) -> bytes:
    if size > MOST_BYTES:
        raise MessageError
    return channel.payload(size)


def _documents(told: object, data: bytes, contents: Contents) -> tuple[Document, ...]:
    """Return the documents of an answer; raises MessageError for what cannot be."""
    if not isinstance(told, list) or len(told) != len(contents.kinds):
        raise MessageError
    made: list[Document] = []
    begin = 0
    for kind, each in zip(contents.kinds, told, strict=True):
        if not _is_sound(each) or (each[0], each[2]) != (kind, contents.query.study_uid):
            raise MessageError
        _, sop_class, study, series, instance, size = each
        made.append(Document(kind, sop_class, study, series, instance, data[begin : begin + size]))
        begin += size
    if begin != len(data):
        raise MessageError
    return tuple(made)


def _is_sound(told: object) -> TypeGuard[tuple[str, str, str, str, str, int]]:
    """Whether something is a kind, four UIDs and a size."""
    if not isinstance(told, list) or len(told) != 6:
        return False
    _, *uids, size = told
    whole = isinstance(size, int) and not isinstance(size, bool)
    return whole and size > 0 and all(isinstance(uid, str) and _UID.fullmatch(uid) for uid in uids)
