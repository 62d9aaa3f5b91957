"""``hmar export-model`` as it is typed."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.cli import main
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.bundle import TYPICALITY, fingerprint, verify
from tests.benchmark.lesions.folders import write_people


def export(home: Path, *arguments: object) -> Result:
    environment = {"HMAR_HOME": str(home), "COLUMNS": "140"}
    return CliRunner().invoke(main, ["export-model", *map(str, arguments)], env=environment)


@pytest.mark.slow
def test_typicality_is_measured_from_folders_or_stays(tmp_path):
    home, model = tmp_path / "home", Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))
    before = (model / TYPICALITY).read_bytes()
    plain = export(home, model)
    assert plain.exit_code == 0, plain.output
    assert "Typicality is measured as before." in plain.stdout
    assert (model / TYPICALITY).read_bytes() == before
    people = write_people(tmp_path / "people", slices=2)
    refitted = export(home, model, "--typicality", people)
    assert refitted.exit_code == 0, refitted.output
    for kind in ("HU", "presentation:UNKNOWN"):
        assert f"{kind}: typicality is measured from 12 frames of 1 people." in refitted.stdout
    assert f"model {fingerprint(shipped_bundle())}" in refitted.stdout
    assert set(HmarEncoder.load(model).references.known) == {"HU", "presentation:UNKNOWN"}
    verify(model)


def test_a_folder_without_images_is_refused_before_anything_is_written(tmp_path):
    model = Path(shutil.copytree(shipped_bundle(), tmp_path / "model"))
    (tmp_path / "empty").mkdir()
    result = export(tmp_path / "home", model, "--typicality", tmp_path / "empty")
    assert result.exit_code == 2
    assert "There is no image in 1 folders." in result.output
    verify(model)
