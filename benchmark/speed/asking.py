"""Clients that ask a running product for searches of all kinds, and for its health meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from benchmark.speed.phantom import series_uid, sop_uid
from benchmark.speed.product import COLLECTION, REQUEST_TIMEOUT_S, Product
from hmar.client.connection import form

SEEN = 32
"""Frames that are asked about again and again; their pixels and maps fit in what the server keeps."""
K = 10
_HEALTH_PAUSE_S = 0.02
TURN = (
    "region of a seen frame",
    "region of another frame",
    "region of a seen frame",
    "whole image",
    "region of a seen frame",
    "region of a sent file",
    "region of a seen frame",
    "series",
    "region of another frame",
    "region of a seen frame",
    "whole image",
    "why",
)
"""What a client asks for, in turn."""


class Asked(NamedTuple):
    """A request: of which kind, answered with which status, after how many milliseconds."""

    kind: str
    status: int
    ms: float


class Sent(NamedTuple):
    """A request that is yet to be sent."""

    path: str
    data: bytes
    content_type: str = "application/json"


def drawn_region(number: int, side: int, turn: int) -> list[float]:
    """Return a square region of a frame, another one in each turn."""
    drawn = np.random.default_rng((number, turn)).uniform((0.2, 0.3, 0.05), (0.6, 0.6, 0.15)) * side
    x, y, size = (round(float(value), 1) for value in drawn)
    return [x, y, size, size]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Searches of all kinds over an archive of phantoms.

    Parameters
    ----------
    frames : int
        Indexed ones; those from ``SEEN`` on are asked about in turn, so that few of them are kept.
    side : int
        Their rows and columns.
    folder : Path
        Where their files are.
    """

    frames: int
    side: int
    folder: Path

    def request(self, client: int, turn: int) -> tuple[str, Sent]:
        """Return the kind of what a client asks for in its turn, and the request."""
        kind = TURN[(client + turn) % len(TURN)]
        seen, other = client % min(SEEN, self.frames), (client + turn * 7) % self.frames
        region = drawn_region(client, self.side, turn)
        among = {"k": K, "collection": COLLECTION}
        own, other_frame = ({"sop_instance_uid": sop_uid(number)} for number in (seen, other))
        if kind == "region of a seen frame":
            return kind, _json("search/region", own | among | {"region": region})
        if kind == "region of another frame":
            return kind, _json("search/region", other_frame | among | {"region": region})
        if kind == "whole image":
            return kind, _json("search/image", other_frame | among)
        if kind == "series":
            return kind, _json("search/series", {"series_uid": series_uid(other), **among})
        if kind == "why":
            hit = {"sop_instance_uid": sop_uid(other), "frame_number": 1}
            return kind, _json("search/why", own | {"region": region, "hit": hit})
        return kind, self._file(other, region)

    def _file(self, number: int, region: Sequence[float]) -> Sent:
        fields = {"region": ",".join(map(str, region)), "k": str(K), "collection": COLLECTION}
        return Sent("/api/v1/search/region", *form(fields, [(self.folder / f"{number:05}.dcm").read_bytes()]))


def _json(path: str, body: Mapping[str, object]) -> Sent:
    return Sent(f"/api/v1/{path}", json.dumps(body).encode())


def ask_until(
    url: str, keys: Sequence[str], frames: int, side: int, folder: str, seconds: float
) -> list[Asked]:
    """Be one client for each key, none of which pauses but for as long as a refusal tells it to.

    Returns
    -------
    list of Asked
        Also of what was refused; the status is 0 where the connection broke.
    """
    mixture, end = Mixture(frames, side, Path(folder)), time.monotonic() + seconds

    def client(number: int) -> list[Asked]:
        asked, turn = list[Asked](), 0
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=REQUEST_TIMEOUT_S)) as connection:
            while time.monotonic() < end:
                kind, sent = mixture.request(number, turn)
                begun = time.perf_counter()
                status, wait_s = _ask(connection, sent, keys[number])
                asked.append(Asked(kind, status, 1000 * (time.perf_counter() - begun)))
                turn += 1
                time.sleep(min(wait_s, max(0.0, end - time.monotonic())))
        return asked

    with ThreadPoolExecutor(len(keys)) as pool:
        return [one for each in pool.map(client, range(len(keys))) for one in each]


def _ask(connection: HTTPConnection, sent: Sent, key: str) -> tuple[int, float]:
    """Return the status, and the seconds after which to ask again."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": sent.content_type}
    try:
        connection.request("POST", sent.path, sent.data, headers)
        response = connection.getresponse()
        response.read()
    except OSError:
        connection.close()
        return 0, 1.0
    return response.status, float(response.headers.get("Retry-After", 0))


def figures(product: Product) -> str:
    """Return the product's figures as they stand."""
    with closing(HTTPConnection(urlsplit(product.url).netloc)) as connection:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {product.key}"})
        return connection.getresponse().read().decode()


@contextmanager
def asking_health(product: Product, latencies_ms: list[float]) -> Iterator[None]:
    """Ask /healthz all the while, each time on a new connection."""
    place, ended = urlsplit(product.url).netloc, threading.Event()

    def ask() -> None:
        while not ended.wait(_HEALTH_PAUSE_S):
            begun = time.perf_counter()
            with closing(HTTPConnection(place)) as connection:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
            latencies_ms.append(1000 * (time.perf_counter() - begun))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
