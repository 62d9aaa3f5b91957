"""Spans, as a real collector of a test receives them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

import pytest

from hmar.config import Settings
from hmar.errors import ConfigError
from tests.phantoms import series_uid
from tests.require import require_module
from tests.service.conftest import Archive, build_archive, fill

require_module("opentelemetry.sdk", "otel")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: E402

from hmar.tracing import Tracer  # noqa: E402

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(NamedTuple):
    url: str
    bodies: list[bytes]

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            told = ExportTraceServiceRequest.FromString(body)
            for resource in told.resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data)
            assert self.path == "/v1/traces"
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield Collector(f"http://127.0.0.1:{server.server_port}", bodies)
    server.shutdown()
    server.server_close()
    thread.join()


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_span_has_its_time_its_attributes_and_the_trace_that_it_belongs_to(collector: Collector) -> None:
    tracer = Tracer(f"{collector.url}/", "hmar-web")
    tracer.note("GET /a", "server", 0.25, {"http.route": "/a"}, failed=True, traceparent=TRACEPARENT)
    tracer.note("handle item", "consumer", 0.5, {}, traceparent="nonsense")
    tracer.close()
    first, second = collector.spans()
    assert (first.name, attributes(first)) == ("GET /a", {"http.route": "/a"})
    assert first.end_time_unix_nano - first.start_time_unix_nano == 250_000_000
    assert first.trace_id.hex() == TRACEPARENT.split("-")[1]
    assert first.parent_span_id.hex() == TRACEPARENT.split("-")[2]
    assert first.status.code == 2
    assert second.trace_id != first.trace_id
    assert not second.parent_span_id
    assert second.status.code == 0


def test_requests_are_told_by_their_routes_and_nothing_tells_of_a_patient(
    collector: Collector, tmp_path: Any
) -> None:
    archive: Archive = fill(build_archive(tmp_path, otel_endpoint=collector.url))
    uid = series_uid(1)
    client = archive.client
    answer = client.get(f"/api/v1/series/{uid}/frames", headers={"traceparent": TRACEPARENT})
    assert answer.status_code == 200
    sop = answer.json["frames"][0]["sop_instance_uid"]
    found = client.post("/api/v1/search/image", json={"sop_instance_uid": sop, "filters": {"sex": "F"}})
    assert found.status_code == 200
    archive.engine.close()
    listed, searched = collector.spans()
    assert listed.name == "GET /api/v1/series/<series_uid>/frames"
    assert listed.trace_id.hex() == TRACEPARENT.split("-")[1]
    assert attributes(listed)["hmar.request_id"] == answer.headers["X-Request-ID"]
    stages = {name for name in attributes(searched) if name.startswith("hmar.stage.")}
    assert {"hmar.stage.encode_s", "hmar.stage.scan_s"} <= stages
    everything = b"".join(collector.bodies)
    assert uid.encode() not in everything
    assert sop.encode() not in everything


def test_a_collector_that_is_away_keeps_nobody_waiting_and_fails_nothing(tmp_path: Any) -> None:
    archive = build_archive(tmp_path, otel_endpoint="http://127.0.0.1:1")
    assert archive.client.get("/api/v1/series").status_code == 200
    archive.engine.close()


@pytest.mark.parametrize("url", ["collector:4318", "ftp://a", "http://user:secret@a", "http://a?b"])
def test_what_is_no_address_of_a_collector_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="HMAR_OTEL_ENDPOINT") as refused:
        Settings(otel_endpoint=url).checked()
    assert "secret" not in str(refused.value)
