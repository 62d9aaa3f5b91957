"""The product as its users start it: a supervisor in a process of its own, over a fresh data directory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hmar.product.running import RunningProduct, running_product

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_S = 120.0


class Product:
    """A running product, what it printed at its start, and its API."""

    def __init__(self, running: RunningProduct, settings: dict[str, str]) -> None:
        self.home = running.home
        self.process = running.process
        self.output = running.output
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HMAR_")}
        self.environment = inherited | {"HMAR_HOME": str(running.home)} | settings
        self.url = self._found(r"Address +(\S+)")
        self.key = running.key

    def request(
        self, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Call the API with the first key; return the status and the JSON."""
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ready(self) -> bool:
        """Return whether /readyz answers 200."""
        try:
            return self.request("/readyz")[0] == 200
        except (OSError, ValueError):
            return False

    def finished(self, job_id: str) -> dict[str, Any]:
        """Wait for a job's end and return it."""
        until(lambda: self.request(f"/api/v1/index-jobs/{job_id}")[1].get("finished"), self.output)
        return self.request(f"/api/v1/index-jobs/{job_id}")[1]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``hmar ARGUMENTS`` beside the product."""
        return hmar(self.environment, *arguments)

    def children(self) -> dict[int, str]:
        """Return the command lines of the supervisor's children, by process id."""
        return children(self.process.pid)

    def pid(self, name: str) -> int:
        """Return the process id of the child whose command line holds ``name``."""
        [pid] = [pid for pid, command in self.children().items() if name in command]
        return pid

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(TIMEOUT_S)

    def _found(self, pattern: str) -> str:
        match = re.search(pattern, self.output())
        assert match is not None, self.output()
        return match[1]


@contextmanager
def started(home: Path, **settings: str) -> Iterator[Product]:
    """Run the product until the context ends, whatever the test does to it."""
    chosen = {"HMAR_MODEL_DIR": "thumbnail", "HMAR_ITEM_LEASE_S": "2", "COLUMNS": "120"} | settings
    with running_product(home, chosen) as running:
        yield Product(running, chosen)


def hmar(
    environment: dict[str, str], *arguments: str, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``hmar ARGUMENTS`` to its end, with what is ``typed``."""
    return subprocess.run(
        [sys.executable, "-m", "hmar.cli", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        input=typed,
    )


def children(parent: int) -> dict[int, str]:
    """Return the command lines of a process's children, by their id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # proc(5): the name, in parentheses, may hold anything; state and parent follow it.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode().replace("\0", " ")
        except OSError:
            # It ended meanwhile.
            continue
    return found


def alive(pids: Iterable[int]) -> list[int]:
    """Return which processes are still there."""
    return [pid for pid in pids if Path("/proc", str(pid)).exists()]


def until(condition: Callable[[], object], explain: Callable[[], str], timeout_s: float = TIMEOUT_S) -> None:
    """Wait for a condition; fail with the product's output when it does not come."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.05)
