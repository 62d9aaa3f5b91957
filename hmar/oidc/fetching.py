"""JSON from the identity provider: bounded in size and time, and never from where a redirection leads."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from hmar.errors import IdentityProviderError

MOST_BYTES = 256 << 10
SILENCE_S = 3.0
"""Longest that the provider may take to connect, or between two pieces of its answer."""
WHOLE_S = 5.0
"""Longest that its whole answer may take once there is a connection."""
_OK = 200

FetchJson = Callable[[str], dict[str, Any]]
"""Takes a URL and returns the object there; raises IdentityProviderError."""


def fetch_json(url: str) -> dict[str, Any]:
    """Return the JSON object at a URL of the identity provider.

    Certificates are verified against those that the system trusts.

    Raises
    ------
    IdentityProviderError
        If it cannot be reached, does not prove who it is, or answers something else or too much.
    """
    try:
        status, body = _get(url)
    except ssl.SSLCertVerificationError as error:
        raise IdentityProviderError(
            f"The certificate of the identity provider at {url} cannot be verified ({error.verify_message}).",
            "Let the system trust your site's authority, or name its certificate in SSL_CERT_FILE.",
        ) from error
    except (OSError, HTTPException, UnicodeError) as error:  # the last for a host such as a..example
        raise IdentityProviderError(
            f"The identity provider does not answer at {url} ({type(error).__name__}).",
            "Check HMAR_OIDC_ISSUER, the network, and whether the provider runs.",
        ) from error
    if status != _OK:
        raise IdentityProviderError(
            f"The identity provider answers {status} at {url}.",
            "Check HMAR_OIDC_ISSUER, below which it must describe itself. Redirections are not followed.",
        )
    return _parsed(url, body)


def _parsed(url: str, body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise IdentityProviderError(
            f"The identity provider sends more than {MOST_BYTES} bytes at {url}.", "Check HMAR_OIDC_ISSUER."
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IdentityProviderError(
            f"The identity provider sends no JSON object at {url}.", "Check HMAR_OIDC_ISSUER."
        )
    return found


def _get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _connected(parts.scheme, parts.hostname or "", parts.port) as connection:
        connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES + 1)


@contextmanager
def _connected(scheme: str, host: str, port: int | None) -> Iterator[HTTPConnection]:
    """Open a connection that ends after WHOLE_S, however slowly the other side sends."""
    if scheme == "https":
        context = ssl.create_default_context()
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=SILENCE_S, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=SILENCE_S)
    try:
        connection.connect()
        late = threading.Timer(WHOLE_S, _end, (connection.sock,))
        late.daemon = True
        late.start()
        try:
            yield connection
        finally:
            late.cancel()
    finally:
        connection.close()


def _end(opened: socket.socket) -> None:
    """Wake whoever reads from a socket, with an end that came too early."""
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended already
        return
