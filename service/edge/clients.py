"""Who asks: an address, and the digest of a key or login. The key itself is kept nowhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from service.edge.messages import Head

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_COOKIE = re.compile(rb"(?:^|;)\s*hmar_session=([^;]*)")
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


def client_of(head: Head, proxies: Sequence[Network]) -> Client:
    """Return who sent a request; X-Forwarded-For counts only where a known proxy sends it."""
    key = _key(head)
    secret = key if key is not None else _cookie(head)
    credential = None if secret is None else hashlib.sha256(secret).hexdigest()
    tries = key is not None or (head.method == "POST" and head.path == "/login")
    return Client(_grouped(address_of(head, proxies)), credential, tries)


def address_of(head: Head, proxies: Sequence[Network]) -> str:
    """Return the address of the client: the peer's, or the last in X-Forwarded-For that is no known proxy."""
    address = _parsed(head.peer)
    hops = b",".join(head.values(b"x-forwarded-for")).decode("latin-1").split(",")
    while address is not None and hops and any(address in network for network in proxies):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = hop
    return head.peer if address is None else str(address)


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


def _key(head: Head) -> bytes | None:
    scheme, _, credentials = (head.value(b"authorization") or b"").partition(b" ")
    return credentials.strip() if scheme.lower() == b"bearer" else head.value(b"x-api-key")


def _cookie(head: Head) -> bytes | None:
    found = _COOKIE.search(head.value(b"cookie") or b"")
    return found[1] if found else None
