"""A real Orthanc forwards what it stores to the running product, by STOW-RS and by C-STORE."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dicom_network import free_port
from tests.e2e.product import REPOSITORY, Product, started, until
from tests.orthanc import Orthanc, running_orthanc
from tests.phantoms import ct_file, sop_uid

pytestmark = pytest.mark.slow
EXAMPLES = REPOSITORY / "examples" / "orthanc"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    settings = {"HMAR_LISTEN_PORT": str(free_port()), "HMAR_LISTEN_CALLING": "ORTHANC"}
    with started(tmp_path_factory.mktemp("home"), **settings) as running:
        yield running


def example(name: str) -> dict[str, Any]:
    """Return a configuration of the examples, with the script that lies beside it."""
    told: dict[str, Any] = json.loads((EXAMPLES / name).read_text())
    told.pop("Plugins", None)  # where they are is said already
    return told | {"LuaScripts": [str(EXAMPLES / Path(script).name) for script in told["LuaScripts"]]}


def are_indexed(product: Product, *uids: str) -> bool:
    return all(product.request(f"/api/v1/instances/{uid}")[0] == 200 for uid in uids)


def states(orthanc: Orthanc) -> set[str]:
    return {job["State"] for job in orthanc.ask("GET", "/jobs?expand")}


def test_what_orthanc_stores_is_forwarded_by_stow(product: Product, tmp_path: Path) -> None:
    told = example("orthanc-stow.json")
    told["DicomWeb"]["Servers"]["hmar"] |= {
        "Url": f"{product.url}/dicom-web/",
        "HttpHeaders": {"Authorization": f"Bearer {product.key}"},
    }
    with running_orthanc(tmp_path, **told) as orthanc:
        for number in (1, 2):
            orthanc.store(ct_file(1, number))
        until(lambda: are_indexed(product, sop_uid(1, 1), sop_uid(1, 2)), product.output)
        until(lambda: states(orthanc) == {"Success"}, product.output)


def test_what_orthanc_stores_is_forwarded_by_dicom(product: Product, tmp_path: Path) -> None:
    told = example("orthanc-dicom.json")
    [ae, host, _] = told["DicomModalities"]["hmar"]
    told["DicomModalities"]["hmar"] = [ae, host, int(product.environment["HMAR_LISTEN_PORT"])]
    with running_orthanc(tmp_path, **told) as orthanc:
        orthanc.store(ct_file(2, 1))
        until(lambda: are_indexed(product, sop_uid(2, 1)), product.output)
