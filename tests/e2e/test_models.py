"""The product moves to another model while it is searched, and a worker is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hmar.encoder import shipped_bundle
from tests.e2e.product import Product, started, until
from tests.phantoms import ct_file, sop_uid

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SLICES = 12
OLD, NEW = "thumbnail-32", "hmar-ct-128"
QUERY = {"sop_instance_uid": sop_uid(1, 3), "k": 50}


@contextmanager
def asked_all_the_time(product: Product) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Search in a loop for as long as the context lasts; gives the answers so far."""
    answers: list[tuple[int, dict[str, Any]]] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            answers.append(product.request("/api/v1/search/image", QUERY))
            time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def listed(product: Product) -> dict[str, dict[str, Any]]:
    result = product.command("models", "list", "--json")
    assert result.returncode == 0, result.stderr
    return {model["name"]: model for model in json.loads(result.stdout)}


def test_an_archive_moves_to_another_model_under_search_and_back(tmp_path: Path) -> None:
    with started(tmp_path / "home") as product:
        folder = product.home / "import" / "chest"
        folder.mkdir(parents=True)
        for number in range(1, SLICES + 1):
            (folder / f"{number:03}").write_bytes(ct_file(1, number, (60, 90)))
        _, job = product.request("/api/v1/index-jobs", {"folder": "chest", "label": "chest"})
        assert product.finished(job["job_id"])["frames"] == SLICES

        installed = product.command("models", "install", str(shipped_bundle()))
        fingerprint = installed.stdout.split()[0]
        with asked_all_the_time(product) as answers:
            status, begun = product.request(f"/api/v1/models/{fingerprint}/reindex", {})
            assert (status, begun["missing_frames"]) == (202, SLICES), begun
            [job_id] = begun["jobs"]

            def some_are_done() -> bool:
                counts = product.request(f"/api/v1/index-jobs/{job_id}")[1]["counts"]
                return bool(counts["indexed"] >= 2)

            until(some_are_done, product.output)
            os.kill(product.pid("workers"), signal.SIGKILL)
            done = product.finished(job_id)
            assert done["counts"]["indexed"] + done["counts"]["unchanged"] == SLICES, product.output()
            models = listed(product)
            assert (models[NEW]["frames"], models[NEW]["missing"]) == (SLICES, 0)
            assert product.command("models", "use", NEW).returncode == 0
            until(lambda: answers[-1][1].get("model") == NEW, product.output)
            until(product.ready, product.output)

        assert {status for status, _ in answers} == {200}, [told for status, told in answers if status != 200]
        names = [told["model"] for _, told in answers]
        assert set(names) == {OLD, NEW}
        assert names == sorted(names, key=(OLD, NEW).index), "no server goes back"
        for _, told in answers:
            assert {hit["model"] for hit in told["hits"]} == {told["model"]}
            assert len(told["hits"]) == SLICES - 1
            assert {hit["label"] for hit in told["hits"]} == {"chest"}

        (folder / "late").write_bytes(ct_file(2, 1))
        again = product.command("index", str(folder / "late"), "--json")
        assert json.loads(again.stdout)["indexed"] == 1, again.stderr
        models = listed(product)
        assert (models[NEW]["role"], models[NEW]["frames"]) == ("used", SLICES + 1)
        assert (models[OLD]["role"], models[OLD]["missing"]) == ("kept", 1)

        refused = product.command("models", "use", OLD)
        assert (refused.returncode, "--accept-missing 1" in refused.stderr) == (2, True)
        back = product.command("reindex", "--model", OLD, "--json")
        assert back.returncode == 0, back.stderr
        assert json.loads(back.stdout)["frames"] == 1
        assert product.command("models", "use", OLD).returncode == 0
        until(lambda: product.request("/api/v1/search/image", QUERY)[1].get("model") == OLD, product.output)
        removed = product.command("models", "remove", NEW)
        assert f"Removed {SLICES + 1} frames" in removed.stdout, removed.stderr
        assert not (product.home / "models" / fingerprint).exists()
        assert len(product.request("/api/v1/search/image", QUERY)[1]["hits"]) == SLICES
