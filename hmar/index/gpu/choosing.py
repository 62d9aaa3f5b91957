"""Whether there is a graphics card to scan on; CUDA is loaded only where one is asked for."""

from __future__ import annotations

import logging

from hmar.index.scan import Scanner
from hmar.index.scanning import WindowScanner

_log = logging.getLogger(__name__)


def why_no_gpu() -> str | None:
    """Return why no graphics card can scan here, None where one can."""
    try:
        from hmar.index.gpu import kernels
    except ImportError as error:
        return f"{error.name or 'what numba needs for CUDA'} is not installed"
    if kernels.available():
        return None
    return "there is no CUDA device, no driver for it, or nothing that compiles for it"


def room_on_gpu() -> tuple[str, float]:
    """Return the name of the card, and how many bytes of its memory are free."""
    from hmar.index.gpu import kernels

    return kernels.card_name(), kernels.free_bytes()


def gpu_scanner(processor: Scanner) -> WindowScanner:
    """Return a scanner on the graphics card; the processor, where no card can be used, which the log says."""
    reason = why_no_gpu()
    if reason is not None:
        _log.error("HMAR_SCAN_DEVICE is cuda, but %s: the processor scans, with the same answers.", reason)
        return processor
    from hmar.index.gpu.scanner import GpuScanner

    return GpuScanner(processor)
