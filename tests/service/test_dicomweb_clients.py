"""Clients of DICOMweb over the wire: the product itself, which pulls what it serves, and an Orthanc."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hmar.values.entries import Origin
from hmar.values.identity import Identity
from hmar.values.pulls import PACS, Pull
from hmar.wiring import Engine
from service.edge.bounds import Bounds
from service.server import make_server
from tests.orthanc import running_orthanc
from tests.pacs import Pacs
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import FRAMES, SERIES, SLICES, Archive, build_archive

PIXELS = "/dicom-web/studies/{}.91/series/{}/instances/{}/frames/1"


@contextmanager
def listening(archive: Archive) -> Iterator[str]:
    """Serve an archive on a free port; give the root of its DICOMweb."""
    server = make_server(archive.app, "127.0.0.1", 0, Bounds(threads=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/dicom-web"
    finally:
        server.stop()
        thread.join(30)


def codes(engine: Engine) -> dict[str, tuple[bytes, bytes]]:
    """Return the codes of all frames by the UIDs of their instances."""
    found = {}
    for row in engine.catalogue.tail(0, 1000):
        assert row.encoded is not None
        uid = row.encoded.info.sop_instance_uid
        found[uid] = (row.encoded.global_code.tobytes(), row.encoded.window_codes.tobytes())
    return found


@pytest.mark.slow
def test_the_product_pulls_from_itself_and_has_the_same_codes(archive: Archive, tmp_path: Path) -> None:
    with listening(archive) as root:
        key = archive.engine.keys.create(Identity("puller", frozenset({"search", "files"})))
        (tmp_path / "token").write_text(key)
        (tmp_path / "pacs.toml").write_text(
            f'[itself]\nroot = "{root}"\npage = 2\n[itself.auth]\nkind = "bearer"\ntoken_file = "token"'
        )
        second = build_archive(tmp_path / "home", pacs_file=str(tmp_path / "pacs.toml"))
        pull = Pull("itself", modality="CT")
        assert len(list(second.engine.sources[PACS].list(str(pull)))) == FRAMES
        second.engine.indexer.submit("default", Origin(PACS, str(pull)))
        assert codes(second.engine) == codes(archive.engine)
        assert len(codes(second.engine)) == SERIES * SLICES
        # What was pulled is served on, and still comes from where it is.
        answer = second.client.get(PIXELS.format(ROOT, series_uid(1), sop_uid(1, 1)))
        assert answer.status_code == 200
        second.engine.close()


@pytest.mark.slow
def test_an_orthanc_retrieves_an_instance(archive: Archive, tmp_path: Path) -> None:
    key = archive.engine.keys.create(Identity("orthanc", frozenset({"search", "files"})))
    with listening(archive) as root, running_orthanc(tmp_path) as orthanc:
        remote = {"Url": f"{root}/", "HttpHeaders": {"Authorization": f"Bearer {key}"}}
        orthanc.ask("PUT", "/dicom-web/servers/hmar", json.dumps(remote).encode())
        asked = {"Uri": "/studies", "Arguments": {"StudyDate": "20200102"}}
        [row] = orthanc.ask("POST", "/dicom-web/servers/hmar/qido", json.dumps(asked).encode())
        assert f"{ROOT}.92" in json.dumps(row)
        wanted = {"Study": f"{ROOT}.92", "Series": series_uid(2), "Instance": sop_uid(2, 1)}
        # Not synchronously: this version now and then closes the connection without an answer then.
        body = json.dumps({"Resources": [wanted], "Synchronous": False}).encode()
        job = orthanc.ask("POST", "/dicom-web/servers/hmar/retrieve", body)["ID"]
        while (told := orthanc.ask("GET", f"/jobs/{job}"))["State"] in ("Pending", "Running"):
            time.sleep(0.05)
        assert told["State"] == "Success", told
        [stored] = orthanc.ask("GET", "/instances")
        assert orthanc.ask("GET", f"/instances/{stored}/simplified-tags")["SOPInstanceUID"] == sop_uid(2, 1)


def test_a_picture_of_a_pacs_that_is_down_says_so(tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text("")
    with Pacs.serving([ct_file(1, 1), ct_file(1, 2)]) as pacs:
        (tmp_path / "pacs.toml").write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\ntries = 1')
        archive = build_archive(tmp_path / "home", pacs_file=str(tmp_path / "pacs.toml"))
        archive.engine.indexer.submit("default", Origin(PACS, "main"))
        viewer = client_of(archive, limited("viewer", "search"))
        first, second = (PIXELS.format(ROOT, series_uid(1), sop_uid(1, number)) for number in (1, 2))
        assert viewer.get(first).status_code == 200
        pacs.habits.busy = 1
        answer = viewer.get(second)
        assert answer.status_code == 503
        assert answer.get_json(force=True)["detail"].startswith(
            "The PACS that has the pixels does not answer"
        )
        # What was opened already is in memory, and the other comes once the PACS is back.
        assert [viewer.get(address).status_code for address in (first, second)] == [200, 200]
        archive.engine.close()
