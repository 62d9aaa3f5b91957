"""Regions across patients: a place in one volume is to find the same organ in another."""

from benchmark.region.networks import TRAINING
from benchmark.region.peers import REGION_PEERS
from benchmark.region.run import run_region

__all__ = ["REGION_PEERS", "TRAINING", "run_region"]
