"""What views need is counted before a run, and refused where it does not fit."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.errors import ConfigError
from hmar.training import memory
from hmar.training.data.fresh import BATCHES_AHEAD
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.views import make_views
from hmar.training.memory import GB, Need, free_memory, need_of_fresh, need_of_kept
from hmar.training.run import Plan, train_network
from tests.hmar.training.data.test_fresh import made
from tests.hmar.training.tiny import CONFIG, scan, tiny_backbone


@pytest.mark.slow
def test_the_need_of_views_is_the_size_of_the_tensors_that_hold_them():
    backbone, volumes = tiny_backbone(), [scan("a", slices=2)]
    views = make_views(volumes, backbone, 2, 0.75, np.random.default_rng(0), lambda *_: None)
    held = views.maps.nbytes + views.content.nbytes
    assert need_of_kept(backbone, replace(CONFIG, settle_steps=0), 4) == held
    assert need_of_kept(backbone, CONFIG, 4) == held + 4 * 2 * backbone.channels * CANVAS_CELLS**2


@pytest.mark.slow
def test_the_need_of_batches_ahead_is_the_size_of_their_pixels_and_masks():
    batch = made(pairs=5)[1]
    config = replace(CONFIG, pairs=2, settle_pairs=5, windows=8)
    assert need_of_fresh(config, 3).ahead == 3 * BATCHES_AHEAD * (batch.pixels.nbytes + batch.apart.nbytes)
    assert need_of_fresh(config, 0).total == 0


def test_a_run_that_does_not_fit_is_refused_before_a_view_is_made():
    told = []
    plan = Plan(CONFIG, views_per_slice=3, memory=10**5)
    with pytest.raises(ConfigError, match=r"The views need .* and 0\.0 GB may be used\. Give fewer --views"):
        train_network([scan("a")], tiny_backbone(), plan, lambda *line: told.append(line))
    with pytest.raises(ConfigError, match="Give fewer --workers"):
        train_network([scan("a")], tiny_backbone(), replace(plan, fresh=True, workers=2), told.append)
    assert not told


def test_what_is_free_is_the_limit_where_none_is_given(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 2 * GB)
    with pytest.raises(ConfigError, match=r"need 3\.0 GB, and 2\.0 GB are free"):
        Need(3 * GB).check(None, "Give fewer")
    Need(GB).check(None, "Give fewer")
    monkeypatch.setattr(memory, "free_memory", lambda: None)  # a system that does not tell
    Need(3 * GB).check(None, "Give fewer")


def test_batches_must_fit_into_what_processes_share():
    with pytest.raises(ConfigError, match=r"of shared memory.*--shm-size"):
        Need(0, ahead=10**15).check(10**16, "Give fewer")


def test_a_container_may_have_less_than_the_machine(monkeypatch, tmp_path):
    machine = free_memory()
    assert machine > 0
    (tmp_path / "max").write_text("5000\n")
    (tmp_path / "used").write_text("2000\n")
    monkeypatch.setattr(memory, "_GROUP_LIMIT", tmp_path / "max")
    monkeypatch.setattr(memory, "_GROUP_USED", tmp_path / "used")
    assert free_memory() == 3000
    (tmp_path / "max").write_text("max\n")
    assert free_memory() > 3000
