"""The whole product: real broker, real worker, real web server, and what happens when they are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hmar.config import Settings
from hmar.wiring import build_engine
from tests.e2e.product import Product, alive, children, hmar, started, until
from tests.phantoms import ct_file, sop_uid

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SLICES = 30


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with started(tmp_path_factory.mktemp("product") / "home") as running:
        yield running


def write_series(folder: Path, series: int, slices: int = SLICES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, slices + 1):
        (folder / f"{number:03}").write_bytes(ct_file(series, number, (60, 90) if number < 6 else None))


def indexed(home: Path, collection: str) -> Counter[tuple[str, int]]:
    """Count how often each frame stands in the log."""
    rows = build_engine(Settings(home=home)).catalogue.tail(0, 100_000)
    return Counter(
        (row.encoded.info.sop_instance_uid, row.encoded.info.frame_number)
        for row in rows
        if row.encoded and row.collection == collection
    )


def every_slice_once(series: int) -> dict[tuple[str, int], int]:
    return {(sop_uid(series, number), 1): 1 for number in range(1, SLICES + 1)}


def submit(product: Product, folder: str) -> str:
    status, job = product.request("/api/v1/index-jobs", {"folder": folder, "collection": folder})
    assert status == 202, job
    return str(job["job_id"])


def wait_for_progress(product: Product, job_id: str, files: int) -> None:
    def indexed_files() -> bool:
        job = product.request(f"/api/v1/index-jobs/{job_id}")[1]
        return bool(job["counts"]["indexed"] >= files)

    until(indexed_files, product.output)


def test_an_indexed_nodule_is_found_again_through_the_api(product: Product) -> None:
    write_series(product.home / "import" / "first", 1, 10)
    (product.home / "import" / "first" / "notes.txt").write_text("not an image")
    job = product.finished(submit(product, "first"))
    assert (job["state"], job["frames"]) == ("done", 10)
    assert (job["counts"]["indexed"], job["counts"]["skipped"], job["counts"]["failed"]) == (10, 1, 0)
    query = {"sop_instance_uid": sop_uid(1, 3), "region": [50, 80, 20, 20], "k": 4}
    status, answer = product.request("/api/v1/search/region", query)
    assert status == 200
    assert {hit["sop_instance_uid"] for hit in answer["hits"]} == {sop_uid(1, n) for n in (1, 2, 4, 5)}


def test_the_command_line_goes_through_the_worker_and_finds_nothing_new(product: Product) -> None:
    folder = product.home.parent / "cli"
    write_series(folder, 2, 6)
    first = product.command("index", str(folder), "--collection", "cli", "--json")
    assert first.returncode == 0, first.stderr
    outcome = json.loads(first.stdout)
    assert (outcome["indexed"], outcome["failed"], outcome["frames"]) == (6, 0, 6)
    assert outcome["where"] == "the worker of the running product"
    second = product.command("index", str(folder), "--collection", "cli")
    assert "nothing new: all 6 frames were indexed already" in second.stdout


def test_doctor_finds_every_part_well(product: Product) -> None:
    result = product.command("doctor", "--json")
    findings = json.loads(result.stdout)["checks"]
    assert {finding["part"]: finding["state"] for finding in findings} == dict.fromkeys(
        [finding["part"] for finding in findings], "ok"
    ), findings
    assert result.returncode == 0


def test_a_login_link_opens_the_page(product: Product) -> None:
    link = product.command("keys", "login").stdout.strip()
    assert link.startswith(f"{product.url}/login?token=")
    with urllib.request.urlopen(link, timeout=10) as response:
        assert response.status == 200


def test_no_key_and_no_login_link_is_in_any_output(product: Product) -> None:
    """Whatever is done with them, malformed requests included; nor is a body or an address repeated."""
    key = product.command("keys", "new", "spoken").stdout.strip()
    token = product.command("keys", "login").stdout.strip().partition("token=")[2]
    wrong, uid = "hmar_wrong_but_secret_all_the_same", "1.2.826.0.1.3680043.99.7"
    host = "Host: localhost\r\n"
    bearer = f"Authorization: Bearer {key}\r\n"
    form = f"token={token}"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    for sent in (
        f"GET /api/v1/series HTTP/1.1\r\n{host}{bearer}\r\n",
        f"GET /api/v1/series?key={key} HTTP/1.1\r\n{host}X-API-Key: {wrong}\r\n\r\n",
        f"GET /api/v1/series/{uid}/frames?token={token} HTTP/1.1\r\n{host}{bearer}\r\n",
        f"GET /login?token={token} HTTP/1.1\r\n{host}\r\n",
        f"GET /login?token={token}&token={token} HTTP/1.1\r\n{host}\r\n",
        f"GET /{key}/{token} HTTP/1.1\r\n{host}{bearer}\r\n",
        f"{key} / HTTP/1.1\r\n{host}\r\n",
        f"GET {token} HTTP/1.1\r\n{host}\r\n",
        f"GET / {key}\r\n{host}\r\n",
        f"GET / HTTP/1.1\r\n{host}{key}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {key}\r\n{bearer}{bearer}\r\n",
        f"GET / HTTP/1.1\r\n{host}Content-Length: {key}\r\n\r\n",
        f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: {token}\r\n\r\n",
        f"POST /api/v1/index-jobs HTTP/1.1\r\n{host}{bearer}Transfer-Encoding: chunked\r\n\r\n{key}\r\n",
        f"POST /api/v1/search/image HTTP/1.1\r\n{host}{bearer}Content-Type: application/json\r\n"
        f'Content-Length: {len(key) + 2}\r\n\r\n"{key}"',
        f"\x16\x03\x01{key}",
        f"POST /login HTTP/1.1\r\n{host}{kind}Content-Length: {len(form)}\r\n\r\n{form}",
        f"POST /login HTTP/1.1\r\n{host}{kind}Content-Length: {len(form)}\r\n\r\n{form}",
    ):
        address = urlsplit(product.url)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            connection.sendall(sent.encode("latin-1"))
            assert connection.recv(64), sent
    assert product.ready()
    written = product.output()
    for secret in (key, token, wrong, uid, product.key):
        assert secret not in written


def test_a_worker_killed_in_the_middle_leaves_every_frame_exactly_once(product: Product) -> None:
    write_series(product.home / "import" / "killed-worker", 3)
    job_id = submit(product, "killed-worker")
    wait_for_progress(product, job_id, 3)
    os.kill(product.pid("workers"), signal.SIGKILL)
    job = product.finished(job_id)
    assert job["counts"]["indexed"] + job["counts"]["unchanged"] == SLICES, product.output()
    assert indexed(product.home, "killed-worker") == every_slice_once(3)
    assert "worker was killed by SIGKILL; it is started again in 1 s" in product.output()


def test_a_broker_killed_in_the_middle_loses_no_file(product: Product) -> None:
    write_series(product.home / "import" / "killed-broker", 4)
    job_id = submit(product, "killed-broker")
    wait_for_progress(product, job_id, 3)
    os.kill(product.pid("valkey-server"), signal.SIGKILL)
    job = product.finished(job_id)
    assert job["counts"]["indexed"] + job["counts"]["unchanged"] == SLICES, product.output()
    assert indexed(product.home, "killed-broker") == every_slice_once(4)


def test_a_killed_service_is_started_again(product: Product) -> None:
    pid = product.pid("service")
    os.kill(pid, signal.SIGKILL)
    until(lambda: "service was killed by SIGKILL" in product.output(), product.output)
    until(product.ready, product.output)
    assert product.pid("service") != pid


def test_a_second_supervisor_on_the_same_home_is_refused(product: Product) -> None:
    result = product.command("serve", "--port", "0")
    assert result.returncode == 3
    assert "runs already on this data directory" in result.stderr
    assert product.ready()


def test_a_port_in_use_is_named(product: Product, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = hmar(product.environment | {"HMAR_HOME": str(tmp_path)}, "serve", "--port", str(port))
    assert result.returncode == 3
    assert f"Port {port}" in result.stderr
    assert "--port" in result.stderr


def test_ctrl_c_leaves_no_process_behind_and_the_next_start_has_the_same_key(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        children = first.children()
        assert len(children) == 3
        assert first.interrupt() == 0
        assert alive(children) == []
        assert sorted(file.name for file in (tmp_path / "run").iterdir()) == ["lock"]
    with started(tmp_path) as second:
        assert second.key == first.key
        assert second.ready()
        children = second.children()
        # No handler of ours runs now; the kernel ends the children.
        second.process.kill()
        until(lambda: not alive(children), lambda: str(children))


def test_several_web_processes_end_with_the_product_and_one_of_them_starts_again(tmp_path: Path) -> None:
    with started(tmp_path, HMAR_WEB_PROCESSES="2") as several:
        write_series(several.home / "import" / "first", 1, 4)
        asked = {"folder": "first", "collection": "first"}, {"Idempotency-Key": "once"}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: several.request("/api/v1/index-jobs", *asked), range(8)))
        assert {status for status, _ in answers} <= {200, 202}, answers
        [job_id] = {answer["job_id"] for _, answer in answers}
        job = several.finished(job_id)
        assert (job["state"], job["frames"]) == ("done", 4)
        parent = several.pid("service")
        serving = children(parent)
        assert len(serving) == 2
        os.kill(min(serving), signal.SIGKILL)
        until(lambda: re.search(r"web process \d was killed by SIGKILL", several.output()), several.output)
        until(lambda: len(set(children(parent)) - set(serving)) == 1, several.output)
        assert several.pid("service") == parent
        assert several.ready()
        everything = [*several.children(), *children(parent)]
        assert several.interrupt() == 0
        assert alive(everything) == []
