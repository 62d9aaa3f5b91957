"""Deleted is gone: every byte of every file below HMAR_HOME is searched for what a patient had."""

from __future__ import annotations

import io
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pydicom
import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from hmar.config import Settings
from hmar.values.entries import LogRow
from hmar.wiring import build_engine
from tests.e2e.product import Product, started, until
from tests.phantoms import PATIENT_ID, ct_file, sop_uid

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

OTHER_ID = "ANDERE-0815"
SLICES = 4
MODEL = {"HMAR_MODEL_DIR": "thumbnail"}


def of_another_patient(file: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.PatientID = OTHER_ID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def upload(product: Product, contents: list[bytes]) -> dict[str, object]:
    files = [FileStorage(io.BytesIO(content), f"{n}.dcm", "file") for n, content in enumerate(contents)]
    boundary, body = encode_multipart({"file": files})
    headers = {
        "Authorization": f"Bearer {product.key}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    request = urllib.request.Request(f"{product.url}/api/v1/index-jobs", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        location = str(answer.headers["Location"])
    return product.finished(location.rpartition("/")[2])


def picture(product: Product) -> bytes:
    path = f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image"
    request = urllib.request.Request(product.url + path, headers={"Authorization": f"Bearer {product.key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def found(product: Product) -> set[str]:
    query = {"sop_instance_uid": sop_uid(2, 1), "k": 100}
    status, answer = product.request("/api/v1/search/image", query)
    assert status == 200
    return {hit["sop_instance_uid"] for hit in answer["hits"]}


def planted(home: Path, files: list[bytes]) -> dict[str, bytes]:
    """Return what is stored of the first patient, by what it is."""
    engine = build_engine(Settings(home=home))
    rows: list[LogRow] = [row for row in engine.catalogue.tail(0, 100) if row.encoded is not None]
    mine = {sop_uid(1, number) for number in range(1, SLICES + 1)}
    found: dict[str, bytes] = {"patient id": PATIENT_ID.encode()}
    for row in rows:
        assert row.encoded is not None
        info, codes = row.encoded.info, row.encoded
        if info.sop_instance_uid in mine:
            name = f"instance {info.instance_number}"
            found[f"{name}: global code"] = codes.global_code.tobytes()
            found[f"{name}: window code"] = codes.window_codes[len(codes.window_codes) // 2].tobytes()
            # The snapshots hold the codes of windows in planes.
            found[f"{name}: plane of window codes"] = codes.window_codes[:, 7].tobytes()
            found["patient key"] = str(info.patient_key).encode()
    engine.close()
    for number, file in enumerate(files):
        found[f"upload {number}"] = file[20_000:20_200]
    return found


def left(home: Path, searched: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return in which files which of some bytes are."""
    places: dict[str, list[str]] = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        for name, wanted in searched.items():
            if wanted in content:
                places.setdefault(name, []).append(str(path.relative_to(home)))
    return places


def test_nothing_of_a_deleted_patient_is_left_in_the_data_directory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    mine = [ct_file(1, number) for number in range(1, SLICES + 1)]
    others = [of_another_patient(ct_file(2, number)) for number in range(1, SLICES + 1)]
    with started(home, **MODEL) as product:
        assert upload(product, mine + others + [b"no image"])["frames"] == 2 * SLICES
        assert len(found(product)) == 2 * SLICES - 1
        product.interrupt()
    assert list(home.glob("index/*/gen-*")), "a stop writes a snapshot"
    searched = planted(home, mine)
    with started(home, **MODEL) as product:
        before = left(home, searched)
        assert set(before) == set(searched), "what is searched for is there at first"
        in_snapshots = {name for name, places in before.items() if any("index/" in place for place in places)}
        assert len(in_snapshots) == 2 * SLICES
        assert picture(product)[1:4] == b"PNG"
        status, answer = product.request("/api/v1/deletions", {"level": "patient", "patient_id": PATIENT_ID})
        assert (status, answer["frames"]) == (200, SLICES)
        assert found(product) == {sop_uid(2, number) for number in range(2, SLICES + 1)}
        at_once = left(home, searched)
        assert {place.split("/")[0] for places in at_once.values() for place in places} <= {"index"}
        until(lambda: not left(home, searched), lambda: f"{left(home, searched)} {product.output()}")
        assert product.request(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")[0] == 404
        assert len([path for path in (home / "uploads").rglob("*") if len(path.name) == 64]) == SLICES
    assert left(home, searched) == {}
