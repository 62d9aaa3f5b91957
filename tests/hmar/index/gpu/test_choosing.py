from __future__ import annotations

import logging
import sys

import pytest

from hmar.index.gpu import choosing, kernels
from hmar.index.gpu.choosing import gpu_scanner, room_on_gpu, why_no_gpu
from hmar.index.gpu.scanner import GpuScanner
from hmar.index.scan import Scanner


def test_a_card_that_is_there_scans() -> None:
    assert why_no_gpu() is None
    assert isinstance(gpu_scanner(Scanner()), GpuScanner)
    name, free = room_on_gpu()
    assert name
    assert free > 0


def test_without_a_card_the_processor_scans_and_the_log_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    processor = Scanner()
    monkeypatch.setattr(kernels, "available", lambda: False)
    assert gpu_scanner(processor) is processor
    assert "HMAR_SCAN_DEVICE is cuda, but there is no CUDA device" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_without_numba_that_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hmar.index.gpu.kernels", None)
    monkeypatch.delattr("hmar.index.gpu.kernels")
    assert "not installed" in str(choosing.why_no_gpu())
