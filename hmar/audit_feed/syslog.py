"""Messages as syslog has them (RFC 5424)."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime

APPLICATION = "hmar"
MESSAGE_KIND = "DICOM+RFC3881"
_SECURITY = 10 << 3
"""Facility 10, security messages (section 6.2.1)."""
_SEVERITIES = {"0": 5, "4": 4, "8": 3, "12": 2}
"""By the outcome of an audit message: notice, warning, error, critical."""
_NOT_PRINTABLE = re.compile(r"[^!-~]")


def syslog_message(at: float, outcome: str, message: bytes) -> bytes:
    """Return a message with its header.

    Parameters
    ----------
    at : float
        Seconds since the epoch.
    outcome : str
        Of the audit message.
    message : bytes
        In ASCII, so that it needs no byte order mark (section 6.4).
    """
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = _NOT_PRINTABLE.sub("", socket.gethostname())[:255] or "-"
    priority = _SECURITY + _SEVERITIES[outcome]
    header = f"<{priority}>1 {time} {host} {APPLICATION} {os.getpid()} {MESSAGE_KIND} - "
    return header.encode("ascii") + message
