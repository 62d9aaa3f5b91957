"""The part "phi": planted identifiers, searched for in everything that is written and answered."""

from benchmark.trust.phi.part import PART

__all__ = ["PART"]
