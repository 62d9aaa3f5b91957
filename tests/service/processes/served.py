"""A web server of several processes, and connections of which it is known who answers them.

No answer tells which process made it. The kernel does: a connection's socket is open in one of them.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.e2e.product import children
from tests.service.conftest import Archive, build_archive, fill
from tests.service.test_serve import start

PROCESSES = 2
PATIENCE_S = 60.0


class Connection:
    """A connection that is kept, and the process at its other end."""

    def __init__(self, port: int, key: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._key = key
        self._port = port
        self.pid = 0

    def open(self, among: list[int]) -> None:
        """Connect; find who of some processes has taken the connection."""
        self._http.connect()
        self.call("GET", "/healthz")
        socket = f"socket:[{_inode(self._port, self._http.sock.getsockname()[1])}]"
        [self.pid] = [pid for pid in among if socket in _opened(pid)]

    def call(
        self, method: str, path: str, body: object = None, key: str | None = None, **headers: str
    ) -> tuple[int, str]:
        """Send a request; return the status and the body of the answer."""
        sent = {"X-API-Key": self._key if key is None else key} if key != "" else {}
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        self._http.request(method, path, body, sent | headers)  # type: ignore[arg-type]
        answer = self._http.getresponse()
        self.headers = answer.headers
        return answer.status, answer.read().decode()

    def json(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON of an answer that must be good."""
        status, text = self.call(method, path, body)
        assert status == 200, text
        return json.loads(text)

    def close(self) -> None:
        self._http.close()


class Server:
    """A running server of two processes over an archive of three series."""

    def __init__(self, archive: Archive, process: subprocess.Popen[str], errors: Path) -> None:
        self.archive = archive
        self.process = process
        self._errors = errors
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), self.log()
        self.port = int(line.rpartition(":")[2])
        until(lambda: self.log().count(" serves") == PROCESSES, self.log)

    def log(self) -> str:
        return self._errors.read_text()

    def pids(self) -> list[int]:
        """Return the processes that serve."""
        return [pid for pid, line in children(self.process.pid).items() if "service.processes" in line]

    def connect(self) -> Connection:
        """Return a connection to whichever process takes it."""
        connection = Connection(self.port, self.archive.key)
        connection.open(self.pids())
        return connection

    @contextmanager
    def one_to_each(self) -> Iterator[list[Connection]]:
        """Give a connection to each process."""
        found: dict[int, Connection] = {}
        end = time.monotonic() + PATIENCE_S
        try:
            while len(found) < PROCESSES:
                assert time.monotonic() < end, self.log()
                connection = self.connect()
                if found.setdefault(connection.pid, connection) is not connection:
                    connection.close()
            yield list(found.values())
        finally:
            for connection in found.values():
                connection.close()

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.log(), self.log()
        return status


@contextmanager
def several(home: Path, **settings: str) -> Iterator[Server]:
    """Run a server of two processes until the context ends."""
    archive = fill(build_archive(home))
    errors = home / "errors.log"
    with errors.open("w") as file:
        process = start(home, stderr=file, HMAR_WEB_PROCESSES=str(PROCESSES), **settings)
    try:
        yield Server(archive, process, errors)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def until(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    """Wait for a condition; fail with an explanation where it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.02)


def _inode(server: int, client: int) -> str:
    """Return the inode of the server's end of a connection (proc(5), net/tcp)."""
    ends = rf"^ *\d+: 0100007F:{server:04X} 0100007F:{client:04X} .*$"
    lines = re.findall(ends, Path("/proc/net/tcp").read_text(), re.MULTILINE)
    # The table is read in parts: where it changes meanwhile, a connection may stand in two of them.
    [inode] = {line.split()[9] for line in lines}
    return str(inode)


def _opened(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(descriptor.readlink()))
    return found
