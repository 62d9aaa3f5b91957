"""What the setting may say of a syslog receiver."""

from __future__ import annotations

import pytest

from hmar.errors import ConfigError
from hmar.syslog_receiver import SyslogReceiver


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("syslog+tls://logs.example", ("tls", "logs.example", 6514)),
        ("syslog+tcp://10.0.0.9:1514", ("tcp", "10.0.0.9", 1514)),
        ("syslog+tcp://logs.example", ("tcp", "logs.example", 601)),
        ("syslog+udp://[::1]", ("udp", "::1", 514)),
    ],
)
def test_a_url_names_transport_host_and_port(url: str, receiver: tuple[str, str, int]) -> None:
    assert SyslogReceiver.parse(url) == receiver


@pytest.mark.parametrize(
    "url",
    [
        "logs.example:514",
        "syslog://logs.example",
        "https://logs.example",
        "syslog+tls://",
        "syslog+tls://:6514",
        "syslog+tls://logs.example:0x",
        "syslog+tls://logs.example:70000",
        "syslog+tls://logs.example/path",
        "syslog+tls://logs.example?a=b",
        "syslog+tls://a:b@logs.example",
        "syslog+tls://[",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="HMAR_AUDIT_SYSLOG"):
        SyslogReceiver.parse(url)
