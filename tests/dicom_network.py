"""A listener of a test, in this process, on a free port of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from hmar.config import Settings
from hmar.listener.objects import Objects
from hmar.listener.server import listening
from hmar.spool import LISTENER, Spool, Spooled


class Listener(NamedTuple):
    """A running listener."""

    port: int
    settings: Settings
    spool: Spool

    def received(self) -> list[Spooled]:
        return list(self.spool.waiting(LISTENER))

    def contents(self) -> list[bytes]:
        return [file.path.read_bytes() for file in self.received()]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_listener(
    home: Path, check_room: Callable[[], None] = lambda: None, **more: object
) -> Iterator[Listener]:
    """Run one on a data directory until the context ends."""
    settings = Settings(home=home, listen_port=free_port(), **more).checked()  # type: ignore[arg-type]
    spool = Spool(settings.spool_root)
    objects = Objects(
        lambda: spool.draft(LISTENER, settings.listen_collection, settings.max_file_bytes, check_room),
        settings.listen_collection,
    )
    server = listening(settings, objects)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Listener(settings.listen_port, settings, spool)
    finally:
        server.shutdown()
        thread.join()
