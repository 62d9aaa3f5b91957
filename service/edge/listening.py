"""Sockets that listen, before anything is served."""

from __future__ import annotations

import socket

from hmar.config import Settings
from hmar.errors import ConfigError

BACKLOG = 256


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address that ``host`` stands for, all on one port.

    Parameters
    ----------
    host : str
        Address or name; empty for all addresses of this machine.
    port : int
        0 takes a free one.

    Raises
    ------
    OSError
        If the name is not known, or the port cannot be opened.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            sockets.append(socket.create_server((address, port), family=family, backlog=BACKLOG))
            # Connections inherit it; asyncio sets it only for sockets that name their protocol.
            sockets[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = sockets[0].getsockname()[1]
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


class Inherited(socket.socket):
    """A socket that listens already, and for other processes too."""

    def listen(self, backlog: int = BACKLOG, /) -> None:
        """Leave the queue as long as it is: asyncio would make it as short as what it accepts at a time."""


def listen_at(settings: Settings) -> list[socket.socket]:
    """Return the listening sockets of the settings' address; raises ConfigError where it cannot be opened."""
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise ConfigError(
            f"Port {settings.port} of {settings.host} cannot be opened ({error.strerror}).",
            "Stop what uses it, or choose another with HMAR_PORT; 0 takes a free one.",
        ) from error
