"""Ways to a syslog receiver: datagrams (RFC 5426), and streams, plain (RFC 6587) or within TLS (RFC 5425)."""

from __future__ import annotations

import socket
import ssl
from typing import Protocol

from hmar.syslog_receiver import SyslogReceiver

CONNECT_S = 5.0
SEND_S = 5.0


class Sender(Protocol):
    """Sends messages one by one. For one thread; :meth:`close` alone may come from another."""

    def send(self, message: bytes) -> None:
        """Send a message; raises OSError where it cannot."""

    def close(self) -> None:
        """End the connection; the next message begins another."""


def sender_to(receiver: SyslogReceiver) -> Sender:
    """Return what sends to a receiver; nothing is opened yet."""
    return Datagrams(receiver) if receiver.transport == "udp" else Stream(receiver)


class Datagrams:
    """Each message is a datagram: none is acknowledged, and nobody knows of those that are lost.

    Parameters
    ----------
    receiver : SyslogReceiver
    """

    def __init__(self, receiver: SyslogReceiver) -> None:
        self._receiver = receiver
        self._socket: socket.socket | None = None

    def send(self, message: bytes) -> None:
        """Send a message; raises OSError where the system knows that it cannot."""
        if self._socket is None:
            found = socket.getaddrinfo(self._receiver.host, self._receiver.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            opened = socket.socket(family, kind, protocol)
            opened.settimeout(SEND_S)
            opened.connect(address)
            self._socket = opened
        self._socket.send(message)

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


class Stream:
    """Messages follow each other on one connection, each after its length.

    Parameters
    ----------
    receiver : SyslogReceiver
        Of tls, its certificate is verified against those that the system trusts.
    """

    def __init__(self, receiver: SyslogReceiver) -> None:
        self._receiver = receiver
        self._socket: socket.socket | None = None

    def send(self, message: bytes) -> None:
        """Send a message; raises OSError where the receiver is not there, is another, or does not read."""
        if self._socket is not None and _has_ended(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connected()
        self._socket.settimeout(SEND_S)
        self._socket.sendall(b"%d %b" % (len(message), message))

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        host, port = self._receiver.host, self._receiver.port
        opened = socket.create_connection((host, port), timeout=CONNECT_S)
        if self._receiver.transport == "tcp":
            return opened
        try:
            return ssl.create_default_context().wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise


def _has_ended(opened: socket.socket) -> bool:
    """Return whether the receiver has closed the connection: what is sent then would be lost unnoticed."""
    opened.settimeout(0.0)
    try:
        return opened.recv(1) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
