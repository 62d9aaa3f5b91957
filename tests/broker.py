"""A real broker for tests: the embedded one, on a free port, gone with the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hmar.adapters.celery_queue import CeleryQueue
from hmar.adapters.embedded_broker import embedded_broker
from hmar.errors import UnavailableError


@contextmanager
def running_broker() -> Iterator[str]:
    """Start a broker, yield its URL, and stop it."""
    broker = embedded_broker()
    process = subprocess.Popen(
        broker.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdin is not None
        process.stdin.write(broker.configuration.encode())
        process.stdin.close()
        _wait(broker.url)
        yield broker.url
    finally:
        process.kill()
        process.wait()


def _wait(url: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            CeleryQueue(url).backlog()
        except UnavailableError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
