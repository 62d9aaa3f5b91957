"""The product in processes of its own, as its users run it, over an archive of phantoms."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from benchmark.speed.phantom import SIDE, phantom_file
from benchmark.types import Progress
from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.product.running import running_product

REQUEST_TIMEOUT_S = 120.0
COLLECTION = "speed"
_REMEDY = "Run 'hmar doctor', then try again."


class Client:
    """One connection to the API, kept open between requests.

    Parameters
    ----------
    url : str
        Address of the product.
    key : str
        API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=REQUEST_TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return the answer's JSON; raises UnavailableError for any status but 2xx."""
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        answer: dict[str, object] = json.loads(response.read())
        if response.status >= 300:
            raise UnavailableError(f"{method} {path} answered {response.status}: {answer}.", _REMEDY)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Product:
    """A product that answers: its settings, address and key."""

    settings: Settings
    url: str
    key: str

    def client(self) -> Client:
        """Return a connection of its own."""
        return Client(self.url, self.key)


@contextmanager
def serving(settings: Settings) -> Iterator[Product]:
    """Run the product on ``settings.home`` by its model, processes, threads, queue and kept frames.

    Raises
    ------
    UnavailableError
        If the product ends or does not start in time.
    """
    settings = replace(settings, redis_url="", database_url="", import_dir="", host="127.0.0.1", port=0)
    chosen = {
        "HMAR_MODEL_DIR": settings.model_dir,
        "HMAR_WEB_PROCESSES": str(settings.web_processes),
        "HMAR_WEB_THREADS": str(settings.web_threads),
        "HMAR_ENCODER_THREADS": str(settings.encoder_threads),
        "HMAR_WEB_WAITING": str(settings.web_waiting),
        "HMAR_KEY_CONCURRENCY": str(settings.key_concurrency),
        "HMAR_KEPT_FRAMES_MB": str(settings.kept_frames_mb),
        "HMAR_WORKER_NICE": str(settings.worker_nice),
    }
    with running_product(settings.home, chosen) as product:
        yield Product(settings, product.url, product.key)


def index_phantoms(product: Product, frames: int, progress: Progress, side: int = SIDE) -> None:
    """Index phantom slices through the product's API and worker.

    Raises
    ------
    UnavailableError
        If not all of them were indexed.
    """
    folder = product.settings.import_root / COLLECTION
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(frames):
        (folder / f"{number:05}.dcm").write_bytes(phantom_file(number, side))
    with closing(product.client()) as client:
        submitted = client.call(
            "POST", "/api/v1/index-jobs", {"folder": COLLECTION, "collection": COLLECTION}
        )
        path = f"/api/v1/index-jobs/{submitted['job_id']}"
        while not (job := client.call("GET", path))["finished"]:
            progress("http, indexing", int(str(job["frames"])), frames)
            time.sleep(0.2)
    if job["frames"] != frames:
        raise UnavailableError(f"{job['frames']} of {frames} phantoms were indexed.", _REMEDY)
    progress("http, indexing", frames, frames)
