"""Sockets that listen, before anything is served."""

from __future__ import annotations

import socket

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
            port = sockets[0].getsockname()[1]
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets
