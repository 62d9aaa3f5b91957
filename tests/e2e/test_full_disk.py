"""The disk fills up while the product works, and is freed: nothing is lost, and nobody restarts anything.

On a small file system of its own where one may be mounted; and with a limit of the processes' file sizes,
which needs no right at all.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import Product, hmar, started, until
from tests.phantoms import ct_file, sop_uid

pytestmark = pytest.mark.slow

DISK_MB = 48
LEAST_MB = 4
FILES = 80


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for number in range(1, FILES + 1):
        path = folder / ("first" if number <= 5 else "second") / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ct_file(1, number))
    return folder


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small file system, or skip where that is not allowed: the other test needs none."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until there is no room for another byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def limit_files(product: Product, limit: int) -> None:
    for name in ("workers", "service"):
        hard = resource.prlimit(product.pid(name), resource.RLIMIT_FSIZE)[1]
        resource.prlimit(product.pid(name), resource.RLIMIT_FSIZE, (limit, hard))


def submit(product: Product, folder: str) -> str:
    status, job = product.request("/api/v1/index-jobs", {"folder": folder})
    assert status == 202, job
    return str(job["job_id"])


def indexed(product: Product, job_id: str) -> int:
    return int(product.request(f"/api/v1/index-jobs/{job_id}")[1]["counts"]["indexed"])


def full(product: Product) -> bool:
    status, answer = product.request("/readyz")
    return status == 503 and answer["detail"] == "Not ready: disk."


def watch_a_full_disk(product: Product, fill_up: Callable[[], object], free: Callable[[], object]) -> None:
    """Fill the disk in the middle of a job, look at everything, free it, and wait for the rest of the job."""
    assert product.finished(submit(product, "first"))["frames"] == 5
    job_id = submit(product, "second")
    until(lambda: indexed(product, job_id) > 3, product.output)
    pids = set(product.children())
    fill_up()
    until(lambda: full(product), product.output)
    check_answers(product)
    stopped_at = settled(product, job_id)
    assert stopped_at < FILES - 5
    free()
    until(product.ready, product.output)
    job = product.finished(job_id)
    check_nothing_lost(product, job)
    assert set(product.children()) == pids
    check_output(product.output())


def settled(product: Product, job_id: str) -> int:
    """Wait until nothing is indexed any more, and a while longer; return how many files were."""
    count = -1
    while count != (count := indexed(product, job_id)):
        time.sleep(3)
    return count


def check_answers(product: Product) -> None:
    """Readers are served, writers are told why not, in an answer without paths."""
    assert product.request("/healthz")[0] == 200
    status, answer = product.request("/api/v1/series")
    assert (status, len(answer["series"])) == (200, 1)
    for _ in range(20):
        status, answer = product.request("/api/v1/index-jobs", {"folder": "first"})
        assert (status, answer["type"]) == (503, "/problems/service-unavailable")
        assert str(product.home) not in str(answer)


def check_nothing_lost(product: Product, job: dict[str, Any]) -> None:
    assert (job["state"], job["counts"]["indexed"], job["frames"]) == ("done", FILES - 5, FILES - 5)
    items = product.request(f"/api/v1/index-jobs/{job['job_id']}/items?limit=1000")[1]["items"]
    assert {item["attempts"] for item in items} <= {1, 2}
    [series] = product.request("/api/v1/series")[1]["series"]
    frames = product.request(f"/api/v1/series/{series['series_uid']}/frames")[1]["frames"]
    uids = [frame["sop_instance_uid"] for frame in frames]
    assert sorted(uids) == sorted(sop_uid(1, number) for number in range(1, FILES + 1))


def check_output(output: str) -> None:
    """No traceback, and the same trouble once a minute."""
    assert "Traceback" not in output, output
    troubles = [line for line in output.splitlines() if "less than" in line or "is full" in line]
    assert troubles
    texts = Counter(re.sub(r"^.*?(?:WARNING|ERROR)", "", line) for line in troubles)
    assert max(texts.values()) <= 2, texts
    assert len(texts) <= 6, texts


def test_a_full_disk_stops_indexing_and_nothing_else_until_there_is_room(
    tmp_path: Path, images: Path
) -> None:
    home = tmp_path / "home"
    settings = {"HMAR_IMPORT_DIR": str(images), "HMAR_MIN_FREE_MB": str(LEAST_MB)}
    # What the product prints is kept in a file on this disk, too.
    with small_disk(home), started(home, **settings) as product:
        watch_a_full_disk(product, lambda: fill(home), (home / "ballast").unlink)


def test_files_that_may_not_grow_count_as_a_full_disk(tmp_path: Path, images: Path) -> None:
    with started(tmp_path / "home", HMAR_IMPORT_DIR=str(images), HMAR_MIN_FREE_MB="1") as product:
        watch_a_full_disk(
            product,
            lambda: limit_files(product, 0),
            lambda: limit_files(product, resource.RLIM_INFINITY),
        )


@pytest.mark.parametrize("arguments", [["serve"], ["index", "."], ["keys", "list"], ["doctor"]])
def test_a_first_start_on_a_full_disk_is_refused_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    home = tmp_path / "home"
    with small_disk(home):
        fill(home)
        done = hmar(os.environ | {"HMAR_HOME": str(home), "HMAR_PORT": "0"}, *arguments)
    assert done.returncode in (1, 3)
    assert "Traceback" not in done.stdout + done.stderr
    assert "full" in done.stdout + done.stderr or "cannot be written" in done.stdout + done.stderr
