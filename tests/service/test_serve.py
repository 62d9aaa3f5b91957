"""``python -m service`` as a process: says where it listens, answers, and stops cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

import pytest

from hmar.known_models import THUMBNAIL
from hmar.wiring import build_engine
from tests.phantoms import sop_uid
from tests.service.conftest import FRAMES, build_archive, fill

ASKED = 5
NO_BROKER = "redis://127.0.0.1:1/0"


def start(home: Path, stderr: int | IO[str] = subprocess.PIPE, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HMAR_")}
    environment |= {"HMAR_HOME": str(home), "HMAR_PORT": "0", "HMAR_MODEL_DIR": THUMBNAIL}
    environment |= {"HMAR_REDIS_URL": NO_BROKER} | settings
    return subprocess.Popen(
        [sys.executable, "-m", "service"],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_where_it_says_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    archive = fill(build_archive(tmp_path))
    process = start(tmp_path)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), process.communicate()[1]
        url = line.removeprefix("listening on ").strip()
        with urllib.request.urlopen(f"{url}/healthz", timeout=20) as answer:
            assert json.load(answer) == {"status": "alive"}
            assert "Server" not in answer.headers
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/api/v1/series", timeout=20)
        with refused.value as response:
            assert response.code == 401
        asked = urllib.request.Request(f"{url}/api/v1/series", headers={"X-API-Key": archive.key})
        for _ in range(ASKED):
            urllib.request.urlopen(asked, timeout=20).close()
    finally:
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    reloaded = build_engine(archive.engine.settings, archive.engine.encoder)
    assert reloaded.index.stats().frames == FRAMES, "the snapshot of a clean stop holds every frame"
    recorded = [(row.record.actor, row.record.status) for row in reloaded.audit_log.rows()]
    assert recorded == [("", 401), *[("tests", 200)] * ASKED], "no access is lost at a clean stop"
    assert [info.last_used_at is None for info in reloaded.keys.listed()] == [False]


@pytest.mark.slow
def test_a_request_in_hand_at_the_end_is_answered_and_recorded(tmp_path: Path) -> None:
    archive = fill(build_archive(tmp_path))
    process = start(tmp_path, HMAR_LOG_FORMAT="json")
    body = json.dumps({"sop_instance_uid": sop_uid(1, 1), "k": 3}).encode()
    head = (
        "POST /api/v1/search/image HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-API-Key: {archive.key}\r\nX-Request-ID: the-last-one\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        # It is answered quickly once what is loaded late is loaded.
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/search/image",
            body,
            {"X-API-Key": archive.key, "Content-Type": "application/json"},
        )
        urllib.request.urlopen(asked, timeout=60).close()
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head + body[:-1])
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20).status == 200
            process.send_signal(signal.SIGTERM)
            wait_until_closed(port)
            connection.sendall(body[-1:])
            told = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    except BaseException:
        process.kill()
        raise
    # A second signal could meet the interpreter at its very end, when it has no handlers any more.
    _, errors = process.communicate(timeout=30)
    assert told.startswith(b"HTTP/1.1 200"), told
    assert process.returncode == 0, errors
    recorded = [row.record.operation for row in archive.engine.audit_log.rows()]
    assert recorded == ["searchImage"] * 2
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [line["request_id"] for line in lines if "search/image" in line["message"]][1:] == ["the-last-one"]


def wait_until_closed(port: int) -> None:
    """Return once nobody listens on a port any more."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionResetError:
            continue  # it was closed meanwhile
        except ConnectionRefusedError:
            return


@pytest.mark.slow
def test_a_setting_that_cannot_be_used_ends_it_with_one_line(tmp_path: Path) -> None:
    process = start(tmp_path, HMAR_WEB_THREADS="none")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "HMAR_WEB_THREADS is 'none'" in errors
    assert "Traceback" not in errors
