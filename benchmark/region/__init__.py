"""``hmar bench region``: a window on an organ of one patient is to find the same organ in another."""

from benchmark.region.networks import TRAINING
from benchmark.region.peers import REGION_PEERS
from benchmark.region.run import run_region

__all__ = ["REGION_PEERS", "TRAINING", "run_region"]
