"""The product in one command: broker, worker and web server under one parent.

The parent restarts what crashes and stops all in order: first the web server (no new work), then the worker
(which finishes its file), then the broker. Nothing depends on that order being kept: killing all of them at
any moment loses no work.

supervisord and honcho are not used because neither waits until a part answers before it starts the next, nor
until a part has ended before it stops the one that it needs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TextIO

from hmar.adapters.embedded_broker import embedded_broker, free_port
from hmar.config import Settings
from hmar.disk import writing
from hmar.errors import ConfigError, HmarError, UnavailableError
from hmar.home import make_folders, written_by_others
from hmar.locks import locked
from hmar.processes import Child
from hmar.product.greeting import greeting, service_url
from hmar.product.sample_offer import offer_sample
from hmar.secrets import replace_private
from hmar.wiring import Engine, build_engine

READY_TIMEOUT_S = 180.0
GRACE_S = {"listener": 15.0, "service": 20.0, "worker": 20.0, "broker": 5.0}
"""Longest that a part may take to end: the web server answers what it has in hand, and sends what waits for
the audit log's receiver."""
HOPELESS = 3
"""Number of crashes of one part, before the product was ever ready, at which the start is given up."""


class Supervisor:
    """Runs the product until SIGINT, SIGTERM or SIGHUP; a second signal stops it without grace.

    Parameters
    ----------
    settings : Settings
        ``redis_url`` empty starts the embedded broker; ``port`` 0 takes a free one.
    out : TextIO
        Takes the greeting and all output of the children. The greeting holds a login link and a key where
        it is a terminal.
    """

    def __init__(self, settings: Settings, out: TextIO) -> None:
        self._settings = settings
        self._out = out
        self._out_lock = threading.Lock()
        self._signals = 0
        self._stopping = threading.Event()
        self._children: list[Child] = []

    def run(self) -> None:
        """Run the product.

        Raises
        ------
        ConfigError
            If the port is in use, another supervisor runs on the same HMAR_HOME, or the settings name what
            lives in one process.
        UnavailableError
            If a part does not start.
        """
        self._settings.check_shared()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        run_dir = self._settings.home / "run"
        make_folders(self._settings)
        if written_by_others(self._settings.home):
            self._say(
                "hmar", "Other users may write HMAR_HOME and alter the archive; chmod go-w takes that away"
            )
        with writing("HMAR_HOME"):
            run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _only_one(run_dir):
            self._settings = replace(self._settings, port=_open_port(self._settings))
            try:
                self._serve(run_dir)
            finally:
                self._stop()
                for name in ("broker.url", "service.url"):
                    (run_dir / name).unlink(missing_ok=True)

    def _serve(self, run_dir: Path) -> None:
        self._start_broker(run_dir)
        engine = build_engine(self._settings)
        # The schema is brought up to date once, here, before the children open the database.
        last_seq = engine.catalogue.last_seq()
        self._start("worker", [sys.executable, "-m", "workers"])
        self._start("service", [sys.executable, "-m", "service"])
        if self._settings.listen_port:
            self._start("listener", [sys.executable, "-m", "hmar.listener"])
        self._wait(self._ready(engine), "The product is not ready")
        if self._stopping.is_set():
            return
        replace_private(run_dir / "service.url", service_url(self._settings).encode())
        self._say("", greeting(engine, to_person=self._out.isatty()))
        threading.Thread(
            target=offer_sample, args=(engine, last_seq == 0, self._say, self._stopping), daemon=True
        ).start()
        while not self._stopping.wait(0.2):
            self._tend()

    def _start_broker(self, run_dir: Path) -> None:
        if not self._settings.redis_url:
            broker = embedded_broker()
            self._settings = replace(self._settings, redis_url=broker.url)
            self._start("broker", list(broker.command), broker.configuration)
        engine = build_engine(self._settings)
        self._wait(lambda: engine.queue.backlog() >= 0, "The broker does not answer")
        replace_private(run_dir / "broker.url", self._settings.redis_url.encode())

    def _start(self, name: str, command: list[str], stdin: str = "") -> None:
        child = Child(name, command, self._environment(), self._say, stdin)
        self._children.append(child)
        child.start()

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "HMAR_HOME": str(self._settings.home),
            "HMAR_HOST": self._settings.host,
            "HMAR_PORT": str(self._settings.port),
            "HMAR_REDIS_URL": self._settings.redis_url,
            "HMAR_WEB_PROCESSES": str(self._settings.web_processes),
            "PYTHONUNBUFFERED": "1",
        }

    def _ready(self, engine: Engine) -> Callable[[], bool]:
        url = f"{service_url(self._settings)}/readyz"
        return lambda: _answers(url) and engine.queue.ping() > 0

    def _wait(self, condition: Callable[[], bool], problem: str) -> None:
        """Tend the children until a condition holds; raises UnavailableError where that is hopeless."""
        end = time.monotonic() + READY_TIMEOUT_S
        while not self._stopping.is_set() and not _holds(condition):
            self._tend()
            crashed = [child.name for child in self._children if child.failures >= HOPELESS]
            if crashed or time.monotonic() > end:
                why = f"{', '.join(crashed)} crashed {HOPELESS} times" if crashed else "it took too long"
                raise UnavailableError(f"{problem}: {why}.", "Read its output above, or run 'hmar doctor'.")
            self._stopping.wait(0.1)

    def _tend(self) -> None:
        for child in self._children:
            child.tend()

    def _stop(self) -> None:
        if self._children:
            self._say("hmar", "stopping; Ctrl-C again stops without waiting")
        for child in reversed(self._children):
            child.stop(GRACE_S[child.name], hurry=lambda: self._signals > 1)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._stopping.set()

    def _say(self, name: str, line: str) -> None:
        # A reader that went away (a closed terminal, "| head") must neither keep the children from being
        # stopped nor their output from being read: a child whose pipe is full blocks. A line that the
        # terminal's encoding lacks signs for is a ValueError.
        with self._out_lock, suppress(OSError, ValueError):
            self._out.write(f"{name:>7} | {line}\n" if name else f"\n{line}\n\n")
            self._out.flush()


@contextmanager
def _only_one(run_dir: Path) -> Iterator[None]:
    """Hold the lock of a data directory; raises ConfigError where another supervisor does."""
    with ExitStack() as stack:
        with writing("HMAR_HOME/run"):
            held = stack.enter_context(locked(run_dir / "lock", exclusive=True, wait=False))
        if not held:
            raise ConfigError(
                "The product runs already on this data directory.",
                "Stop it first, or set HMAR_HOME to another folder.",
            )
        yield


def _open_port(settings: Settings) -> int:
    try:
        return free_port(settings.host, settings.port)
    except OSError as error:
        raise ConfigError(
            f"Port {settings.port} of {settings.host} cannot be opened ({error.strerror}).",
            "Stop what uses it, or choose another with --port; --port 0 takes a free one.",
        ) from error


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except HmarError:
        return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        # A full disk keeps nobody from searching.
        with error, suppress(OSError, ValueError):
            return error.code == 503 and json.load(error).get("detail") == "Not ready: disk."
        return False
    except (urllib.error.URLError, OSError):
        return False
