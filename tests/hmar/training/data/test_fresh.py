"""Batches that are rendered for their step: the same whoever makes them, and true to their places."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.errors import OperatorError
from hmar.model.config import PARTS
from hmar.training.data.fresh import FreshBatches, stream
from hmar.training.data.pairs import PairBatch, PairConfig, PairSampler, may_push_apart
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.views import slice_views
from hmar.training.data.volumes import Volume, constant_regions

PITCH_MM = 0.75
CPU = torch.device("cpu")
LUNG = 1
"""Channel of the lung window."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # a machine may have one core
]


def ramp() -> Volume:
    """Return a block of 300 mm whose HU, -700 to -100, tell the column: no contrast agent changes those."""
    values = np.broadcast_to(np.linspace(-700, -100, 200), (6, 180, 200)).astype(np.int16)
    return Volume("ramp", values, (2.5, 1.5, 1.5), "CT", constant_regions(6, "CHEST"))


def made(seed: int = 3, stage: int = 2, pairs: int | None = None, *, regions: bool = True) -> FreshBatches:
    volumes = [ramp()]
    slices = slice_views(volumes, PITCH_MM, lambda done, total: None)
    config = PairConfig(views=2, windows=8)
    sampler = PairSampler(slices, volumes, config, np.random.default_rng(0), pairs_a_slice_with_itself=True)
    return FreshBatches(sampler, slices, volumes, PITCH_MM, (seed, stage), pairs, regions=regions)


def same(a: PairBatch, b: PairBatch) -> bool:
    names = ("first", "second", "side_mm", "place", "first_label", "second_label")
    tensors = ("first_weights", "second_weights", "pixels", "apart")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names) and all(
        torch.equal(getattr(a, name), getattr(b, name)) for name in tensors
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_the_number_of_workers(workers):
    alone = list(stream(made(), range(4, 8), 0, CPU))
    shared = list(stream(made(), range(4, 8), workers, CPU))
    assert len(alone) == len(shared) == 4
    assert all(same(a, b) for a, b in zip(alone, shared, strict=True))


def test_a_batch_depends_on_seed_stage_and_step_and_not_on_those_before():
    batches = made()
    fifth = batches[5]
    assert same(fifth, batches[5])
    assert same(fifth, made()[5])
    others = [batches[6], made(seed=4)[5], made(stage=3)[5]]
    assert not any(torch.equal(fifth.pixels, other.pixels) for other in others)


def test_no_random_state_of_the_training_is_drawn_from():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    list(stream(made(), range(2), 1, CPU))
    assert torch.equal(torch.get_rng_state(), before)


def test_windows_lie_where_their_places_are_shown():
    batch = made(pairs=6)[1]
    assert batch.pixels.dtype == torch.uint8
    rows, columns = batch.first_weights.reshape(2, 6, 8, PARTS, CANVAS_CELLS).mean(dim=3)  # (M, n, cells)
    means = torch.nn.functional.avg_pool2d(batch.pixels[:6, LUNG].float(), 16)  # (M, cells, cells)
    seen = torch.einsum("mni,mij,mnj->mn", rows, means, columns) / (rows.sum(-1) * columns.sum(-1))
    x, y = batch.place[:, 1].reshape(6, 8), batch.place[:, 2].reshape(6, 8)
    checked = 0
    for view in range(6):
        half = batch.side_mm.reshape(6, 8)[view] / 2
        inside = (x[view] > half) & (x[view] < 300 - half) & (y[view] > half) & (y[view] < 270 - half)
        shown = seen[view].numpy()
        inside &= (shown > 10) & (shown < 245)
        if inside.sum() >= 4:  # HU, and so x, is seen in proportion, however the display is varied
            checked += 1
            assert np.corrcoef(shown[inside], x[view][inside])[0, 1] > 0.98
    assert checked >= 3


def test_what_may_be_pushed_apart_is_computed_with_the_batch_where_windows_are_compared():
    batch = made()[2]
    half = batch.side_mm / 2
    expected = may_push_apart(batch.place, np.minimum.outer(half, half)) & ~batch.alike()
    assert torch.equal(batch.apart, expected)
    assert made(regions=False)[2].apart is None


def test_a_slice_may_be_paired_with_itself_and_is_then_shown_twice_differently():
    batches = made(pairs=8)
    pairs = [
        (batch.pixels[k], batch.pixels[8 + k])
        for batch in (batches[number] for number in range(3))
        for k in np.flatnonzero(batch.first == batch.second)
    ]
    assert pairs
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_a_worker_that_is_killed_ends_the_run_with_an_error_that_says_so():
    batches = stream(made(), range(10_000), 1, CPU)
    next(batches)
    worker = multiprocessing.active_children()[-1]
    # torch raises wherever the main thread is: it waits for batches by then, as training does.
    killing = threading.Timer(0.2, os.kill, (worker.pid, signal.SIGKILL))
    killing.start()
    with pytest.raises(OperatorError, match="worker process that renders views ended"):
        deque(batches, maxlen=0)
    killing.join()


def test_workers_end_when_no_more_batches_are_wanted():
    batches = stream(made(), range(10_000), 1, CPU)
    next(batches)
    workers = multiprocessing.active_children()
    batches.close()
    assert not any(worker.is_alive() for worker in workers)


INTERRUPTED = """
import multiprocessing, sys, torch
from tests.hmar.training.data.test_fresh import made, stream
for batch in stream(made(), range(10_000), 2, torch.device("cpu")):
    print(*[child.pid for child in multiprocessing.active_children()], flush=True)
"""


def test_an_interrupt_ends_the_run_and_its_workers():
    command = [sys.executable, "-c", INTERRUPTED]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as run:
        workers = [int(pid) for pid in run.stdout.readline().split()]
        assert len(workers) == 2
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        run.stdout.read()
        assert run.wait(60) != 0
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            return
        time.sleep(0.05)
    raise AssertionError(f"workers {workers} are still there")
