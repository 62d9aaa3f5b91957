"""``hmar adapt`` over an archive of pictures, and the archive indexed again with what it wrote."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hmar.cli import main
from hmar.config import Settings
from hmar.encoder import HmarEncoder
from hmar.wiring import build_engine

PICTURES = 100


def hmar(home: Path, *arguments: object, model: Path | str = "") -> Result:
    variables = {"HMAR_HOME": str(home), "HMAR_MODEL_DIR": str(model), "HMAR_REDIS_URL": "", "COLUMNS": "140"}
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=variables)


def write_pictures(folder: Path, count: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        values = (255 * rng.random((48, 48)) ** (1 + number % 7)).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")


@pytest.mark.slow
def test_an_archive_is_adapted_and_indexed_again_and_the_old_rows_stay(tmp_path: Path) -> None:
    home, pictures, ours = tmp_path / "home", tmp_path / "pictures", tmp_path / "ours"
    write_pictures(pictures, PICTURES)
    assert hmar(home, "index", pictures).exit_code == 0
    adapted = hmar(home, "adapt", "--out", ours)
    assert adapted.exit_code == 0, adapted.output
    encoder = HmarEncoder.load(ours)
    assert f"{ours}: model {encoder.fingerprint}" in adapted.stdout
    assert f"UNKNOWN    {PICTURES}      {PICTURES}" in adapted.stdout
    assert f"presentation:UNKNOWN: typicality is measured from {PICTURES} frames of {PICTURES} people." in (
        adapted.stdout
    )
    assert hmar(home, "index", pictures, model=ours).exit_code == 0
    engine = build_engine(Settings(home=home, model_dir=str(ours)))
    try:
        # A row of the log holds the codes; those of both models are there.
        rows = [row.encoded for row in engine.catalogue.tail(0, 3 * PICTURES) if row.encoded is not None]
    finally:
        engine.close()
    mine = np.stack([row.global_code for row in rows if row.model_fingerprint == encoder.fingerprint])
    assert (len(rows), len(mine)) == (2 * PICTURES, PICTURES)
    ones = np.unpackbits(mine, axis=1).sum(axis=0)
    assert (abs(ones - PICTURES / 2) <= 1).all()
    assert hmar(home, "doctor", "--quick", model=ours).exit_code == 0


def test_an_archive_that_is_too_small_is_told_what_it_takes(tmp_path: Path) -> None:
    home, pictures = tmp_path / "home", tmp_path / "pictures"
    write_pictures(pictures, 2)
    assert hmar(home, "index", pictures).exit_code == 0
    result = hmar(home, "adapt", "--out", tmp_path / "ours")
    assert result.exit_code == 2
    assert "UNKNOWN: 2 frames of 2 people" in result.output
    assert "Index 100 frames of 10 people" in result.output
    assert not (tmp_path / "ours").exists()
