"""The product as its users start it: ``hmar serve`` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hmar.errors import UnavailableError
from hmar.product.greeting import READY

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.05
_REMEDY = "Run 'hmar doctor', then try again."


@dataclass(frozen=True, slots=True)
class RunningProduct:
    """A product that answers.

    Parameters
    ----------
    process : Popen
        The supervisor; its id is that of its process group.
    home : Path
        Its data directory.
    log : Path
        Where its output goes.
    """

    process: subprocess.Popen[str]
    home: Path
    log: Path

    @property
    def url(self) -> str:
        """Address of the web server."""
        return (self.home / "run" / "service.url").read_text()

    @property
    def broker_url(self) -> str:
        """Address of the broker, with its password."""
        return (self.home / "run" / "broker.url").read_text()

    @property
    def key(self) -> str:
        """The API key that was made at the first start."""
        return (self.home / "secrets" / "api-key").read_text()

    def output(self) -> str:
        """Return all that was printed so far."""
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Raise UnavailableError if the product has ended."""
        if self.process.poll() is not None:
            last = " ".join(self.output().strip().splitlines()[-1:])
            raise UnavailableError(f"The product ended: {last}", _REMEDY)


@contextmanager
def running_product(home: Path, settings: Mapping[str, str]) -> Iterator[RunningProduct]:
    """Run broker, worker and web server until the context ends.

    Parameters
    ----------
    home : Path
        Its data directory, created where needed; ``product.log`` in it takes the output.
    settings : mapping of str to str
        As in :func:`start_product`.

    Raises
    ------
    UnavailableError
        If the product ends before it is ready, or is not ready in time.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = home / "product.log"
    log.touch(mode=0o600)
    with log.open("wb") as output:
        process = start_product(home, settings, output)
    try:
        product = RunningProduct(process, home, log)
        _wait(product)
        yield product
    finally:
        _stop(process)


def start_product(home: Path, settings: Mapping[str, str], output: int | IO[bytes]) -> subprocess.Popen[str]:
    """Start the supervisor, and do not wait for it.

    It is the only one in its process group, as a shell's foreground job, and a Ctrl-C in the terminal of its
    parent does not reach it.

    Parameters
    ----------
    home : Path
        Its data directory.
    settings : mapping of str to str
        Environment variables. Those of this process whose names begin with HMAR_ are not passed on; the port
        is a free one unless it is named.
    output : int or file
        Takes what is printed, as :class:`subprocess.Popen` has it.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HMAR_")}
    return subprocess.Popen(
        [sys.executable, "-m", "hmar.cli", "serve"],
        env=inherited | {"HMAR_HOME": str(home), "HMAR_PORT": "0", **settings},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def _wait(product: RunningProduct) -> None:
    """Wait for the greeting: addresses in files may be those that a killed product has left."""
    end = time.monotonic() + START_TIMEOUT_S
    while READY not in product.output():
        product.check()
        if time.monotonic() > end:
            raise UnavailableError(f"The product did not start within {START_TIMEOUT_S:.0f} s.", _REMEDY)
        time.sleep(POLL_S)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
