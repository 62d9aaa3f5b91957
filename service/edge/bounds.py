"""All bounds of the edge in one value."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from hmar.config import Settings

WAITING_PER_THREAD = 8
"""Requests that may wait for each thread, where HMAR_WEB_WAITING does not say."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one server takes on.

    Parameters
    ----------
    threads : int
        Requests worked on at a time.
    waiting : int
        Requests that may wait for a thread.
    connections : int
        Connections open at a time.
    header_s : float
        Time in which a request's line and headers must come.
    transfer_s : float
        Grace of a body and of an answer, to which their size at ``bytes_per_s`` is added.
    bytes_per_s : int
        Slowest rate of a body and of an answer.
    stop_s : int
        Time that requests in hand have when the server stops.
    requests_per_minute : int
        Of one key or login, and of one address.
    key_concurrency : int
        Requests of one key or login at a time.
    failures_per_minute : int
        Wrong keys and login links of one address.
    proxies : tuple of network
        Peers whose X-Forwarded headers are believed.
    """

    threads: int = 4
    waiting: int = 32
    connections: int = 256
    header_s: float = 10.0
    transfer_s: float = 30.0
    bytes_per_s: int = 64 << 10
    stop_s: int = 3
    requests_per_minute: int = 30_000
    key_concurrency: int = 18
    failures_per_minute: int = 30
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Return the bounds that the settings name; 0 is replaced by what follows from HMAR_WEB_THREADS."""
        threads = settings.web_threads
        waiting = settings.web_waiting or WAITING_PER_THREAD * threads
        return cls(
            threads=threads,
            waiting=waiting,
            connections=settings.web_connections,
            header_s=settings.header_seconds,
            transfer_s=settings.transfer_seconds,
            bytes_per_s=settings.transfer_bytes_per_second,
            requests_per_minute=settings.requests_per_minute,
            key_concurrency=settings.key_concurrency or (threads + waiting + 1) // 2,
            failures_per_minute=settings.failures_per_minute,
            proxies=settings.proxy_networks,
        )
