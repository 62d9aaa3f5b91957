"""Deliveries over HTTP, by Python's own library: to addresses that were judged, and no others.

A name is resolved here, its addresses are judged, and the connection goes to one of those: it cannot be
resolved to another one in between. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from hmar.errors import ParameterError, shown
from hmar.ports import Posted
from hmar.webhooks.addresses import Networks, Target, refusal, target_of

DEADLINE_S = 10.0
"""For the connection, the delivery and its answer together."""
Resolve = Callable[[str, int], list[str]]


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a name; raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # for a name such as a..example
        raise socket.gaierror(socket.EAI_NONAME, "no name of a host") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpReceivers:
    """A :class:`hmar.ports.Receivers` over HTTP/1.1. Thread-safe. No redirection is followed.

    Parameters
    ----------
    allowed : sequence of networks
        See :func:`hmar.webhooks.addresses.target_of`.
    context : ssl.SSLContext, optional
        Verifies receivers; without it, by the certificates that the system trusts.
    resolve : callable
        Returns the addresses of a name, given a port too; raises OSError.
    deadline_s : float
        For one delivery, in seconds.
    """

    def __init__(
        self,
        allowed: Networks,
        context: ssl.SSLContext | None = None,
        resolve: Resolve = resolved,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._allowed = allowed
        self._context = context or ssl.create_default_context()
        self._resolve = resolve
        self._deadline_s = deadline_s

    def check(self, url: str) -> None:
        """Raise ParameterError unless deliveries can be sent to a URL."""
        target = target_of(url, self._allowed)
        try:
            self._addresses(target)
        except _RefusedError as error:
            raise ParameterError(
                f"{shown(target.host)} cannot be sent to: {error}.",
                "Give another address, or allow it in HMAR_WEBHOOK_NETWORKS.",
            ) from error
        except OSError as error:
            raise ParameterError(
                f"The host {shown(target.host)} cannot be resolved.", "Check its name, and the resolver."
            ) from error

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Send a body once, and return what came of it; errors of the network become a fault."""
        expired = threading.Event()
        try:
            target = target_of(url, self._allowed)
            addresses = self._addresses(target)
            status = self._status(target, addresses, headers, body, expired)
        except _RefusedError as error:
            return Posted(0, f"Nothing was sent: {error}.")
        except ParameterError as error:
            return Posted(0, f"Nothing was sent. {error.detail}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Posted(0, self._fault(error, expired.is_set()))
        if 200 <= status < 300:
            return Posted(status, None)
        also = " Redirections are not followed." if 300 <= status < 400 else ""
        return Posted(status, f"The receiver answered {status}.{also}")

    def _addresses(self, target: Target) -> list[str]:
        addresses = self._resolve(target.host, target.port)
        for address in addresses:
            why = refusal(address, self._allowed, target.secure)
            if why is not None:
                raise _RefusedError(f"its address is {address}, and {why}")
        if not addresses:
            raise OSError("no address")
        return addresses

    def _status(
        self,
        target: Target,
        addresses: list[str],
        headers: Mapping[str, str],
        body: bytes,
        expired: threading.Event,
    ) -> int:
        """Return the status that a receiver answers with."""
        end = time.monotonic() + self._deadline_s
        plain = self._connected(target, addresses, end)
        made = http.client.HTTPSConnection if target.secure else http.client.HTTPConnection
        connection = made(target.host, target.port)
        try:
            used = plain
            if target.secure:
                used = self._context.wrap_socket(
                    plain, server_hostname=target.host, do_handshake_on_connect=False
                )
            connection.sock = used
            with _ending(used, end - time.monotonic(), expired):
                if isinstance(used, ssl.SSLSocket):
                    used.do_handshake()
                connection.request("POST", target.path, body, dict(headers))
                status = connection.getresponse().status
            if expired.is_set():  # headers that were cut off read as if they had ended
                raise TimeoutError
            return status
        finally:
            connection.close()
            plain.close()

    def _connected(self, target: Target, addresses: list[str], end: float) -> socket.socket:
        last: OSError = TimeoutError()
        for address in addresses:
            left_s = end - time.monotonic()
            if left_s <= 0:
                break
            try:
                return socket.create_connection((address, target.port), left_s)
            except OSError as error:
                last = error
        raise last

    def _fault(self, error: Exception, expired: bool) -> str:
        """Return what an error of the network means, without a text of a library."""
        if expired or isinstance(error, TimeoutError):
            return f"The receiver did not answer within {self._deadline_s:g} s."
        if isinstance(error, ssl.SSLCertVerificationError):
            return "The receiver's certificate cannot be verified."
        if isinstance(error, socket.gaierror):
            return "The receiver's name cannot be resolved."
        if isinstance(error, ConnectionRefusedError):
            return "The receiver refuses connections."
        if isinstance(error, OSError):
            return f"The connection failed ({type(error).__name__})."
        return "The receiver answered what is no HTTP."


class _RefusedError(Exception):
    """An address that nothing is sent to, and why."""


@contextmanager
def _ending(used: socket.socket, after_s: float, expired: threading.Event) -> Iterator[None]:
    """Cut a connection off after some seconds: one that trickles would keep each read alive."""

    def cut() -> None:
        expired.set()
        with suppress(OSError):
            # The base class: that of TLS would drop its state under the thread that reads.
            socket.socket.shutdown(used, socket.SHUT_RDWR)

    timer = threading.Timer(max(after_s, 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
