"""Images of several vendors come by C-STORE, STOW-RS and a pull: the same headers and codes, bit for bit."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from hmar.config import Settings
from hmar.values.codes import EncodedFrame
from hmar.wiring import build_engine
from tests.dicom_network import dcmsend, free_port, stow
from tests.e2e.product import TIMEOUT_S, Product, started, until
from tests.orthanc import PASSWORD, USER, running_orthanc

pytestmark = pytest.mark.slow

OWN = (
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "examples_jpeg2k.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
)
"""Files that pydicom ships: GE, Toshiba, Siemens and Philips, half of them compressed."""
DIMSE, STOW, PULL = "dimse", "stow", "pull"
TOGETHER = 100
"""Files in one request."""


def own() -> list[bytes]:
    return [Path(str(get_testdata_file(name, download=False))).read_bytes() for name in OWN]


def of_a_folder() -> list[bytes]:
    """Return all images of a folder of DICOM files."""
    folder = os.environ.get("HMAR_TEST_VENDORS")
    if not folder:
        pytest.skip("HMAR_TEST_VENDORS names no folder of DICOM files of many vendors")
    return [path.read_bytes() for path in sorted(Path(folder).rglob("*.dcm"))]


def told_by_collection(home: Path) -> dict[str, dict[str, EncodedFrame]]:
    """Return what the catalogue has of each instance, by collection."""
    told: dict[str, dict[str, EncodedFrame]] = {}
    with closing(build_engine(Settings(home=home).checked())) as engine:
        for row in engine.catalogue.tail(0, engine.catalogue.last_seq()):
            assert row.encoded is not None
            told.setdefault(row.collection, {})[row.encoded.info.sop_instance_uid] = row.encoded
    return told


def frames(product: Product) -> dict[str, int]:
    collections = product.request("/api/v1/collections")[1].get("collections", [])
    return {collection["collection"]: collection["frames"] for collection in collections}


@pytest.mark.parametrize("files", [own, of_a_folder])
def test_every_way_gives_the_same_headers_and_codes(files: Callable[[], list[bytes]], tmp_path: Path) -> None:
    contents = files()
    sent, home, port = tmp_path / "sent", tmp_path / "home", free_port()
    sent.mkdir()
    for number, data in enumerate(contents):
        (sent / f"{number}.dcm").write_bytes(data)
    with running_orthanc(tmp_path) as orthanc:
        for data in contents:
            orthanc.store(data)
        (tmp_path / "password").write_text(PASSWORD)
        (tmp_path / "pacs.toml").write_text(
            f'[main]\nroot = "{orthanc.root}"\n'
            f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "password"'
        )
        settings = {
            "HMAR_MODEL_DIR": "",
            "HMAR_PACS_FILE": str(tmp_path / "pacs.toml"),
            "HMAR_LISTEN_PORT": str(port),
            "HMAR_LISTEN_COLLECTION": DIMSE,
        }
        with started(home, **settings) as product:
            taken = dcmsend(port, sent)
            assert taken.returncode == 0, taken.stderr
            address = f"{product.url}/dicom-web/studies?collection={STOW}"
            for start in range(0, len(contents), TOGETHER):
                stow(address, f"Bearer {product.key}", contents[start : start + TOGETHER])
            asked = {"pacs": {"name": "main"}, "collection": PULL}
            assert product.request("/api/v1/index-jobs", asked)[0] == 202
            expected = dict.fromkeys((DIMSE, STOW, PULL), len(contents))
            until(lambda: frames(product) == expected, product.output, TIMEOUT_S + len(contents))
            product.interrupt()
    told = told_by_collection(home)
    assert {name: len(each) for name, each in told.items()} == expected
    for data in contents:
        header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        first, *others = (told[collection][header.SOPInstanceUID] for collection in told)
        info = first.info
        assert (info.series_uid, info.study_uid) == (header.SeriesInstanceUID, header.StudyInstanceUID)
        assert (info.rows, info.columns, info.modality) == (header.Rows, header.Columns, header.Modality)
        assert bool(info.manufacturer) == bool(header.get("Manufacturer"))
        assert first.digests is not None
        for other in others:
            assert other.to_dict() == first.to_dict()
            assert other.info == info
            assert other.digests is not None
            assert (other.digests.pixels, other.digests.header) == (
                first.digests.pixels,
                first.digests.header,
            )
