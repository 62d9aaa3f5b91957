"""The supervisor where nobody looks any more; tests/e2e has the rest."""

from __future__ import annotations

import signal
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from hmar.audit_feed import feed
from hmar.config import Settings
from hmar.known_models import THUMBNAIL
from hmar.product.running import start_product
from hmar.product.supervisor import GRACE_S, Supervisor, _answers
from service import sending
from service.edge import server
from service.edge.bounds import Bounds

pytestmark = pytest.mark.slow

REQUESTS = 1500
"""More lines of the access log than a pipe holds."""


def test_a_web_server_is_not_killed_before_its_parts_have_had_their_time() -> None:
    requests_s = Bounds().stop_s + server.LAST_S
    assert GRACE_S["service"] > requests_s + sending._END_S + 2 * feed.LAST_S


def test_a_product_whose_output_nobody_reads_goes_on_and_stops_in_order(tmp_path: Path) -> None:
    product = start_product(tmp_path, {"HMAR_MODEL_DIR": THUMBNAIL}, subprocess.PIPE)
    try:
        assert product.stdout is not None
        assert any("Ctrl-C" in line for line in product.stdout)
        product.stdout.close()
        url = (tmp_path / "run" / "service.url").read_text()
        for _ in range(REQUESTS):
            with urllib.request.urlopen(f"{url}/healthz", timeout=30) as response:
                assert response.status == 200
        product.send_signal(signal.SIGTERM)
        assert product.wait(60) == 0
        assert [file.name for file in (tmp_path / "run").iterdir()] == ["lock"]
    finally:
        product.kill()
        product.wait()


def test_a_line_that_the_output_has_no_signs_for_leaves_the_next_ones_to_be_told(tmp_path: Path) -> None:
    written = BytesIO()
    out = TextIOWrapper(written, encoding="ascii")
    supervisor = Supervisor(Settings(home=tmp_path), out)
    supervisor._say("worker", "caf\u00e9")
    supervisor._say("worker", "and more")
    assert written.getvalue() == b" worker | and more\n"


class _Answering(BaseHTTPRequestHandler):
    """Answers with what the server was given."""

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(self.server.body)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "body", "ready"),
    [
        (200, b"{}", True),
        (503, b'{"detail": "Not ready: disk."}', True),
        (503, b'{"detail": "Not ready: disk, worker."}', False),
        (503, b"not JSON", False),
        (500, b'{"detail": "Not ready: disk."}', False),
    ],
)
def test_a_product_whose_disk_alone_is_full_is_started_so_that_it_can_be_searched(
    status: int, body: bytes, ready: bool
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        server.status, server.body = status, body  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert _answers(f"http://127.0.0.1:{server.server_port}/readyz") is ready
        thread.join()
