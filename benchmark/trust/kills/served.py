"""A product under ``hmar serve`` whose parts are killed, and what is asked of it."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from benchmark.trust.kills.processes import children_of, command_line
from benchmark.trust.nursery import HungError
from benchmark.trust.settings import environment_of, settings_of
from hmar.product.running import RunningProduct, start_product
from hmar.values.jobs import Job
from hmar.wiring import build_engine

PARTS = {"worker": "workers", "service": "service"}
"""Names and modules of what the supervisor starts again."""
READY_S = 90.0


def started(home: Path) -> RunningProduct:
    """Run ``hmar serve``, and wait until it is ready; one that does not get ready is killed."""
    log = home.parent / "product.log"
    with log.open("wb") as output:
        process = start_product(home, environment_of(home), output)
    product = RunningProduct(process, home, log)
    end = time.monotonic() + READY_S
    while "HMAR search is ready" not in product.output():
        product.check()
        if time.monotonic() > end:
            killed_with_parts(product)
            raise HungError("hmar serve was not ready")
        time.sleep(0.05)
    return product


def killed_with_parts(product: RunningProduct) -> None:
    """Kill a product that hangs, with all parts that it has started."""
    parts = children_of(product.process.pid)
    product.process.kill()
    product.process.wait()
    for pid in parts:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def killed(product: RunningProduct, victim: str) -> RunningProduct:
    """Kill a part; return the product that runs afterwards."""
    if victim != "supervisor":
        parts = children_of(product.process.pid)
        found = [pid for pid in parts if f"-m {PARTS[victim]}" in command_line(pid)]
        os.kill(found[0], signal.SIGKILL)
        return product
    parts = children_of(product.process.pid)
    product.process.kill()
    product.process.wait()
    end = time.monotonic() + READY_S
    while any(Path("/proc", str(pid)).exists() for pid in parts):
        if time.monotonic() > end:
            raise HungError("a part outlives its supervisor")
        time.sleep(0.02)
    return started(product.home)


def submitted(product: RunningProduct, collection: str) -> str:
    """Submit a job of the album; return its id."""
    return str(ask(product, "/api/v1/index-jobs", {"folder": "album", "collection": collection})["job_id"])


def ask(product: RunningProduct, path: str, body: dict[str, str]) -> dict[str, object]:
    """Post JSON, as often as it takes for the web server to be there; return the answer, empty for a 404."""
    end = time.monotonic() + READY_S
    while True:
        try:
            return ask_once(product, path, body)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def ask_once(product: RunningProduct, path: str, body: dict[str, str]) -> dict[str, object]:
    """Post JSON; return the answer, empty for a 404; raises OSError without one."""
    headers = {"Authorization": f"Bearer {product.key}", "Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{product.url}{path}", json.dumps(body).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
            found: dict[str, object] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return {}


def finished(home: Path, job_id: str) -> Job:
    """Wait for a job to end."""
    engine = build_engine(settings_of(home))
    try:
        end = time.monotonic() + READY_S
        while (job := engine.jobs.job(job_id)) is None or not job.finished:
            if time.monotonic() > end:
                raise HungError(f"job {job_id} did not end")
            time.sleep(0.05)
        return job
    finally:
        engine.close()
