"""The card of this machine, or numba's simulator of one: there a thread is a thread of Python, so few do."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest

SIMULATED = not Path("/dev/nvidiactl").exists()

with pytest.MonkeyPatch.context() as patch:
    if SIMULATED:  # before numba.cuda is imported, which is not elsewhere
        patch.setenv("NUMBA_ENABLE_CUDASIM", "1")
        numba.config.ENABLE_CUDASIM = 1
    from hmar.index.gpu import kernels, resident, scan


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels.cuda.config.ENABLE_CUDASIM == SIMULATED
    if SIMULATED:
        monkeypatch.setattr(scan, "FRAME_THREADS", 3)
        monkeypatch.setattr(scan, "_FRAME_BLOCKS", 2)
        monkeypatch.setattr(resident, "_THREADS", 4)
    monkeypatch.setattr(resident, "PIECE_WINDOWS", 40)
