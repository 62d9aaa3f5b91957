"""The product as its users start it: a supervisor in a process of its own, over a fresh data directory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_S = 120.0


class Product:
    """Starts the supervisor and waits until it is ready."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = os.environ | {
            "HMAR_HOME": str(home),
            "HMAR_MODEL_DIR": "thumbnail",
            "HMAR_ITEM_LEASE_S": "2",
            "COLUMNS": "120",
            **environment,
        }
        for name in ("HMAR_REDIS_URL", "HMAR_DATABASE_URL", "HMAR_SAMPLE", "HMAR_IMPORT_DIR"):
            if name not in environment:
                self.environment.pop(name, None)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hmar.cli", "serve", "--port", "0"],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As a shell's foreground job: a Ctrl-C is sent to the whole group.
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until(lambda: self._said(r"Stop +Ctrl-C") or self.process.poll() is not None, self.output)
        assert self.process.poll() is None, self.output()
        self.url = self._found(r"Address +(\S+)")
        self.login = self._found(r"Login +(\S+)")
        self.key = self._found(r"API key +(\S+)")

    def output(self) -> str:
        """Return all that was printed so far."""
        return "\n".join(self.lines)

    def request(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Call the API with the printed key; return the status and the JSON."""
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
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

    def close(self) -> None:
        """End everything, whatever the test did."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip("\n"))

    def _said(self, pattern: str) -> bool:
        return re.search(pattern, self.output()) is not None

    def _found(self, pattern: str) -> str:
        match = re.search(pattern, self.output())
        assert match is not None, self.output()
        return match[1]


def hmar(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``hmar ARGUMENTS`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "hmar.cli", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
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


def until(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait for a condition; fail with the product's output when it does not come."""
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.05)
