"""``hmar export-model`` as it is typed, and an archive that is indexed with both forms of a model."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.adapters.memory import MemoryCatalogue, MemoryIndex
from hmar.cli import main
from hmar.config import Settings
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ModelError
from hmar.model.bundle import TYPICALITY, fingerprint, verify
from hmar.search import Searcher
from hmar.values.geometry import Box
from hmar.values.selection import Selection
from hmar.wiring import build_engine
from tests.benchmark.lesions.folders import write_people
from tests.phantoms import ct_file, sop_uid

SLICES = 4
NODULE = (60.0, 84.0)


def hmar(home: Path, *arguments: object, model: Path | str = "") -> Result:
    variables = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": str(model), "HMAR_REDIS_URL": "", "COLUMNS": "140"}
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=variables)


@pytest.fixture
def fast(tmp_path) -> Path:
    """Return the fast form of the shipped model, as the command writes it."""
    out = tmp_path / "ours-fast"
    result = hmar(tmp_path / "home", "export-model", shipped_bundle(), "--fast", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Typicality is measured as before.\n")
    assert result.stdout.endswith(f"{out}: model {HmarEncoder.load(out).fingerprint}\n")
    return out


@pytest.mark.slow
def test_an_archive_of_one_form_is_empty_to_the_other_until_it_is_indexed_again(fast, tmp_path):
    home, images = tmp_path / "home", tmp_path / "images"
    images.mkdir()
    for number in range(1, SLICES + 1):
        (images / f"{number}.dcm").write_bytes(ct_file(1, number, NODULE))
        (images / f"{SLICES + number}.dcm").write_bytes(ct_file(2, number))
    assert hmar(home, "index", images).exit_code == 0
    engine = build_engine(Settings(home=home, model_dir=str(fast)))
    try:
        engine.searcher.refresh()
        assert engine.index.stats().frames == 0
        assert hmar(home, "index", images, model=fast).exit_code == 0
        engine.searcher.refresh()
        assert engine.index.stats().frames == 2 * SLICES
        [entry] = engine.catalogue.find(sop_uid(1, 1), engine.encoder.fingerprint)
        x, y = NODULE
        box = Box(x - 10, y - 10, 20, 20)
        hits = engine.searcher.region(engine.frame(entry), box, SLICES, "local", Selection())
        assert {hit.entry.model_fingerprint for hit in hits} == {engine.encoder.fingerprint}
        assert hits[0].entry.entry_id == entry.entry_id
    finally:
        engine.close()
    checked = hmar(home, "doctor", "--quick", model=fast)
    assert checked.exit_code == 0, checked.output


@pytest.mark.slow
def test_an_index_of_one_form_is_refused_to_the_other(fast):
    shipped, ours = HmarEncoder.load(shipped_bundle()), HmarEncoder.load(fast)
    for index_of, encoder in ((shipped, ours), (ours, shipped)):
        with pytest.raises(ModelError, match=f"index is of model '{index_of.fingerprint}'.*never compared"):
            Searcher(MemoryCatalogue(), MemoryIndex(index_of.fingerprint), encoder)


def test_a_folder_that_holds_something_is_refused_before_anything_is_fetched(tmp_path):
    (tmp_path / "file").touch()
    given = ("export-model", shipped_bundle(), "--fast", tmp_path, "--with-open-ct")
    result = hmar(tmp_path / "home", *given)
    assert result.exit_code == 3
    assert "is there already. Name a new folder" in result.output
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_typicality_is_measured_from_folders_or_stays(tmp_path):
    home, model = tmp_path / "home", Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))
    before = (model / TYPICALITY).read_bytes()
    plain = hmar(home, "export-model", model)
    assert plain.exit_code == 0, plain.output
    assert "Typicality is measured as before." in plain.stdout
    assert (model / TYPICALITY).read_bytes() == before
    people = write_people(tmp_path / "people", slices=2)
    refitted = hmar(home, "export-model", model, "--typicality", people)
    assert refitted.exit_code == 0, refitted.output
    for kind in ("HU", "presentation:UNKNOWN"):
        assert f"{kind}: typicality is measured from 12 frames of 1 people." in refitted.stdout
    assert f"model {fingerprint(shipped_bundle())}" in refitted.stdout
    assert set(HmarEncoder.load(model).references.known) == {"HU", "presentation:UNKNOWN"}
    verify(model)


def test_a_folder_without_images_is_refused_before_anything_is_written(tmp_path):
    model = Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))
    (tmp_path / "empty").mkdir()
    result = hmar(tmp_path / "home", "export-model", model, "--typicality", tmp_path / "empty")
    assert result.exit_code == 2
    assert "There is no image in 1 folders." in result.output
    verify(model)
