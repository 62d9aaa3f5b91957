"""The windows of the fast form, and which models have one."""

from pathlib import Path

import numpy as np
import pytest

from hmar.encoder import shipped_bundle
from hmar.errors import ModelError
from hmar.image.grid import GridConfig, make_grid
from hmar.image.windows import WindowConfig, kept_windows
from hmar.model.bundle import WEIGHTS, read_info
from hmar.model.config import NetworkConfig
from hmar.model.fast import FAST_WINDOWS, has_fast_form, write_fast_weights
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
    assert (info.grid, info.windows) == (base.grid, FAST_WINDOWS)
    assert info.fingerprint != base.fingerprint


def test_a_fast_form_has_no_fast_form(tmp_path: Path) -> None:
    write_fast_weights(shipped_bundle(), tmp_path / "fast")
    assert has_fast_form(read_info(shipped_bundle()))
    assert not has_fast_form(read_info(tmp_path / "fast"))
    with pytest.raises(ModelError, match=r"fast has windows of \(2, 4, 6\) cells at strides of \(1, 2, 3\)"):
        write_fast_weights(tmp_path / "fast", tmp_path / "faster")
    assert not (tmp_path / "faster").exists()


def test_an_adapted_model_is_refused_for_its_thresholds_are_of_other_windows(tmp_path: Path) -> None:
    write_model(tmp_path / "adapted", NetworkConfig(width=16, hidden=16))
    give(tmp_path / "adapted", ModalityThresholds({"CT": some()}))
    assert not has_fast_form(read_info(tmp_path / "adapted"))
    with pytest.raises(ModelError, match="adapted has thresholds"):
        write_fast_weights(tmp_path / "adapted", tmp_path / "fast")
    assert not (tmp_path / "fast").exists()


def test_it_has_the_windows_of_every_size_that_its_strides_leave_and_under_two_thirds_of_them() -> None:
    grid = make_grid(512, 512, Spacing(0.7, 0.7), GridConfig())
    mask = np.ones((grid.rows, grid.columns), np.float32)
    usual, fast = (
        kept_windows(mask, GridConfig().stride, windows) for windows in (WindowConfig(), FAST_WINDOWS)
    )
    assert np.isin(fast, usual).mean() > 0.9  # but for those at the end of a row, which strides move
    assert set(fast >> 28) == set(usual >> 28) == {0, 1, 2}
    assert len(fast) < 2 / 3 * len(usual)
