"""The product follows a real Orthanc, whatever of the two is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import Product, started, until
from tests.orthanc import PASSWORD, USER, Orthanc, running_orthanc
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.require import require_command

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

LAST_SERIES, LATE, SLICES = 4, 4, 12


def send(orthanc: Orthanc, folder: Path, series: int, *numbers: int) -> None:
    """Send slices as a scanner does."""
    program = require_command("storescu", "dcmtk")
    sent = folder / f"sent-{series}-{numbers[0]}"
    sent.mkdir()
    for number in numbers:
        (sent / f"{number}.dcm").write_bytes(ct_file(series, number))
    subprocess.run(
        [program, "+sd", "127.0.0.1", str(orthanc.dicom_port), str(sent)], check=True, capture_output=True
    )


def indexed(product: Product) -> dict[str, int]:
    """Return how many frames each series has."""
    listed = product.request("/api/v1/series")[1].get("series", [])
    return {series["series_uid"]: series["frames"] for series in listed}


def found(product: Product, series: int) -> set[str]:
    """Return the series of hits of a search for a slice."""
    query = {"sop_instance_uid": sop_uid(series, 1), "k": 100}
    status, answer = product.request("/api/v1/search/image", query)
    return {hit["series_uid"] for hit in answer["hits"]} if status == 200 else set()


def frames_of_series(product: Product, series: int) -> int:
    """Return of how many frames a search by series is made."""
    query = {"series_uid": series_uid(series), "mode": "global"}
    frames: int = product.request("/api/v1/search/series", query)[1]["query"]["frames"]
    return frames


def followed(product: Product) -> dict[str, Any]:
    [pacs] = product.request("/api/v1/pacs")[1]["pacs"]
    told: dict[str, Any] = pacs["followed"]
    return told


def added(product: Product, uid: str) -> int:
    """Return how often an instance was added that is still there, and how often at all."""
    changes = product.request("/api/v1/changes?limit=1000")[1]["changes"]
    return sum(change["sop_instance_uid"] == uid for change in changes)


def deletions(product: Product) -> int:
    changes = product.request("/api/v1/changes?limit=1000")[1]["changes"]
    return sum(change["kind"] == "delete" for change in changes)


def test_an_orthanc_is_followed_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "password").write_text(PASSWORD)
    with running_orthanc(tmp_path, OverwriteInstances=True) as orthanc:
        (tmp_path / "pacs.toml").write_text(
            f'[main]\nroot = "{orthanc.root}"\ntries = 1\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"\n'
            f'[main.follow]\nkind = "orthanc"\nroot = "http://127.0.0.1:{orthanc.port}"\n'
            "every_s = 0.25\nmost_deleted = 1"
        )
        settings = {"HMAR_PACS_FILE": str(tmp_path / "pacs.toml"), "HMAR_SAME_UID": "replace"}
        send(orthanc, tmp_path, 1, 1, 2, 3)
        with started(home, **settings) as product:
            until(lambda: indexed(product) == {series_uid(1): 3}, product.output)

            # Late images, when the series is stable.
            send(orthanc, tmp_path, 1, LATE)
            until(lambda: indexed(product) == {series_uid(1): LATE}, product.output)
            assert found(product, 1) == {series_uid(1)}
            assert frames_of_series(product, 1) == LATE

            # The same instance with other pixels.
            assert deletions(product) == 0
            orthanc.store(ct_file(1, 1, nodule=(60.0, 92.0)))
            until(lambda: deletions(product) == 1 and added(product, sop_uid(1, 1)) == 1, product.output)

            # The worker, which watches, dies in the middle.
            numbers = range(1, SLICES + 1)
            for series in range(2, LAST_SERIES + 1):
                send(orthanc, tmp_path, series, *numbers)
            until(lambda: sum(indexed(product).values()) > LATE, product.output)
            os.kill(product.pid("workers"), signal.SIGKILL)
            expected = {series_uid(1): LATE} | {
                series_uid(series): SLICES for series in range(2, LAST_SERIES + 1)
            }
            until(lambda: indexed(product) == expected, product.output)

            # Orthanc dies, and comes back.
            assert orthanc.process is not None
            orthanc.process.kill()
            orthanc.process.wait()
            until(lambda: followed(product)["failures"] > 0, product.output)
            with running_orthanc(tmp_path, orthanc, OverwriteInstances=True) as back:
                send(back, tmp_path, 1, LATE + 1)
                expected[series_uid(1)] += 1
                until(lambda: indexed(product) == expected, product.output)
                until(lambda: followed(product)["failures"] == 0, product.output)
                assert followed(product)["resets"] == 0

                # A study is deleted there.
                [study] = back.ask("POST", "/tools/lookup", sop_uid(2, 1).encode())
                parent = back.ask("GET", f"/instances/{study['ID']}/study")["ID"]
                back.ask("DELETE", f"/studies/{parent}")
                assert product.command("pacs", "sweep", "main").returncode == 0
                del expected[series_uid(2)]
                until(lambda: indexed(product) == expected, product.output)
                assert found(product, 3) == expected.keys()
                until(lambda: followed(product)["sweep"] is None, product.output)
                told = followed(product)
                assert (told["deleted"], told["only_there"], told["only_here"]) == (SLICES, 0, 0)
                changes = product.request("/api/v1/changes?limit=1000")[1]["changes"]
                live = Counter(change["sop_instance_uid"] for change in changes if change["sop_instance_uid"])
                assert set(live.values()) == {1}
                assert len(live) == sum(expected.values())
                product.interrupt()
