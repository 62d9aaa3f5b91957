"""Requests to the API as the web application gets them, over an archive in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from benchmark.trust.fuzzing.target import Once, Target
from hmar.adapters.memory import InlineQueue
from hmar.config import IN_MEMORY, Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.identity import administrator
from hmar.wiring import build_engine
from service.app import create_app

_ROUTES = (
    ("POST", "/api/v1/search/image"),
    ("POST", "/api/v1/search/region"),
    ("POST", "/api/v1/index-jobs"),
    ("POST", "/api/v1/render"),
    ("GET", "/api/v1/series"),
    ("GET", "/api/v1/index-jobs/1/items"),
    ("GET", "/api/v1/instances/1.2/frames/1/image"),
    ("GET", "/api/v1/"),
    ("POST", "/api/v1/deletions"),
)
_TYPES = ("application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "")


def make() -> Once:
    """Return what asks.

    The first byte chooses route and content type; the rest is the body, or the address after the route.
    No file is decoded: every one is too large.
    """
    settings = Settings(database_url=IN_MEMORY, max_pixels=1, max_upload_bytes=1 << 16)
    queue = InlineQueue(lambda _: None)
    engine = build_engine(settings.checked(), ThumbnailEncoder(), queue, decoder=_Refusing())  # type: ignore[arg-type]
    app, key = create_app(engine), engine.keys.create(administrator("fuzz"))

    def once(data: bytes) -> None:
        if not data:
            return
        method, path = _ROUTES[data[0] % len(_ROUTES)]
        rest = data[1:]
        if method == "GET":
            tail = rest.decode("latin-1")
            path, _, query = (path + quote(tail, safe="/?=&%+")).partition("?")
            body, kind = b"", ""
        else:
            body, kind, query = rest, _TYPES[data[0] // len(_ROUTES) % len(_TYPES)], ""
        status, headers, answer = _asked(app, method, path, query, body, kind, key)
        assert status < 500, (status, answer[:200])
        assert status not in (401, 403)
        if status >= 400:
            assert headers["Content-Type"] == "application/problem+json", headers
            problem = json.loads(answer)
            assert problem["status"] == status
            assert problem["detail"]
            assert problem["remedy"]

    return once


class _Refusing:
    """In the decoder's place: what happens to files is another target's."""

    def open(self, data: bytes, **_wishes: object) -> None:
        from hmar.errors import DecodeError

        raise DecodeError(f"The {len(data)} bytes are not decoded here.", "Nothing to do.")


def _asked(
    app: Any, method: str, path: str, query: str, body: bytes, kind: str, key: str
) -> tuple[int, dict[str, str], bytes]:
    """Call a WSGI application (PEP 3333)."""
    found: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        found.extend((int(status[:3]), dict(headers)))

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "fuzz",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": kind,
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    parts: Iterable[bytes] = app(environ, start)
    answer = b"".join(parts)
    return found[0], found[1], answer


def _form(**fields: str) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"'
        + ('; filename="x"' if name == "file" else "")
        + f"\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    ]
    return "".join([*parts, "--b--\r\n"]).encode()


def seeds() -> Mapping[str, bytes]:
    """Return a valid request of each kind."""
    count = len(_ROUTES)
    query = {
        "sop_instance_uid": "1.2",
        "frame_number": 1,
        "k": 5,
        "mode": "auto",
        "bits": 64,
        "collection": "default",
        "filters": {"modality": "CT", "age": {"from": 40}, "study_date": {"from": "2020-01-01"}},
        "exclude": {"same": "series"},
        "group_by": "patient",
    }
    region = query | {"region": [1, 2, 3.5, 4e1]}
    as_form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
    del as_form["sop_instance_uid"], as_form["frame_number"]
    return {
        "image": bytes([0]) + json.dumps(query).encode(),
        "region": bytes([1]) + json.dumps(region).encode(),
        "job": bytes([2]) + b'{"folder": ".", "collection": "a", "label": "b"}',
        "image_form": bytes([count]) + _form(file="data", **as_form),
        "region_form": bytes([count + 1]) + _form(file="data", region="1,2,3,4", frame="2"),
        "job_form": bytes([count + 2]) + _form(file="data", collection="a"),
        "render": bytes([count + 3]) + _form(file="data", centre="40", width="400", units="HU"),
        "series": bytes([4]) + b"?collection=a",
        "items": bytes([5]) + b"?state=failed&after=3&limit=10",
        "picture": bytes([6]) + b"?centre=40&width=400&units=HU",
        "address": bytes([7]) + b"series/1.2/frames?collection=a",
        "deletion": bytes([8]) + b'{"sop_instance_uid": "1.2"}',
    }


TARGET = Target(make, seeds, weight=20, most_bytes=2048)
