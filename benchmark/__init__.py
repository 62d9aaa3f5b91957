"""Measures the product on real data, and anybody's codes with ``benchmark.evaluate``."""

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
