"""The grid and the windows of the fast form, and which models have one."""

from pathlib import Path

import numpy as np
import pytest

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.image.grid import GridConfig, make_grid
from hmar.image.windows import WindowConfig, kept_windows
from hmar.model.bundle import WEIGHTS, read_info
from hmar.model.config import NetworkConfig
from hmar.model.fast import FAST_GRID, FAST_WINDOWS, has_fast_form, write_fast_weights
from hmar.model.thresholds import ModalityThresholds
from hmar.values.geometry import Spacing
from tests.hmar.model.test_thresholds import give, some
from tests.models import write_model


def test_the_fast_form_has_the_weights_and_a_fingerprint_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "models" / "fast"
    write_fast_weights(shipped_bundle(), out)
    base, info = read_info(shipped_bundle()), read_info(out)
    assert (out / WEIGHTS).read_bytes() == (shipped_bundle() / WEIGHTS).read_bytes()
    assert (info.name, info.network) == ("fast", base.network)
    assert (info.grid, info.windows) == (FAST_GRID, FAST_WINDOWS)
    assert info.fingerprint != base.fingerprint


def test_a_fast_form_has_no_fast_form(tmp_path: Path) -> None:
    write_fast_weights(shipped_bundle(), tmp_path / "fast")
    assert has_fast_form(read_info(shipped_bundle()))
    assert not has_fast_form(read_info(tmp_path / "fast"))
    with pytest.raises(ModelError, match=r"fast has pixels of 1.0 mm.*\(2, 4, 6\)"):
        write_fast_weights(tmp_path / "fast", tmp_path / "faster")
    assert not (tmp_path / "faster").exists()


def test_an_adapted_model_is_refused_for_its_thresholds_are_of_another_grid(tmp_path: Path) -> None:
    write_model(tmp_path / "adapted", NetworkConfig(width=16, hidden=16))
    give(tmp_path / "adapted", ModalityThresholds({"CT": some()}))
    assert not has_fast_form(read_info(tmp_path / "adapted"))
    with pytest.raises(ModelError, match="adapted has thresholds"):
        write_fast_weights(tmp_path / "adapted", tmp_path / "fast")
    assert not (tmp_path / "fast").exists()


@pytest.mark.parametrize(
    "spacing", [Spacing(0.7, 0.7), Spacing(0.15, 0.15), Spacing(2.0, 2.0), None], ids=str
)
def test_a_side_has_three_quarters_of_the_pixels_whatever_the_frame(spacing: Spacing | None) -> None:
    for rows, columns in ((512, 512), (512, 400), (64, 64), (3000, 2500)):
        usual = make_grid(rows, columns, spacing, GridConfig())
        fast = make_grid(rows, columns, spacing, FAST_GRID)
        assert abs(fast.filled_rows - 0.75 * usual.filled_rows) <= 1
        assert abs(fast.filled_columns - 0.75 * usual.filled_columns) <= 1


def test_windows_are_about_as_large_as_those_they_stand_for_and_fewer() -> None:
    for cells, fast_cells in zip(WindowConfig().cells, FAST_WINDOWS.cells, strict=True):
        assert 0.85 < fast_cells * FAST_GRID.pitch_mm / (cells * GridConfig().pitch_mm) < 1.1
    counts = []
    for config, windows in ((GridConfig(), WindowConfig()), (FAST_GRID, FAST_WINDOWS)):
        grid = make_grid(512, 512, Spacing(0.7, 0.7), config)
        mask = np.ones((grid.rows, grid.columns), np.float32)
        counts.append(len(kept_windows(mask, config.stride, windows)))
    assert counts[1] < 2 / 3 * counts[0]
