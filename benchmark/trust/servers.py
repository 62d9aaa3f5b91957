"""Broker, worker and web server of one archive, each a process that may be killed and is started again here.

``hmar serve`` waits longer after each crash of a part, up to half a minute. Here a part is started again at
once, so that hundreds of kills fit into minutes; kills under ``hmar serve`` itself are trials of their own.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.trust.nursery import HungError, Life, begin
from benchmark.trust.settings import environment_of, settings_of
from hmar.adapters.celery_queue import CeleryQueue
from hmar.adapters.embedded_broker import HOST, EmbeddedBroker, embedded_broker, free_port
from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.ports import JobStore
from hmar.values.identity import administrator
from hmar.values.jobs import Job
from hmar.wiring import Engine, build_engine

READY_S = 60.0
POLL_S = 0.05
_PROGRAMS = {"worker": "workers.__main__:main", "service": "service.__main__:main"}


class Servers:
    """The processes of an archive. Use :func:`serving`.

    Parameters
    ----------
    folder : Path
        Holds ``home``, the data directory, and the logs.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._broker: EmbeddedBroker = embedded_broker()
        self._port = free_port(HOST)
        more = {"HMAR_REDIS_URL": self._broker.url, "HMAR_PORT": str(self._port)}
        self._environment = environment_of(self.home, **more)
        self.settings: Settings = settings_of(self.home, **more)
        self._lives: dict[str, Life] = {}
        self._broker_process: subprocess.Popen[bytes] | None = None
        self.engine: Engine = build_engine(self.settings)
        self.key = self.engine.keys.create(administrator("trust"))

    @property
    def jobs(self) -> JobStore:
        """The jobs of the archive."""
        return self.engine.jobs

    @property
    def queue(self) -> CeleryQueue:
        """A connection of its own to the broker."""
        return CeleryQueue(self._broker.url)

    def start(self, name: str) -> None:
        """Start ``broker``, ``worker`` or ``service``."""
        if name == "broker":
            self._start_broker()
        else:
            self._lives[name] = begin(self._folder, name, self._environment, _PROGRAMS[name])

    def pid(self, name: str) -> int:
        """Return the process id of a part."""
        if name == "broker" and self._broker_process is not None:
            return self._broker_process.pid
        return self._lives[name].pid

    def kill(self, name: str) -> None:
        """Kill a part with SIGKILL, and wait for its end."""
        if name == "broker" and self._broker_process is not None:
            self._broker_process.kill()
            self._broker_process.wait()
        else:
            self._lives[name].kill()
            self._lives[name].wait()

    def gone(self, name: str, patience_s: float) -> bool:
        """Wait for a part to end by a kill of somebody else; return whether it did."""
        self._lives[name].process.join(patience_s)
        return not self._lives[name].process.is_alive()

    def wait_ready(self) -> None:
        """Wait until /readyz answers 200; HungError where it does not."""
        self.until(lambda: self.status("/readyz") == 200, "the product was not ready")

    def until(self, condition: Any, problem: str, patience_s: float = READY_S) -> None:
        """Wait for a condition; raise HungError with the logs' ends where it does not come."""
        end = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > end:
                logs = "; ".join(f"{name}: {life.last_lines()}" for name, life in self._lives.items())
                raise HungError(f"{problem} within {patience_s:.0f} s ({logs})")
            time.sleep(POLL_S)

    def finished(self, job_id: str, patience_s: float = READY_S) -> Job:
        """Wait for a job's end, and return it."""

        def ended() -> bool:
            job = self.jobs.job(job_id)
            return job is not None and job.finished

        self.until(ended, f"job {job_id} did not end", patience_s)
        job = self.jobs.job(job_id)
        if job is None:
            raise HungError(f"job {job_id} vanished")
        return job

    def status(self, path: str) -> int:
        """Return the status of a GET, 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310 - our own
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://{HOST}:{self._port}"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and JSON of a request, (0, None) where the connection broke."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}{path}", data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (OSError, ValueError):
            return 0, None

    def log(self, name: str) -> str:
        """Return all that a part has printed."""
        path = self._folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """End all parts: the service and the worker by SIGTERM, so that they finish; the broker last."""
        for life in self._lives.values():
            if life.process.is_alive():
                life.process.terminate()
        for life in self._lives.values():
            life.process.join(READY_S)
            if life.process.is_alive():
                life.kill()
        if self._broker_process is not None:
            self._broker_process.kill()
            self._broker_process.wait()
        self.engine.close()

    def _start_broker(self) -> None:
        self._broker_process = subprocess.Popen(  # noqa: S603 - our own command
            self._broker.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        if self._broker_process.stdin is not None:
            self._broker_process.stdin.write(self._broker.configuration.encode())
            self._broker_process.stdin.close()
        self.until(self._broker_answers, "the broker did not answer")

    def _broker_answers(self) -> bool:
        try:
            return self.queue.backlog() >= 0
        except UnavailableError:
            return False


@contextmanager
def serving(folder: Path, parts: tuple[str, ...] = ("broker", "worker", "service")) -> Iterator[Servers]:
    """Run the parts of an archive until the context ends."""
    folder.mkdir(parents=True, exist_ok=True)
    servers = Servers(folder)
    try:
        for name in parts:
            servers.start(name)
        if parts == ("broker", "worker", "service"):
            servers.wait_ready()
        yield servers
    finally:
        servers.stop()
