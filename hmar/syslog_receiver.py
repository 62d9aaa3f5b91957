"""Where the audit log is also sent, as the settings name it."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from hmar.errors import ConfigError, shown

Transport = Literal["udp", "tcp", "tls"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
_PORTS: dict[Transport, int] = {"udp": 514, "tcp": 601, "tls": 6514}
"""Where no port is given: RFC 5426, 6587 and 5425 (and what IANA has for tcp)."""


class SyslogReceiver(NamedTuple):
    """A syslog receiver, and the way to it."""

    transport: Transport
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> SyslogReceiver:
        """Return what a URL such as ``syslog+tls://logs.example:6514`` names; raises ConfigError."""
        try:
            parts = urlsplit(url)
            transport, host, port = parts.scheme.removeprefix("syslog+"), parts.hostname, parts.port
            bare = url == f"syslog+{transport}://{parts.netloc}" and "@" not in url
        except ValueError:
            transport, host, port, bare = "", None, None, False
        if transport not in TRANSPORTS or not host or not bare:
            raise ConfigError(
                f"HMAR_AUDIT_SYSLOG is {shown(url)}.",
                "Give syslog+tls://host:6514, or with tcp or udp in place of tls.",
            )
        return cls(transport, host, port or _PORTS[transport])

    def __str__(self) -> str:
        return f"{self.host}:{self.port} ({self.transport})"
