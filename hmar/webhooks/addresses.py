"""Where deliveries may go: addresses of receivers, and those that no receiver has.

A receiver inside the hospital has a private address; that is allowed. What is refused is what only this
machine or its host would answer at: loopback, link-local, metadata of clouds.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from hmar.errors import ParameterError, shown

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

LONGEST_URL = 2000
_METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"))
)
"""Where clouds tell a machine its credentials: AWS, GCP and Azure; Alibaba; Oracle; Azure's host; AWS."""
_THIS_NETWORK = ip_network("0.0.0.0/8")
_NAT64 = ip_network("64:ff9b::/96")
_REMEDY = "Give an address such as https://ris.example/hmar, without user, password and fragment."


class Target(NamedTuple):
    """Where a delivery goes.

    ``path`` is the path and the query; ``secure`` is False for plain HTTP, which only loopback may get.
    """

    host: str
    port: int
    path: str
    secure: bool


def target_of(url: str, allowed: Networks) -> Target:
    """Return where a URL leads; nothing is resolved.

    Parameters
    ----------
    url : str
    allowed : sequence of networks
        Of receivers that are allowed although their addresses would be refused. Plain HTTP is allowed where
        they hold an address of loopback.

    Raises
    ------
    ParameterError
        If it is no address of a receiver. What stands in it is not repeated, but for its scheme.
    """
    if len(url) > LONGEST_URL or not all("!" <= char <= "~" for char in url):
        raise ParameterError("The URL is too long, or has characters that no URL has.", _REMEDY)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ParameterError("The URL cannot be read.", _REMEDY) from error
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise ParameterError("The URL has no host, or has a user, a password or a fragment.", _REMEDY)
    if parts.scheme not in ("http", "https"):
        raise ParameterError(f"The scheme of the URL is {shown(parts.scheme)}.", _REMEDY)
    secure = parts.scheme == "https"
    if not secure and not any(network.is_loopback for network in allowed):
        raise ParameterError(
            "The scheme of the URL is http.",
            "Use https. Only loopback may be sent to by http, where HMAR_WEBHOOK_NETWORKS names it.",
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if secure else 80), path, secure)


def refusal(address: str, allowed: Networks, secure: bool) -> str | None:
    """Return why nothing is sent to an address, or None if it may be.

    Parameters
    ----------
    address : str
        Of IP, as a name was resolved to.
    allowed : sequence of networks
    secure : bool
        Whether it is asked by https.
    """
    found = _meant(ip_address(address.partition("%")[0]))
    if not secure and not found.is_loopback:
        return "by http nothing is sent but to loopback"
    if any(found in network for network in allowed):
        return None
    kinds = {
        "loopback": found.is_loopback,
        "link-local": found.is_link_local,
        "metadata of a cloud": found in _METADATA,
        "multicast": found.is_multicast,
        "unspecified": found.is_unspecified or found in _THIS_NETWORK,
        "reserved": found.is_reserved,
    }
    return next((f"it is {kind}" for kind, held in kinds.items() if held), None)


def _meant(address: Address) -> Address:
    """Return the address of IPv4 that one of IPv6 stands for, where it does."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
