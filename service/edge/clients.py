"""Who asks: an address, and the digest of a key or login. The key itself is kept nowhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from service.edge.messages import Environ
from service.readers.credentials import bearer_of

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SESSION_COOKIE = "hmar_session"
_COOKIE = re.compile(rf"(?:^|;)\s*{SESSION_COOKIE}=([^;]*)")
_IPV6_NET = 64
"""One customer has a whole network of this prefix (RFC 6177), so that it counts as one address."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request.

    Parameters
    ----------
    address : str
        The client's own, which a proxy may have named; of IPv6 its network.
    credential : str or None
        Digest of the key or of the login cookie.
    tries : bool
        Whether the request tries a secret: a key, or a login link.
    """

    address: str
    credential: str | None
    tries: bool


def client_of(environ: Environ) -> Client:
    """Return who sent a request."""
    key = _key(environ)
    secret = key if key is not None else _cookie(environ)
    credential = None if secret is None else hashlib.sha256(secret.encode("latin-1")).hexdigest()
    login = environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == "/login"
    return Client(_grouped(environ["REMOTE_ADDR"]), credential, key is not None or login)


def address_of(environ: Environ, proxies: Sequence[Network]) -> str:
    """Return the address of the client: the peer's, or the last in X-Forwarded-For that is no known proxy.

    The header counts only where a known proxy sends it.
    """
    peer: str = environ["REMOTE_ADDR"]
    address = _parsed(peer)
    hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and hops and any(address in network for network in proxies):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = hop
    return peer if address is None else str(address)


def is_known(peer: str, proxies: Sequence[Network]) -> bool:
    """Return whether a peer is one of the known proxies."""
    address = _parsed(peer)
    return address is not None and any(address in network for network in proxies)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _grouped(address: str) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _IPV6_NET), strict=False))
    return address


def _key(environ: Environ) -> str | None:
    bearer = bearer_of(environ.get("HTTP_AUTHORIZATION", ""))
    return environ.get("HTTP_X_API_KEY") if bearer is None else bearer


def _cookie(environ: Environ) -> str | None:
    found = _COOKIE.search(environ.get("HTTP_COOKIE", ""))
    return found[1] if found else None
