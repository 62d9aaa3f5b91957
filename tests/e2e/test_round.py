"""What a scanner and an archive send is found, though every part of the product is killed while it comes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless

from tests.dicom_network import dcmsend, free_port, stow
from tests.downloads import lidc_slices
from tests.e2e.product import Product, started, until
from tests.e2e.test_following import followed, indexed
from tests.orthanc import AUTHORIZATION, PASSWORD, USER, Orthanc, running_orthanc
from tests.phantoms import ct_file, series_uid
from tests.require import require_command

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

NUMBERS = (34, 37, 40, 42, 43, 44, 46, 49, 52)
NODULE, REGION = 43, [300, 347, 36, 41]
"""A slice of the nodule, and the box around it there."""
COMPRESSED, PUSHED = 12, 8
"""Slices of the series in JPEG 2000, and of that which is sent to the listener."""


def uid(data: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).SOPInstanceUID)


def jpeg2000(data: bytes) -> bytes:
    file, buffer = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
    file.compress(JPEG2000Lossless, generate_instance_uid=False)
    file.save_as(buffer)
    return buffer.getvalue()


def write(folder: Path, contents: list[bytes]) -> Path:
    folder.mkdir(parents=True)
    for number, data in enumerate(contents):
        (folder / f"{number}.dcm").write_bytes(data)
    return folder


class Scanner:
    """Sends slices to the listener, each again until it is answered with success."""

    def __init__(self, folder: Path, port: int) -> None:
        self.taken, self.refused = 0, 0
        self._folder, self._port = folder, port
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait until all are taken."""
        self._thread.join(120)
        assert not self._thread.is_alive()

    def _send(self) -> None:
        for number in range(1, PUSHED + 1):
            slice_of = write(self._folder / str(number), [ct_file(3, number)])
            while dcmsend(self._port, slice_of).returncode:
                self.refused += 1
                time.sleep(0.1)
            self.taken += 1


def pacs_toml(orthanc: Orthanc) -> str:
    return (
        f'[main]\nroot = "{orthanc.root}"\ntries = 1\n'
        f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"\n'
        f'[main.follow]\nkind = "orthanc"\nroot = "http://127.0.0.1:{orthanc.port}"\nevery_s = 0.25'
    )


def total(product: Product) -> int:
    return sum(indexed(product).values())


def test_nothing_is_lost_or_doubled_and_the_nodule_is_found(tmp_path: Path) -> None:
    storescu, port = require_command("storescu", "dcmtk"), free_port()
    slices = dict(zip(NUMBERS, lidc_slices(NUMBERS), strict=True))
    lidc = pydicom.dcmread(io.BytesIO(slices[NODULE]), stop_before_pixels=True).SeriesInstanceUID
    expected = {lidc: len(NUMBERS), series_uid(2): COMPRESSED, series_uid(3): PUSHED}
    (tmp_path / "password").write_text(PASSWORD)
    with running_orthanc(tmp_path) as orthanc:
        (tmp_path / "pacs.toml").write_text(pacs_toml(orthanc))
        settings = {
            "HMAR_MODEL_DIR": "",
            "HMAR_PACS_FILE": str(tmp_path / "pacs.toml"),
            "HMAR_LISTEN_PORT": str(port),
        }
        with started(tmp_path / "home", **settings) as product:
            sent = write(tmp_path / "lidc", list(slices.values()))
            subprocess.run(
                [storescu, "+sd", "127.0.0.1", str(orthanc.dicom_port), str(sent)],
                check=True,
                capture_output=True,
            )
            compressed = [jpeg2000(ct_file(2, number)) for number in range(1, COMPRESSED + 1)]
            stow(f"{orthanc.root}/studies", AUTHORIZATION, compressed)
            until(lambda: total(product) > 0, product.output)

            # The worker, which watches and indexes; then Orthanc, before all was fetched.
            os.kill(product.pid("workers"), signal.SIGKILL)
            assert total(product) < len(NUMBERS) + COMPRESSED
            assert orthanc.process is not None
            orthanc.process.kill()
            orthanc.process.wait()
            until(lambda: followed(product)["failures"] > 0, product.output)
            assert total(product) < len(NUMBERS) + COMPRESSED

            # The listener, while a scanner sends.
            scanner = Scanner(tmp_path / "scanner", port)
            until(lambda: scanner.taken > 0, product.output)
            os.kill(product.pid("hmar.listener"), signal.SIGKILL)
            scanner.close()
            assert scanner.refused > 0
            with running_orthanc(tmp_path, orthanc):
                until(lambda: indexed(product) == expected, product.output)
                changes = product.request("/api/v1/changes?limit=1000")[1]["changes"]
                assert Counter(change["kind"] for change in changes) == {"add": sum(expected.values())}
                added = Counter(change["sop_instance_uid"] for change in changes)
                assert (set(added.values()), len(added)) == ({1}, sum(expected.values()))
                assert {uid(data) for data in (*slices.values(), *compressed)} <= added.keys()

                query = {"sop_instance_uid": uid(slices[NODULE]), "region": REGION, "k": 2}
                status, answer = product.request("/api/v1/search/region", query)
                assert status == 200
                beside = {uid(slices[number]) for number in (42, 44)}
                assert {hit["sop_instance_uid"] for hit in answer["hits"]} == beside
            product.interrupt()
