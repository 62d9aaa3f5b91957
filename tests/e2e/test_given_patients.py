"""Patient ids of a table reach neither files nor logs nor answers: only their keys do."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.trust.phi.forms import all_forms, bytes_found
from hmar.config import Settings
from hmar.dicom.deidentify import PatientHasher
from hmar.values.jobs import JobState
from hmar.wiring import build_engine
from tests.e2e.product import Product, hmar, started
from tests.phantoms import PATIENT_ID, ct_file

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

PLANTED = {
    "an id with a picture": ("PLANTED-4242-X",),
    "an id that a header contradicts": ("PLANTED-WRONG-1",),
    "an id of a file that fails": ("PLANTED-FAILS-2",),
    "an id that no file has": ("PLANTED-NOBODY-3",),
    "an id of headers": (PATIENT_ID,),
    "an issuer": ("PLANTED-CLINIC",),
}
FORMS = all_forms(PLANTED)
TABLE = f"""path,label,patient,issuer
a.png,x,PLANTED-4242-X,
b.png,y,PLANTED-4242-X,
c.png,y,PLANTED-4242-X,PLANTED-CLINIC
d.png,y,{PATIENT_ID},
1.dcm,x,{PATIENT_ID},
2.dcm,x,PLANTED-WRONG-1,
cut.png,x,PLANTED-FAILS-2,
gone.png,x,PLANTED-NOBODY-3,
"""
MODEL = {"HMAR_MODEL_DIR": "thumbnail"}


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with a table beside its images, as people keep them."""
    folder = tmp_path / "films"
    folder.mkdir()
    for seed, name in enumerate("abcd"):
        (folder / f"{name}.png").write_bytes(picture(seed))
    for number in (1, 2):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    (folder / "cut.png").write_bytes(picture(9)[:900])
    (folder / "labels.csv").write_text(TABLE)
    return folder


def said(product: Product, films: Path) -> Iterator[tuple[str, str]]:
    """Index with the table, ask for what there is, and give back all that was answered and printed."""
    arguments = ("index", str(films), "--labels", str(films / "labels.csv"))
    for how in ((), ("--json",)):
        done = product.command(*arguments, *how)
        assert done.returncode == 0, done.stderr
        assert "Indexing through the worker" in done.stderr
        assert "another patient than its header" in done.stdout
        yield "hmar index", done.stdout + done.stderr
    engine = build_engine(Settings(home=product.home, model_dir="thumbnail"))
    for job in engine.jobs.unfinished({JobState.DONE}):
        for path in (f"/api/v1/index-jobs/{job.job_id}", f"/api/v1/index-jobs/{job.job_id}/items"):
            yield path, str(product.request(path))
    engine.close()
    yield "series", str(product.request("/api/v1/series"))
    yield "processes", str(product.children())
    yield "output", product.output()


def left(home: Path) -> dict[str, dict[str, int]]:
    """Return how many bytes of what was planted are in which file of the data directory."""
    found = {}
    for path in (path for path in home.rglob("*") if path.is_file()):
        if planted := bytes_found(path.read_bytes(), FORMS):
            found[str(path.relative_to(home))] = planted
    return found


def keys(home: Path) -> dict[str, str | None]:
    engine = build_engine(Settings(home=home, model_dir="thumbnail"))
    frames = [row.encoded.info for row in engine.catalogue.tail(0, 100) if row.encoded is not None]
    found = {
        Path(entry.origin.reference).name: entry.info.patient_key
        for info in frames
        for entry in engine.catalogue.instance("default", info.sop_instance_uid)
    }
    engine.close()
    return found


def test_ids_of_a_table_are_nowhere_and_their_keys_are_those_of_headers(tmp_path: Path, films: Path) -> None:
    home = tmp_path / "home"
    with started(home, **MODEL) as product:
        answers = list(said(product, films))
        assert len(answers) > 6
        assert [(place, bytes_found(text.encode(), FORMS)) for place, text in answers] == [
            (place, {}) for place, _ in answers
        ]
        assert left(home) == {}
        product.interrupt()
        environment = product.environment
    assert bytes_found(product.output().encode(), FORMS) == {}
    assert left(home) == {}
    known = keys(home)
    assert known.keys() == {"a.png", "b.png", "c.png", "d.png", "1.dcm"}
    assert known["a.png"] == known["b.png"] is not None
    assert known["d.png"] == known["1.dcm"]
    hasher = PatientHasher((home / "secrets" / "patient").read_bytes())
    assert known["c.png"] == hasher.key("PLANTED-4242-X", "PLANTED-CLINIC") != known["a.png"]
    # What stands for a patient goes with the patient, from the files of jobs, too.
    for name in ("a.png", "d.png", "c.png"):
        key = str(known[name]).encode()
        assert any(key in path.read_bytes() for path in home.rglob("*") if path.is_file())
        deleted = deleting(environment, name)
        assert deleted == 0
        assert not [path for path in home.rglob("*") if path.is_file() and key in path.read_bytes()]
    assert keys(home) == {}


def deleting(environment: dict[str, str], name: str) -> int:
    """Delete the patient of a file; return the exit status."""
    given = {line.split(",")[0]: line.split(",")[2:] for line in TABLE.splitlines()}
    patient, issuer = given[name]
    more = ("--issuer", issuer) if issuer else ()
    return hmar(environment, "delete", "--patient-id", "--yes", *more, typed=patient).returncode
