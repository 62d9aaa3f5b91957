"""The product under its supervisor, as users start it, and what clients and the kernel see of it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hmar.errors import UnavailableError
from hmar.known_models import THUMBNAIL
from hmar.product.running import RunningProduct, running_product

DEADLINE_S = 60.0
"""Within it, every request of a trial must have been answered."""
BOUNDARY = "trust"
_POLL_S = 0.1
_JOB_S = 900.0


class Answer(NamedTuple):
    """Status, headers and body of an answer, and the seconds until its end."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks a server, each time over a connection of its own.

    Parameters
    ----------
    place : str
        Host and port.
    key : str
        An API key.
    """

    place: str
    key: str

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        kind: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DEADLINE_S,
    ) -> Answer:
        """Send a request over a connection of its own; raises OSError or HTTPException if it breaks."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection(self.place, timeout=timeout_s)
        sent = {"Authorization": f"Bearer {self.key}", **({"Content-Type": kind} if kind else {})}
        try:
            connection.request(method, path, body or None, {**sent, **(headers or {})})
            response = connection.getresponse()
            content = response.read()
            return Answer(response.status, dict(response.getheaders()), content, time.monotonic() - begun)
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """GET."""
        return self.ask("GET", path)

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """POST an object as JSON."""
        return self.ask("POST", path, json.dumps(body).encode(), "application/json")

    def send(self, path: str, file: bytes, name: str = "x.dcm", **fields: str) -> Answer:
        """POST a file in a form."""
        return self.ask("POST", path, form(file, name, **fields), f"multipart/form-data; boundary={BOUNDARY}")


@dataclass(frozen=True)
class Product(Client):
    """A running product as its clients see it, and its processes. Use :func:`product`."""

    running: RunningProduct

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.running.home

    def index(self, folder: str, label: str = "") -> str:
        """Submit a job over a folder below the import folder; return its id."""
        answer = self.post("/api/v1/index-jobs", {"folder": folder, **({"label": label} if label else {})})
        if answer.status != 202:
            raise UnavailableError(f"An index job was answered {answer.status}.", "Read the product's log.")
        return str(answer.json["job_id"])

    def finished(self, job_id: str) -> dict[str, Any]:
        """Wait for a job's end and return it; raises UnavailableError where it does not come."""
        end = time.monotonic() + _JOB_S
        while not (job := self.get(f"/api/v1/index-jobs/{job_id}").json)["finished"]:
            if time.monotonic() > end:
                raise UnavailableError(
                    f"Job {job_id} did not end: {job['counts']}.", "Read the product's log."
                )
            time.sleep(_POLL_S)
        return dict(job)

    def parts(self) -> dict[int, str]:
        """Return the supervisor's children by process id: the broker, the worker, the web server."""
        found = {pid: _command(pid) for pid in children(self.running.process.pid)}
        return {pid: _part(command) for pid, command in found.items() if command}

    def processes(self) -> dict[int, str]:
        """Return all processes of the product; those below a part have its name and a mark."""
        found = {self.running.process.pid: "supervisor"}
        for pid, part in self.parts().items():
            found[pid] = part
            waiting = children(pid)
            while waiting:
                below = waiting.pop()
                found[below] = f"{part}'s decoder"
                waiting += children(below)
        return found


@contextmanager
def product(folder: Path, **settings: str) -> Iterator[Product]:
    """Run the product over a fresh data directory until the context ends.

    Parameters
    ----------
    folder : Path
        Takes the data directory.
    **settings
        Environment variables, besides the thumbnail in the model's place: its codes cost little, and nothing
        that is tried here depends on them.
    """
    chosen = {"HMAR_MODEL_DIR": THUMBNAIL, "OMP_NUM_THREADS": "1", **settings}
    with running_product(folder / "home", chosen) as running:
        yield Product(urlsplit(running.url).netloc, running.key, running)


def form(file: bytes, name: str = "x.dcm", **fields: str) -> bytes:
    """Return a multipart form with a file and fields; see ``BOUNDARY``."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    rest = "".join(
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}'
        for key, value in fields.items()
    )
    return head.encode() + file + rest.encode() + f"\r\n--{BOUNDARY}--\r\n".encode()


def children(pid: int) -> list[int]:
    """Return the ids of a process's children (proc(5)); none of one that is gone."""
    found: list[int] = []
    try:
        for task in Path("/proc", str(pid), "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        pass
    return found


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process in MiB, 0 for one that is gone."""
    try:
        text = Path("/proc", str(pid), "smaps_rollup").read_text()
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) / 1024


def processor_s(pid: int) -> float:
    """Return the processor time of a process and of those it has waited for, 0 for one that is gone."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / 100


def _command(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _part(command: str) -> str:
    if "workers" in command:
        return "worker"
    return "service" if "service" in command else "broker"
