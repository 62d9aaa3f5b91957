"""A program that imports once what takes long, and forks a child when it is asked to.

A fork takes milliseconds where an import takes half a second, which matters when a job has a hundred files
that crash a decoder. Forking is safe here and not in the product: this process has one thread. Its standard
output and error lead nowhere, and so do those of the children: libraries print there what they please.

A request is five bytes: ``F`` with three descriptors asks for a child on them and is answered with its
process id; ``E`` with a process id ends that child, if it has not ended by itself, and tells its exit status.
When the other side is gone, the server ends, and the kernel ends its children.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from hmar.decoding.messages import Channel
from hmar.decoding.restraint import die_with_parent

REQUEST = struct.Struct(">ci")
ANSWER = struct.Struct(">i")
_DESCRIPTORS = 3
_REMEMBERED = 1000
"""Exit statuses of children; their parent may never ask."""

Serve = Callable[[Channel], None]
"""What a child does until its parent is gone."""


def serve_forks(warm_up: Callable[[], None], serve: Serve) -> None:
    """Serve on the descriptor in argument 1 for the process in argument 2."""
    control = socket.socket(fileno=int(sys.argv[1]))
    if os.getppid() != int(sys.argv[2]):
        return
    warm_up()
    gc.freeze()
    children = Children(serve)
    while True:
        data, descriptors, _flags, _address = socket.recv_fds(
            control, REQUEST.size, _DESCRIPTORS, socket.MSG_WAITALL
        )
        if len(data) < REQUEST.size:
            return
        kind, number = REQUEST.unpack(data)
        answer = children.fork(control, descriptors) if kind == b"F" else children.end(number)
        control.sendall(ANSWER.pack(answer))


class Children:
    """The children, and how those ended that nobody has asked for yet.

    Parameters
    ----------
    serve : callable
        What each of them does.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._living: set[int] = set()
        self._statuses: OrderedDict[int, int] = OrderedDict()

    def fork(self, control: socket.socket, descriptors: list[int]) -> int:
        """Start a child on its descriptors; return its process id."""
        self._reap()
        server, process_id = os.getpid(), os.fork()
        if process_id == 0:
            _run(self._serve, control, descriptors, server)
        for descriptor in descriptors:
            os.close(descriptor)
        self._living.add(process_id)
        return process_id

    def end(self, process_id: int) -> int:
        """Kill a child unless it has ended; return its exit status, negative for a signal."""
        if process_id in self._living:
            # Its id is its own until it is waited for, which happens here alone.
            os.kill(process_id, signal.SIGKILL)
            self._note(*os.waitpid(process_id, 0))
        # A child of a server that was killed itself was killed with it.
        return self._statuses.pop(process_id, -signal.SIGKILL)

    def _reap(self) -> None:
        """Wait for those that have ended, so that none stays a zombie."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._note(*ended)

    def _note(self, process_id: int, status: int) -> None:
        self._living.discard(process_id)
        self._statuses[process_id] = os.waitstatus_to_exitcode(status)
        while len(self._statuses) > _REMEMBERED:
            self._statuses.popitem(last=False)


def _run(serve: Serve, control: socket.socket, descriptors: list[int], server: int) -> NoReturn:
    """Be a child."""
    status = 1
    try:
        control.close()
        die_with_parent(server)
        connection, incoming, outgoing = descriptors
        serve(Channel(socket.socket(fileno=connection), incoming, outgoing))
        status = 0
    finally:
        os._exit(status)
