"""``hmar slabs`` and ``hmar index --slab-mm``, from files to what searches tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import hmar
from hmar.cli import main
from tests.phantoms import ct_file

SLICES = 6


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of one series."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(1, SLICES + 1):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    return folder


def run(home: Path, *arguments: str) -> Result:
    variables = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": "thumbnail", "HMAR_REDIS_URL": ""}
    return CliRunner().invoke(main, arguments, env=variables)


def told(home: Path) -> dict[str, dict[str, Any]]:
    listed = run(home, "slabs", "--json")
    assert listed.exit_code == 0, listed.output
    return {one["collection"]: one for one in json.loads(listed.stdout)["collections"]}


@pytest.mark.slow
def test_a_collection_is_indexed_with_slabs_and_gives_them_up(home: Path, images: Path) -> None:
    done = run(home, "index", str(images), "--collection", "chest", "--slab-mm", "10", "--json")
    assert done.exit_code == 0, done.output
    with_slabs = told(home)["chest"]
    assert (with_slabs["frames"], with_slabs["slab_mm"]) == (SLICES, 10)
    assert with_slabs["held_back"] == SLICES // 2
    examined = json.loads(run(home, "doctor", "--quick", "--json").stdout)
    assert "chest of 10 mm: 3 of 6 frames held back" in json.dumps(examined)
    assert run(home, "slabs", "chest", "--mm", "0").exit_code == 0
    without = told(home)["chest"]
    assert (without["held_back"], without["slab_mm"]) == (0, None)
    assert without["windows"] > 1.9 * with_slabs["windows"]
    assert without["code_bytes"] == with_slabs["code_bytes"]


@pytest.mark.slow
def test_every_slice_is_found_by_its_image_and_a_slab_by_its_nearest_slice(home: Path, images: Path) -> None:
    run(home, "index", str(images), "--slab-mm", "10", "--json")
    with hmar.Archive(home, "thumbnail") as archive:
        for number in range(1, SLICES + 1):
            hit = archive.search(images / f"{number}.dcm", k=1)[0]
            assert (hit.entry.info.instance_number, hit.distance) == (number, 0)
            assert hit.slab is not None
            assert hit.slab.frames == 2
        box = (40, 60, 60, 60)
        slabs = archive.search(images / "1.dcm", box, k=SLICES)
        archive.engine.slabs.change("default", None)
        every = archive.search(images / "1.dcm", box, k=SLICES)
    distances = {hit.entry.info.instance_number: hit.distance for hit in every}
    nearest = [min(pair, key=lambda number: distances[number]) for pair in ((1, 2), (3, 4), (5, 6))]
    assert {hit.entry.info.instance_number: hit.distance for hit in slabs} == {
        number: distances[number] for number in nearest
    }


@pytest.mark.slow
def test_a_collection_has_slabs_before_it_has_frames(home: Path) -> None:
    assert run(home, "slabs", "chest", "--mm", "3").exit_code == 0
    assert told(home)["chest"]["slab_mm"] == 3
    shown = run(home, "slabs")
    assert "chest" in shown.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("slabs", "--mm", "3"), "without a collection"),
        (("slabs", "chest", "--mm", "50"), "50 mm thick"),
        (("slabs", "chest", "--mm", "-1"), "-1 mm thick"),
        (("slabs", "no name", "--mm", "3"), "collection"),
        (("index", ".", "--slab-mm", "0.1"), "0.1 mm thick"),
        (("--server", "http://127.0.0.1:9", "index", ".", "--slab-mm", "3"), "archive of this machine alone"),
    ],
)
def test_what_cannot_be_is_refused(home: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run(home, *arguments)
    assert refused.exit_code != 0
    assert said in refused.output
