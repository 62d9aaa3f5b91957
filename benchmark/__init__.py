"""Measures how well and how fast images are found; ``benchmark.evaluate`` measures anybody's codes."""

from typing import TYPE_CHECKING

from hmar.lazy import lazy_names

__all__ = ["Figures", "Interval", "evaluate"]

if TYPE_CHECKING:
    from benchmark.metrics.bootstrap import Interval
    from benchmark.metrics.evaluation import Figures, evaluate
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Figures": "benchmark.metrics.evaluation",
            "Interval": "benchmark.metrics.bootstrap",
            "evaluate": "benchmark.metrics.evaluation",
        },
    )
